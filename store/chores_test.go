package store

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// keeper is a service over a store, with a clock that the test moves, and its chores.
type keeper struct {
	t       *testing.T
	store   *Store
	service *chat.Service
	ahead   atomic.Int64
	rec     recorder
	chores  map[string]chat.Chore
}

func newKeeper(t *testing.T, o Options, retention time.Duration) *keeper {
	t.Helper()
	k := &keeper{t: t, chores: map[string]chat.Chore{}}
	clock := func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) }
	o.Clock, o.OnCommit = clock, k.rec.add
	k.store = mustOpen(t, o)
	k.service = chat.New(chat.Options{Store: k.store, Clock: clock, Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1}), Guests: true})
	for _, c := range k.service.Chores(retention) {
		k.chores[c.Name] = c
	}
	return k
}

// do does a chore to its end and gives how much each step did.
func (k *keeper) do(name string) (steps []int) {
	k.t.Helper()
	for more := true; more; {
		var n int
		var err error
		if n, more, err = k.chores[name].Step(context.Background()); err != nil {
			k.t.Fatalf("%s: %v", name, err)
		}
		steps = append(steps, n)
	}
	return steps
}

func (k *keeper) count(table string) (n int) {
	k.t.Helper()
	if err := k.store.readSQL.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		k.t.Fatal(err)
	}
	return n
}

func (k *keeper) guest() chat.Actor {
	k.t.Helper()
	login, err := k.service.Guest(context.Background(), "", chat.Device{})
	if err != nil {
		k.t.Fatal(err)
	}
	return login.Actor
}

func TestOldNoncesGoInSteps(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := k.guest().User
		for i := range 450 {
			do(t, k.store, func(tx chat.Tx) error {
				return tx.InsertNonce(models.Nonce{UserID: ann.ID, Nonce: fmt.Sprint(i), CreatedAt: tx.Now()})
			})
		}
		k.ahead.Store(int64(chat.NonceLife - time.Minute))
		if steps := k.do("delete old nonces"); fmt.Sprint(steps) != "[0]" {
			t.Errorf("young ones went: %v", steps)
		}
		k.ahead.Store(int64(chat.NonceLife + time.Minute))
		if steps := k.do("delete old nonces"); fmt.Sprint(steps) != "[200 200 50]" || k.count("nonces") != 0 {
			t.Errorf("steps %v, %d left", steps, k.count("nonces"))
		}
	})
}

func TestDeadTicketsGo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := k.guest()
		now := models.At(time.Now())
		do(t, k.store, func(tx chat.Tx) error {
			for i := range 300 {
				err := tx.InsertTicket(models.Ticket{
					Hash: []byte{byte(i), byte(i >> 8)}, SessionID: ann.Session.ID, UserID: ann.User.ID, CreatedAt: now, UsedAt: now, ClosedAt: now,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		ticket, _, err := k.service.NewTicket(context.Background(), ann)
		if err != nil {
			t.Fatal(err)
		}
		_, release, err := k.service.UseTicket(context.Background(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.service.NewTicket(context.Background(), ann); err != nil { // never used
			t.Fatal(err)
		}
		if steps := k.do("delete dead tickets"); k.count("tickets") != 302 {
			t.Errorf("they are good for two minutes: %v went", steps)
		}
		k.ahead.Store(int64(chat.TicketReconnect + time.Minute))
		if steps := k.do("delete dead tickets"); len(steps) < 3 || k.count("tickets") != 1 {
			t.Errorf("in steps %v; %d tickets are left, want the one with a stream", steps, k.count("tickets"))
		}
		release(t.Context())
		k.ahead.Add(int64(chat.TicketReconnect + time.Minute))
		if k.do("delete dead tickets"); k.count("tickets") != 0 {
			t.Errorf("%d tickets are left", k.count("tickets"))
		}
	})
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := k.guest()
		lasting := models.Session{UserID: ann.User.ID, TokenHash: []byte("never ends")}
		do(t, k.store, func(tx chat.Tx) error {
			_, err := tx.InsertSession(lasting)
			return err
		})
		for _, ahead := range []time.Duration{0, chat.SessionLife - time.Minute, chat.SessionLife + time.Minute} {
			k.ahead.Store(int64(ahead))
			if steps := k.do("end expired sessions"); fmt.Sprint(steps) != "[0]" {
				t.Errorf("after %v: %v", ahead, steps)
			}
		}
		k.ahead.Store(int64(chat.SessionLife + 2*time.Hour))
		before := head(t, k.store)
		if steps := k.do("end expired sessions"); fmt.Sprint(steps) != "[1]" || k.count("sessions") != 1 {
			t.Errorf("steps %v, %d left", steps, k.count("sessions"))
		}
		last := k.rec.events[len(k.rec.events)-1]
		want := models.Change{
			Kind: models.SessionGone, UserID: ann.User.ID, SessionID: ann.Session.ID, Reason: "idle", Detail: "not used for 30 days",
		}
		if last.ID != before+1 || !reflect.DeepEqual(last.Change, want) {
			t.Errorf("the log says %+v", last)
		}
	})
}

// Pruning takes the oldest entries, in steps, and nothing else.
func TestPruneInSteps(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, time.Hour)
		ann := k.guest().User
		for range 500 {
			send(t, k.store, models.LobbyID, ann.ID, "x")
		}
		if steps := k.do("prune the log"); fmt.Sprint(steps) != "[0]" {
			t.Errorf("young entries went: %v", steps)
		}
		k.ahead.Store(int64(30 * time.Minute))
		young := send(t, k.store, models.LobbyID, ann.ID, "young").ID
		// The clock went back for a moment: what is behind a young entry stays, or ids would be missing.
		k.ahead.Store(0)
		send(t, k.store, models.LobbyID, ann.ID, "dated before it")
		k.ahead.Store(int64(time.Hour + time.Minute))
		if steps := k.do("prune the log"); fmt.Sprint(steps) != "[200 200 102]" { // with those of the lobby and of ann
			t.Errorf("steps %v", steps)
		}
		st, err := k.store.Standing(context.Background(), ann.ID)
		if err != nil || st.Oldest != young || k.count("log") != 2 || k.count("messages") != 502 {
			t.Errorf("standing %+v, %v, %d entries, %d messages", st, err, k.count("log"), k.count("messages"))
		}
		if h := check(t, o); len(h.Findings) > 0 {
			t.Errorf("check: %v", h.Findings)
		}
		k.ahead.Store(int64(24 * time.Hour))
		k.do("prune the log")
		st, err = k.store.Standing(context.Background(), ann.ID)
		if err != nil || st.Oldest != st.Head+1 || k.count("log") != 0 {
			t.Errorf("all is old: %+v, %v", st, err)
		}
		if m := send(t, k.store, models.LobbyID, ann.ID, "after"); m.ID != st.Head+1 {
			t.Errorf("message %d after head %d", m.ID, st.Head)
		}
		if h := check(t, o); len(h.Findings) > 0 {
			t.Errorf("check: %v", h.Findings)
		}
	})
}
