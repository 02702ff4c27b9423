// Package chat holds Parley's rules: who may do what, and what each change writes.
//
// Reads run in one snapshot of the Store. Every durable change is a Command that the
// store's single writer runs in log order against a Tx; whatever another event could
// change meanwhile (membership, role, name, nonce, the last owner) is checked inside the
// command, so that no later event can overtake an earlier one. A command may be run
// again from the start when its batch failed: it must not keep anything from a run
// that returned an error, must set its results anew on each run, and must have no effect but on
// its Tx: a store may run it once only to learn what it looks up.
//
// Every method of Service takes the context first, then who acts.
package chat
