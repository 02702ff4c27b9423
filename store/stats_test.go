package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// batches collects what Options.OnBatch is told.
type batches struct {
	mu  sync.Mutex
	all []Batch
}

func (b *batches) add(one Batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, one)
}

func (b *batches) last() Batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[len(b.all)-1]
}

func TestStatsFollowTheCommands(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var told batches
		o.OnBatch, o.QueueSize = told.add, 8
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		room := newChannel(t, s, "tea", ann)
		before := s.Stats()
		say := func(tx chat.Tx) error { _, err := post(tx, room.ID, ann.ID, "hello", ""); return err }
		refuse := func(chat.Tx) error { return models.Refuse(models.CodeForbidden, "no") }
		fail := func(chat.Tx) error { return errors.New("broken") }
		full := func(chat.Tx) error { return models.Unavailable(context.DeadlineExceeded, "too slow") }
		errs := together(t, s, say, refuse, say, fail, full, say)
		got := s.Stats()
		want := Outcomes{Done: before.Commands.Done + 4, Refused: 1, Failed: 2} // with the one that held the writer up
		if got.Commands != want {
			t.Errorf("%+v, want %+v after %v", got.Commands, want, errs)
		}
		if b := told.last(); b.Commands != 6 || b.Events != 3 || b.Took <= 0 {
			t.Errorf("the batch was told as %+v", b)
		}
		if got.CacheHits <= before.CacheHits {
			t.Errorf("%d look-ups hit before, %d now", before.CacheHits, got.CacheHits)
		}
		if got.QueueDepth != 0 || got.QueueCapacity != 8 || got.Readers.Most == 0 || got.Readers.InUse != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestStatsOfAQueue(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{Dir: t.TempDir(), QueueSize: 2, BatchSize: 1})
	held, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		do(t, s, func(chat.Tx) error { close(held); <-release; return nil })
	})
	<-held
	ended, end := context.WithCancel(context.Background())
	nothing := func(chat.Tx) error { return nil }
	waiting := []*job{newJob(ended, nothing), newJob(t.Context(), nothing)}
	for _, j := range waiting {
		if err := s.enqueue(j); err != nil {
			t.Fatal(err)
		}
	}
	end()
	if err := s.Do(t.Context(), nothing); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("the third in a queue of two: %v", err)
	}
	if got := s.Stats(); got.QueueDepth != 2 || got.Commands.TurnedAway != 1 {
		t.Errorf("%+v", got)
	}
	close(release)
	done.Wait()
	for _, j := range waiting {
		if err := <-j.done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if got := s.Stats(); got.QueueDepth != 0 || got.Commands != (Outcomes{Done: 2, Abandoned: 1, TurnedAway: 1}) {
		t.Errorf("%+v", got)
	}
}

// A file that grows is seen to; where the database is a server there is none.
func TestStatsOfTheFiles(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		before := s.Stats()
		if before.HasFiles != (o.URL == "") {
			t.Fatalf("has files: %v", before.HasFiles)
		}
		ann := newUser(t, s, "ann", models.RoleMember)
		send(t, s, newChannel(t, s, "tea", ann).ID, ann.ID, strings.Repeat("x", 1<<16))
		got := s.Stats()
		if got.HasFiles && (got.Files.Database == 0 || got.Files.WAL < before.Files.WAL+1<<16) {
			t.Errorf("%+v, and before 64 KiB were written %+v", got.Files, before.Files)
		}
	})
}

func TestSlowCommitIsLogged(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{time.Nanosecond, time.Hour} {
		var log bytes.Buffer // the writer's, which has stopped when it is read
		s := mustOpen(t, Options{
			Dir: t.TempDir(), SlowCommit: limit, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		newUser(t, s, "ann", models.RoleMember)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		said := strings.Contains(log.String(), `level=WARN msg="slow commit" took=`) &&
			strings.Contains(log.String(), "commands=1 events=1")
		if said != (limit == time.Nanosecond) {
			t.Errorf("with a limit of %v the log has %q", limit, log.String())
		}
	}
}
