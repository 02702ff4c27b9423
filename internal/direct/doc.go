// Package direct serves streams on connections that it takes over from net/http. It is for HTTP/1 without TLS; what
// it does not take is served in the handler, by the same pump (broker.Stream).
//
// net/http keeps two goroutines and 20 KB of buffers for each request under way, and chunks every frame.
// Here a stream is its socket, without a buffer, and without a goroutine but while it has to wait. What that costs is all in
// this package:
//
//   - The header is written here, with all that the handler has set, and `Connection: close`: the end of the
//     connection is the end of the body.
//   - A few drivers run the turns of all streams, by writes that do not wait. Whoever must wait leaves the driving to
//     another one before.
//   - Nobody reads from the connection. That its client has gone, also by closing only its half, is learned from a
//     watcher: one epoll of all descriptors, waited for through Go's own poller, so that it holds no thread. Where
//     there is no epoll, a goroutine for each stream reads and throws away.
//   - http.Server.Shutdown does not know the connections. Close waits for them, and cuts them at the end of
//     its patience.
//   - The handler returns at once. What is to be done at the stream's end its Owner does, who must not
//     hold on to the request, or net/http's buffers would live as long as the stream.
package direct
