package tests

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// TestDeliveryRemovalRace takes a member out of rooms, and rooms away from the member, while the
// member sends to them by several connections at once: no message of theirs may come after the
// event that took the right away.
func TestDeliveryRemovalRace(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Cleanup(plain.CloseIdleConnections)
	crowd := &town{server: harness.Start(t).URL(), http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(ctx, 2, 0, 1); err != nil {
		t.Fatal(err)
	}
	admin, member := crowd.people[0], crowd.people[1]
	rs := &readers{errs: make(chan error, 2), cancel: cancel}
	for _, p := range crowd.people {
		f := newFollower("tap", p, 1)
		f.tap, f.steady = true, true
		rs.all = append(rs.all, f)
		go func() { rs.errs <- f.run(ctx, f.sse) }()
	}
	if err := rs.opened(ctx); err != nil {
		t.Fatal(err)
	}
	var room atomic.Int64 // where the member sends to
	done := make(chan struct{})
	sent := make(chan error, 4)
	for range cap(sent) {
		go func() { sent <- member.sendUntil(ctx, &room, done) }()
	}
	err := admin.takeAway(ctx, member, &room)
	close(done)
	for range cap(sent) {
		err = errors.Join(err, <-sent)
	}
	if err != nil {
		t.Fatal(err)
	}
	end := crowd.finish(ctx, t)
	if err := rs.wait(); err != nil {
		t.Fatal(err)
	}
	b := readBooks(crowd.ledger, end)
	t.Logf("%d messages, %d rooms", len(crowd.ledger.said), len(crowd.ledger.rooms))
	b.report(t)
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	crowd.replay(ctx, t, b, 1)
	crowd.compare(ctx, t, b)
}

// sendUntil sends to the room of the moment; some of it is refused.
func (p *person) sendUntil(ctx context.Context, room *atomic.Int64, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		err := p.say(ctx, strconv.FormatInt(room.Load(), 10), p.newName("words"), "")
		if err != nil && !refused(err) {
			return err
		}
	}
}

// takeAway adds the member and removes or bans them again and again, and deletes every fourth room.
func (p *person) takeAway(ctx context.Context, member *person, room *atomic.Int64) error {
	visibility := client.VisibilityPrivate
	for n := range 60 {
		if n%4 == 0 {
			resp, err := p.CreateRoomWithResponse(ctx, client.CreateRoomRequest{
				Name: fmt.Sprintf("room-%d", n), Visibility: &visibility,
			})
			if err := answered(err, resp); err != nil {
				return err
			}
			room.Store(resp.JSON201.ID)
			p.town.ledger.opened(resp.JSON201.ID, p.id)
		}
		ref, other := strconv.FormatInt(room.Load(), 10), strconv.FormatInt(member.id, 10)
		added, err := p.PutMemberWithResponse(ctx, ref, other, client.PutMemberRequest{})
		if err := answered(err, added); err != nil {
			return err
		}
		p.town.ledger.await(ctx, p.town.ledger.highest()+5)
		if n%4 == 3 {
			gone, err := p.DeleteRoomWithResponse(ctx, ref)
			if err := answered(err, gone); err != nil {
				return err
			}
			continue
		}
		if err := p.throwOut(ctx, ref, other, n%2 == 0); err != nil {
			return err
		}
		p.town.ledger.removed(room.Load(), member.id)
	}
	return nil
}

// throwOut removes a member, or bans them and lifts that.
func (p *person) throwOut(ctx context.Context, room, user string, ban bool) error {
	if !ban {
		gone, err := p.RemoveMemberWithResponse(ctx, room, user)
		return answered(err, gone)
	}
	banned, err := p.BanMemberWithResponse(ctx, room, user, client.RestrictRequest{})
	if err := answered(err, banned); err != nil {
		return err
	}
	lifted, err := p.UnbanMemberWithResponse(ctx, room, user)
	return answered(err, lifted)
}

// TestDeliveryNothingUnstored makes commits fail under a crowd of senders: what was refused is neither
// given to anybody nor kept, and what is sent again is there once.
func TestDeliveryNothingUnstored(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Cleanup(plain.CloseIdleConnections)
	server := harness.Start(t)
	crowd := &town{server: server.URL(), http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(ctx, 1, 3, 1); err != nil {
		t.Fatal(err)
	}
	rs := crowd.read(ctx, 1)
	if err := rs.opened(ctx); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(crowd.people))
	var all sync.WaitGroup
	for i, p := range crowd.people {
		all.Go(func() {
			for n := 0; n < 60 && errs[i] == nil; n++ {
				errs[i] = p.insist(ctx, fmt.Sprintf("%d from user %d", n, p.id))
			}
		})
	}
	for n := range 12 {
		crowd.ledger.await(ctx, crowd.ledger.highest()+10)
		server.Break([]string{harness.Commit, harness.Insert}[n%2])
		resp, err := crowd.people[0].SendWithResponse(ctx, client.SendRequest{Text: "into the void"})
		if err != nil || resp.StatusCode() != 503 {
			t.Errorf("a broken database: %v %v", resp, err)
		}
		server.Mend()
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	end := crowd.finish(ctx, t)
	if err := rs.wait(); err != nil {
		t.Fatal(err)
	}
	b := readBooks(crowd.ledger, end)
	b.report(t)
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	crowd.replay(ctx, t, b, 1)
	crowd.compare(ctx, t, b)
}
