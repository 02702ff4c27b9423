// Package models holds what Parley talks about: users, rooms, messages, sessions
// and the events of the log, with their validation and the one coded error type.
//
// Everything here is plain data. The package imports nothing of ours and touches
// neither the network nor a database. JSON tags on the types named Event… are the
// wire form of the log and of every stream: a row of the log is sent byte for byte,
// so a change there changes what clients see (openapi.yaml says the same).
package models
