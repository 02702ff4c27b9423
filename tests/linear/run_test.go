package linear

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// How much a history has.
const (
	enough = 10_000 // operations
	kills  = 5
)

// run lets everybody act on a server that dies meanwhile, and gives what they did and how the objects began.
func run(t *testing.T, program string, seed uint64, flags ...string) ([]porcupine.Operation, begin) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	server, url := serve(t, program, flags...)
	s := &stage{
		url: url, began: time.Now(), begin: begin{theLog: head(0)}, progress: make(chan struct{}, 1),
		door: door{open: make(chan struct{})},
	}
	s.door.reopen()
	if err := s.settle(ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.play(ctx, cancel, server, seed); err != nil {
		t.Fatal(err)
	}
	if err := s.epilogue(ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.people {
		p.http.CloseIdleConnections()
	}
	ops, unknown := s.count()
	t.Logf("%d operations by %d clients in %v, %d of unknown outcome", ops, clients, time.Since(began).Round(time.Millisecond), unknown)
	return settle(s.noted), s.begin
}

// play lets all act at once, and death among them.
func (s *stage) play(ctx context.Context, cancel context.CancelFunc, server *server, seed uint64) error {
	var all sync.WaitGroup
	errs := make([]error, clients+1)
	for i := range clients {
		a := &actor{stage: s, number: i, who: i % people, random: rand.New(rand.NewPCG(seed, uint64(i)))}
		all.Go(func() {
			if errs[i] = a.work(ctx, enough); errs[i] != nil {
				cancel() // the others need not go on
			}
		})
	}
	all.Go(func() {
		if errs[clients] = s.havoc(ctx, server, rand.New(rand.NewPCG(seed, clients))); errs[clients] != nil {
			cancel()
		}
	})
	all.Wait()
	return errors.Join(errs...)
}

// havoc kills the server at random moments, asks it to stop at one of them, and starts it again each time.
func (s *stage) havoc(ctx context.Context, server *server, random *rand.Rand) error {
	stop := random.IntN(kills + 1)
	for i := range kills + 1 {
		if err := s.await(ctx, server, (enough*i+random.IntN(enough))/(kills+1)); err != nil {
			return err
		}
		signal := syscall.SIGKILL
		if i == stop {
			signal = syscall.SIGTERM
		}
		s.door.shut()
		if err := server.end(signal); err != nil {
			return err
		}
		if err := server.start(); err != nil {
			return err
		}
		s.door.reopen()
	}
	return nil
}

// await returns when so many operations are noted.
func (s *stage) await(ctx context.Context, server *server, ops int) error {
	for {
		if n, _ := s.count(); n >= ops {
			return nil
		}
		select {
		case <-s.progress:
		case <-server.exited:
			return fmt.Errorf("the server is gone\n%s", server.said)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
