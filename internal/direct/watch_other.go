//go:build !linux

package direct

import "net"

func newWatcher(s *Server) watcher { return readers{s} }

// tune leaves the socket as the system makes it.
func tune(*net.TCPConn) {}

// drain has nothing to do: the readers do it all the time.
func drain(*net.TCPConn) {}
