//go:build unix

package tail

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// whenUnread calls closed when the reader of a pipe is gone, which a write would tell only when something happens. release
// ends the watch.
func whenUnread(out io.Writer, closed func()) (release func(), err error) {
	file, ok := out.(*os.File)
	if !ok {
		return func() {}, nil
	}
	end, stop, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("watch the output: %w", err)
	}
	fds := []unix.PollFd{{Fd: int32(file.Fd())}, {Fd: int32(end.Fd())}} // what is wrong is told without being asked for
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, err := unix.Poll(fds, -1)
			switch {
			case errors.Is(err, unix.EINTR):
			case err != nil || fds[1].Revents != 0:
				return
			default:
				closed()
				return
			}
		}
	}()
	return func() {
		_ = stop.Close() // wakes the watch
		<-done
		_ = end.Close()
	}, nil
}
