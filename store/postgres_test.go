package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

func TestTwoProcessesStartAtOnce(t *testing.T) {
	t.Parallel()
	o := Options{URL: pgtest.DSN(t)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := Open(context.Background(), o)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			if h := head(t, s); h != 1 {
				t.Errorf("head %d", h)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestTwoWritersMakeOneLog has two processes' stores send at once.
func TestTwoWritersMakeOneLog(t *testing.T) {
	t.Parallel()
	o := Options{URL: pgtest.DSN(t)}
	var recs [2]recorder
	var stores [2]*Store
	for i := range stores {
		o.OnCommit = recs[i].add
		stores[i] = mustOpen(t, o)
	}
	users, room := crowd(t, stores[0], 16)
	var wg sync.WaitGroup
	for i, u := range users {
		wg.Go(func() {
			for n := range 20 {
				do(t, stores[(i+n)%2], func(tx chat.Tx) error {
					_, err := post(tx, room.ID, u.ID, "x", fmt.Sprint(n))
					return err
				})
			}
		})
	}
	wg.Wait()
	for i := range recs {
		if !slices.IsSorted(recs[i].ids()) {
			t.Errorf("store %d published out of order", i)
		}
	}
	ids := append(recs[0].ids(), recs[1].ids()...)
	slices.Sort(ids)
	gapless(t, ids, 2)
}

// TestNoMessageAfterARemoval removes a member on one store while they send on the other.
func TestNoMessageAfterARemoval(t *testing.T) {
	t.Parallel()
	o := Options{URL: pgtest.DSN(t)}
	a, b := mustOpen(t, o), mustOpen(t, o)
	users, room := crowd(t, a, 8)
	for round := range 5 {
		var wg sync.WaitGroup
		var removed, last atomic.Int64
		started := make(chan struct{}, len(users))
		for _, u := range users {
			wg.Go(func() {
				for n := 0; ; n++ {
					err := b.Do(context.Background(), func(tx chat.Tx) error {
						m, err := post(tx, room.ID, u.ID, "x", "")
						if err == nil && u.ID == users[7].ID {
							last.Store(m.ID)
						}
						return err
					})
					if n == 0 {
						started <- struct{}{}
					}
					if err != nil && !errors.Is(err, chat.ErrNotFound) {
						t.Error(err)
					}
					if err != nil || u.ID != users[7].ID && removed.Load() != 0 {
						return
					}
				}
			})
		}
		for range users {
			<-started
		}
		do(t, a, func(tx chat.Tx) error {
			removed.Store(tx.NextID())
			return leave(tx, room.ID, users[7], true)
		})
		wg.Wait()
		if last.Load() > removed.Load() {
			t.Errorf("round %d: message %d after the removal %d", round, last.Load(), removed.Load())
		}
		do(t, a, func(tx chat.Tx) error { return join(tx, room.ID, users[7], models.RoomMember) })
	}
}

// proxy stands between a store and its server and can cut connections around a COMMIT.
type proxy struct {
	listener net.Listener
	server   string
	mode     atomic.Int32
	wg       sync.WaitGroup
}

const (
	pass        = iota
	cutAfter    // the next COMMIT reaches the server, its answer gets lost
	cutBefore   // the next COMMIT gets lost
	cutAndClose // like cutAfter, and nobody can connect afterwards
	refuse
)

// throughProxy gives the URL of dsn's database through a proxy.
func throughProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host == "" || u.Query().Get("sslmode") != "disable" {
		t.Skip("the proxy needs a server by TCP without TLS")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, server: u.Host}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.wg.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil || p.mode.Load() == refuse {
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		var cut atomic.Bool
		end := func() { _ = client.Close(); _ = server.Close() }
		p.wg.Go(func() {
			defer end()
			p.requests(server, client, &cut)
		})
		p.wg.Go(func() {
			defer end()
			buf := make([]byte, 64<<10)
			for {
				n, err := server.Read(buf)
				if err != nil || cut.Load() {
					return
				}
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
		})
	}
}

func (p *proxy) requests(server io.Writer, client io.Reader, cut *atomic.Bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if bytes.Contains(buf[:n], []byte("commit\x00")) {
			switch {
			case p.mode.CompareAndSwap(cutBefore, pass):
				return
			case p.mode.CompareAndSwap(cutAfter, pass), p.mode.CompareAndSwap(cutAndClose, refuse):
				cut.Store(true)
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestLostCommit loses the connection around a COMMIT: what is answered and published is what
// happened, and nothing happens twice.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	var rec recorder
	p, dsn := throughProxy(t, pgtest.DSN(t))
	s := mustOpen(t, Options{URL: dsn, OnCommit: rec.add})
	users, room := crowd(t, s, 4)
	want := 0
	for name, mode := range map[string]int32{"answer lost": cutAfter, "commit lost": cutBefore} {
		var cmds []chat.Command
		for _, u := range users {
			cmds = append(cmds, func(tx chat.Tx) error {
				_, err := post(tx, room.ID, u.ID, name, "") // without a nonce, so that twice would be seen
				return err
			})
		}
		p.mode.Store(mode)
		if err := errors.Join(together(t, s, cmds...)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.mode.Load() != pass {
			t.Errorf("%s: the connection was not cut", name)
		}
		want += len(users)
		if got := len(texts(t, s, room.ID)); got != want {
			t.Errorf("%s: %d messages, want %d", name, got, want)
		}
	}
	gapless(t, rec.ids(), 2)

	// Now the server cannot be asked either. The message is there once it can be.
	published := len(rec.ids())
	p.mode.Store(cutAndClose)
	hello := func(text string) error {
		return s.Do(context.Background(), func(tx chat.Tx) error {
			_, err := post(tx, room.ID, users[0].ID, text, "")
			return err
		})
	}
	if err := hello("in doubt"); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("a commit in doubt gives %v", err)
	}
	if err := hello("not now"); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("while a commit is in doubt: %v", err)
	}
	if n := len(rec.ids()); n != published {
		t.Errorf("%d events were published in doubt", n-published)
	}
	p.mode.Store(pass)
	if err := hello("afterwards"); err != nil {
		t.Error(err)
	}
	gapless(t, rec.ids(), 2)
	got := texts(t, s, room.ID)
	if !slices.Equal(got[want:], []string{"in doubt", "afterwards"}) {
		t.Errorf("messages %q", got[want:])
	}
}

// TestPostgresFlushesCommits: what is answered is on disk, whatever the server does of itself.
func TestPostgresFlushesCommits(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	s := mustOpen(t, Options{URL: dsn + "&synchronous_commit=off"})
	write, _ := s.engine.pools()
	var got string
	if err := write.QueryRow("SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
		t.Errorf("synchronous_commit is %q, %v", got, err)
	}
}
