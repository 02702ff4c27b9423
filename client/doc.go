// Package client talks to a Parley server.
//
// Every call of the API is a generated …WithResponse method of Client; Check turns its
// answer into an error where the server refused. A few calls have a shorter form that
// returns the value itself. Client.Events follows the log.
//
// What Events promises:
//
//   - Order and once: durable events come in id order, each once, over any number of broken
//     connections, as long as the loop runs. Who keeps Event.Cursor of the last event
//     handled and starts with it again has the same promise over restarts of the program.
//   - An event is handed over whole or not at all: what a cut connection leaves
//     half written is dropped, and the resume brings it again.
//   - Back-pressure: nothing is read while the loop's body runs, and nothing is kept in memory
//     but the frame at hand. A body that takes long may lose its connection, never events.
//   - Unknown event types and unknown fields are handed on.
//   - Nothing runs on after the loop has ended: no goroutine, no connection, no timer.
//
// An error is an *Error where the server refused; errors.Is(err, ErrorCodeNotFound) asks for a
// code. Other errors are the network's or the context's: whether the server did what was
// asked is not known then, and only a nonce makes a repeated Send safe.
//
// Client is safe for use by several goroutines. The package imports nothing of Parley.
package client
