package direct

// readers watch by a goroutine for each connection, which throws away what comes.
type readers struct{ server *Server }

func (r readers) watch(c *conn) {
	go func() {
		var b [1]byte
		for {
			if _, err := c.Read(b[:]); err != nil {
				r.server.gone(c.seat, c.round, false)
				return
			}
		}
	}()
}

func (readers) close() {}
