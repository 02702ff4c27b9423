// Package store keeps everything that lasts, in SQLite or in PostgreSQL: accounts, rooms, messages,
// sessions, and the log, of which every durable change is an entry. It is the only user of
// GORM.
//
// # The writer
//
// One goroutine, the writer, runs all commands (Do). It takes whatever waits as one batch, runs
// the commands in order in one transaction, commits, hands the new entries to OnCommit and
// only then answers. Hence:
//
//   - ids are gapless and commit order is id order, with several processes on one PostgreSQL too:
//     a transaction locks the log's head with its first statement and looks at nothing before;
//   - a command sees everything before it, and nothing can come between its checks and its writes;
//   - an answered command is on disk;
//   - nothing is published that is not committed, and publishing cannot fail a command.
//
// A command that refuses (returns an error or panics) leaves nothing behind and harms no other. If a
// whole transaction fails, its commands are run again, each in a transaction of its own; what then
// still fails because of the database is models.CodeUnavailable. On PostgreSQL a connection
// that breaks during COMMIT leaves open what happened: the writer asks the server before it does
// anything else, so that no command is done twice and no entry stays unpublished.
//
// Entries, messages and nonces are collected and written with one statement per table and batch; all
// else is written at once. What the writer reads often (users, rooms, present memberships) it keeps:
// between batches on SQLite, whose directory one process owns, within a transaction on PostgreSQL. There
// a batch's commands are first run for what they ask only, so that all of it is fetched with
// a few queries (scout.go): one more reason why a command must have no effect but on its Tx.
//
// # Reading
//
// View gives one snapshot. Standing and Page tell what of the log is a user's, also from one
// snapshot each; their work grows with the user's rooms and with the entries given, never with
// entries for others. No snapshot is held while somebody writes to the network.
//
// # Testing
//
// Options.Fault makes the database fail where a test wants it to. Package pgtest gives tests a
// PostgreSQL; every test of this package runs on both databases.
package store
