package faults

import (
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/pgtest"
	"parley/tests/faults/oracle"
)

// TestRestoredBackup goes back to a backup under connected clients: who had seen more than it holds is told so by a reset, nobody
// else is, and in both lives every promise holds.
func TestRestoredBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 3)
		s.crowd()
		s.must(s.rec.grow(s.ctx, 150))
		s.halt() // memberships rest from here on: what is lost of them is not for the oracle
		s.talkAll()
		s.must(s.rec.grow(s.ctx, 30))
		kept := s.backup()
		s.must(s.rec.grow(s.ctx, 60))
		s.halt()
		lost := s.firstLife(kept)
		s.restore()
		resets := s.rec.counted("resets")
		s.server.start()
		s.must(s.rec.await(s.ctx, "resets", func() bool { return s.rec.counts["resets"] > resets }))
		for _, old := range lost { // its nonce is as lost as the message
			by := s.personOf(old.By)
			_, err := by.send(s.ctx, oracle.Send{To: old.To, Room: old.Room, With: old.With, Nonce: old.Nonce, Text: old.Text})
			s.must(err)
		}
		s.bustle()
		s.must(s.rec.grow(s.ctx, 100))
		s.verify(s.finish())
		if len(s.rec.run.Holes) != 1 {
			t.Errorf("the restore left the holes %v", s.rec.run.Holes)
		}
	})
}

// backup copies the database: beside the running server with SQLite, of a killed one with PostgreSQL. It gives the copy's head.
func (s *scene) backup() (head int64) {
	s.t.Helper()
	if s.db.dsn == "" {
		s.copy = &database{t: s.t, dir: s.t.TempDir()}
		s.server.command("backup", s.copy.file(), "--data", s.db.dir)
	} else {
		s.server.kill()
		s.copy = &database{t: s.t, dir: s.db.dir, dsn: pgtest.Copy(s.t, s.db.dsn)}
		s.server.start()
	}
	_, k := s.copy.log()
	return k.head
}

// firstLife kills the server and judges what was up to then. What the copy does not have is forgotten, and given.
func (s *scene) firstLife(kept int64) (lost []oracle.Send) {
	s.t.Helper()
	s.server.kill()
	s.calls.CloseIdleConnections()
	entries, k := s.db.log()
	r := s.rec
	r.mu.Lock()
	life := r.run
	life.Log, life.Oldest = entries, k.oldest
	life.Readers = nil
	for _, one := range r.run.Readers {
		whole := *one
		whole.Conns = nil
		for _, c := range one.Conns {
			whole.Conns = append(whole.Conns, &oracle.Conn{Start: c.Start, Asked: c.Asked, Items: slices.Clone(c.Items)})
			c.Items = nil // the second life begins with the connections that are made in it
		}
		one.Conns = nil
		life.Readers = append(life.Readers, &whole)
	}
	r.run.Sends, r.run.Reads, r.run.Seen = nil, nil, nil
	for _, send := range life.Sends {
		switch {
		case send.Outcome == oracle.Answered && send.ID <= kept:
			r.run.Sends = append(r.run.Sends, send)
		case send.Outcome == oracle.Answered:
			lost = append(lost, send)
		}
	}
	r.mu.Unlock()
	if len(lost) == 0 {
		s.t.Error("the restore loses nothing, and so proves nothing")
	}
	s.judge(&life)
	return lost
}

// restore puts the copy in the place of what there is.
func (s *scene) restore() {
	s.t.Helper()
	if s.db.dsn != "" {
		s.db.dsn = s.copy.dsn // a loaded dump, which nobody marks
		return
	}
	s.server.command("restore", filepath.Clean(s.copy.file()), "--data", s.db.dir, "--force")
}
