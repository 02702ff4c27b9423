// Package broker is the fan-out inside one process: it hands committed events to the
// streams and long-polls of the users who are entitled to them. The log is the store; the
// broker keeps a ring of the newest events, knows whom to wake, and reads everything else back
// through the Log interface.
//
// # Guarantees
//
//   - Every durable event that a user is entitled to comes exactly once a stream, in
//     ascending order of ids; over reconnects with the cursor, none is lost and none comes
//     twice. After a removal, or the end of a room, comes that last event and nothing more of the
//     room; who joins gets member.joined first.
//   - Publish never waits for a reader, and no reader for another. A reader that stalls holds a
//     goroutine, at most one write and at most a small page of the log; it is served from the log at
//     its own speed and comes back to live by the same procedure as a stream that joins.
//   - Memory is bounded: the ring by count and by bytes, a stream by what it is writing. There
//     is no queue for a stream.
//   - `ready` comes first, then, if the cursor given was not good, `reset`. A heartbeat comes
//     after Options.Heartbeat of quiet, later by at most a sixteenth; its cursor is never past an event
//     of the stream that was not written yet.
//   - An entry that was rewritten in the log (models.EntriesGone) is written by no stream that begins to read it
//     after Publish has returned. What a stream was just writing then, at most a page of the log, may still
//     go out as it was.
//   - What has no id (presence, typing, read marks) is told to the streams that are there, by their own view of
//     their rooms, the newest of each only. It is in no order with the log but this: no typing is written
//     after the message, or the member.left, that ends it, nor after the reader's own going.
//   - A session's end comes after all that was published before it, as session.ended, and is the last
//     thing a stream writes. A stream that is still in replay is cut between two pages.
//   - From Publish to Sink.Write nothing is allocated for a stream.
//   - Close waits for every stream, waiter and goroutine.
//
// # How
//
// Publish encodes each event once into the ring, stores the head, notes the first new id of
// each audience for the waker and rings its bell. The waker flags the readers of those audiences
// (subscriber.from) and wakes them. A reader takes its flag, then reads the head, then
// examines the ring from the flag on. What it may see is decided by its own view of its rooms, which it
// moves along event by event; the routing is a superset that only says whom to wake.
//
// Three orders carry all of it:
//   - publisher: ring slot, head, note. Who is flagged finds the event.
//   - waker: flags, then `routed`. A reader that reads `routed` and then finds no flag has seen
//     everything of its own up to there, and may say so in a heartbeat.
//   - join: register the user, read the log, register the topics, look at the ring. Whatever
//     is published in between reaches the reader by one of them.
//
// A stream that comes back, or has fallen behind, goes on from the ring as soon as that holds what follows its cursor
// and the log's standing says that what it may see has not changed since the cursor. Recall fills the ring at a start.
//
// Locks: index.mu over the routing, notebook.mu over the notes. Neither is held while the
// other is taken, nor during a write or a read of the log. The publisher takes notebook.mu, and, while somebody
// types, moments.mu, under which a few words are written at a time.
//
// # Testing
//
// Every guarantee has a test; oracle_test.go races all of them against each other and recomputes
// from the published events who had to get what.
package broker
