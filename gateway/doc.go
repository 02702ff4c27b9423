// Package gateway speaks the protocols of the chats that came before to their clients, which know nothing of Parley: thin
// translators onto the calls of package chat and onto the streams of package broker, with no rules of their own. What comes
// in by one way is seen by all the others.
//
// # Parts that the protocols share
//
//   - acceptor owns a listener and its connections: it bounds how fast newcomers come in, backs off where accepting fails,
//     makes a panic the end of one connection, and its Close waits for all of them. How many there may be at once, and for
//     how long a client may take no byte, is the listener's, which internal/app opens.
//   - inbox is what has come in and was not taken yet, in little room; the readers of the protocols cut it.
//   - outbox is what goes out on one connection. Nobody waits for it but who chooses to: push is for what others cause, wait
//     for one's own answers and for the stream, so that a slow client is served at its own speed and slows nobody.
//     A client that lets too much pile up, or takes no byte for the listener's stall time, is cut.
//   - events makes a broker.Sink of a function that gets decoded events.
//   - pace delays what comes in too fast; nothing is lost by it.
//   - Door lets people in who come by HTTP requests, by the API's own measure. A wsSocket is a WebSocket with its rules: it ends with
//     the right code, and confirm knows what has come to its client.
//   - guarded makes a panic a line of the log; apart does what needs much stack off a goroutine that will be idle.
//   - clean makes text harmless in a protocol of lines.
//   - notices gives out what the gateway itself tells, each in its place among the events of a stream.
//   - roomKinds tells a conversation of two from a channel.
//
// Accounts come from package chat. PassingGuest and Depart are for those who are here for one connection. Those who
// come back have an id of their protocol: RegisterLegacy, LoginLegacy, LegacyUser, and LegacyIDs for showing people, where somebody
// without such an id has LegacyOffset plus their own. AddLegacy and PassingLogin are for protocols that have passwords, ReturnLegacy,
// AddressLegacy and LeaveLegacy for guests who come back, EachWaiting and Heard for what nobody was there for. Hold keeps the session
//
// # Guarantees
//
//   - A connection is a stream of its account for presence, and what comes in is an act of it.
//   - What the account is entitled to it hears in the order of the log, since it hears by a broker.Stream. What the gateway
//     says by itself about somebody's going comes after the last that they said to all.
//   - session.ended ends the connection, and the end of a connection the session that was made for it. Close ends all connections and waits for
//     them; accounts that were made for a connection and left nothing are gone by then.
package gateway
