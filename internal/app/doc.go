// Package app puts the parts together: New opens them, Run serves, Close stops.
//
// Order of the start: the data directory with its lock and migrations, the broker at the
// log's head, the rules, the API, and the listener last, so that nobody is let in before all is
// there. What a former process left to clear away of deleted accounts is done in the background. Order of the stop: that background, then no new connections and, at the same time, every stream
// ended by the broker, spread over its jitter; then the requests that are still being answered; then
// the writer, drained; then the database. Nothing is lost by stopping: what was answered is on disk
// before it is answered.
//
// The open-file limit needs no code here: Go's runtime raises the soft limit to the hard one.
package app
