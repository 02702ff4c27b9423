package faults

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"parley/tests/faults/oracle"
)

// verify is the end of every scenario: all must be as if nothing had happened. Nobody acts any more. allowed are the complaints that the
// server may have made.
func (s *scene) verify(end int64, allowed ...string) {
	s.t.Helper()
	s.must(s.readAll())
	s.must(s.replayAll(end))
	s.must(s.repeatAll())
	s.calls.CloseIdleConnections()
	s.atRest()
	s.server.stop()
	s.db.check(s.server)
	entries, k := s.db.log()
	s.rec.run.Log = merge(s.rec.run.Log, entries)
	s.rec.run.Oldest, s.rec.run.Holes = k.oldest, k.holes
	s.judge(&s.rec.run)
	s.server.complaints(allowed...)
}

// judge has the oracle speak.
func (s *scene) judge(run *oracle.Run) {
	s.t.Helper()
	for _, c := range s.rec.complaints() {
		s.t.Error(c)
	}
	faults := oracle.Check(run)
	for i, f := range faults {
		if i == 8 {
			s.t.Errorf("and %d more", len(faults)-i)
			break
		}
		s.t.Error(f)
		if f.ID != 0 {
			s.t.Log("what is known of it:\n" + shortened(oracle.Explain(run, f)))
		}
	}
	s.t.Logf("%d entries, %d messages sent, %d members moved, %d readers, %d reads, %v", len(run.Log), len(run.Sends), len(run.Moves),
		len(run.Readers), len(run.Reads), s.rec.counts)
}

func shortened(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > 40 {
		lines = append(lines[:40], fmt.Sprintf("  (%d lines more)", len(lines)-40))
	}
	return strings.Join(lines, "\n")
}

// merge adds what was pruned meanwhile: entries of an earlier look at the log.
func merge(earlier, now []oracle.Entry) []oracle.Entry {
	byID := map[int64]oracle.Entry{}
	for _, e := range append(slices.Clone(earlier), now...) {
		byID[e.ID] = e
	}
	var all []oracle.Entry
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		all = append(all, byID[id])
	}
	return all
}

// readAll reads the rooms and the whole history of each that everybody can or cannot read.
func (s *scene) readAll() error {
	for _, p := range append(s.people(), s.outsider) {
		if err := p.readRooms(s.ctx); err != nil {
			return err
		}
		for _, room := range append([]*channel{{id: lobby}}, s.rooms...) {
			for after := int64(0); ; {
				r, err := p.readHistory(s.ctx, room.id, 0, after, 200)
				if err != nil {
					return err
				}
				if r.Outcome == oracle.Refused || !r.More {
					break
				}
				after = r.IDs[len(r.IDs)-1]
			}
		}
	}
	return nil
}

// replayAll reads everybody's log again, from the beginning and from a place in between.
func (s *scene) replayAll(end int64) error {
	var all sync.WaitGroup
	errs := make(chan error, 2*len(s.everyone()))
	for i, p := range s.everyone() {
		for j, from := range []int64{0, 1 + p.dice.Int64N(end-1)} {
			f := p.follower([]string{"sse", "ndjson", "poll"}[(i+j)%3], fmt.Sprintf("replay from %d", from), p.dice)
			f.url, f.pos, f.until, f.End = s.server.url(), from, end, end
			f.dice = diceFor(s.t, f.Name)
			all.Go(func() { errs <- f.run(s.ctx) })
		}
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// repeatAll sends everything once more. Each nonce gives its message, whatever became of the right to send; what was never
// answered may be there or be sent now.
func (s *scene) repeatAll() error {
	work := make(chan oracle.Send)
	errs := make(chan error, 8)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	for range cap(errs) {
		go func() {
			var first error
			for again := range work {
				again.Replay = true
				if _, err := s.personOf(again.By).send(ctx, again); err != nil && first == nil {
					first = err
				}
			}
			errs <- first
		}()
	}
	for _, old := range slices.Clone(s.rec.run.Sends) {
		if old.Outcome == oracle.Answered {
			work <- oracle.Send{Call: oracle.Call{By: old.By}, To: old.To, Room: old.Room, With: old.With, Nonce: old.Nonce, Text: old.Text}
		}
	}
	close(work)
	var first error
	for range cap(errs) {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// head asks for the newest id.
func (p *person) head(ctx context.Context) (int64, error) {
	var got struct{ Cursor int64 }
	err := p.want(ctx, http.MethodGet, "/v1/rooms?limit=1", nil, &got, http.StatusOK)
	return got.Cursor, err
}
