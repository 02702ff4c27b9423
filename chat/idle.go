package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

const (
	// idleEvery is how often sessions are looked at.
	idleEvery = time.Second
	// idleStep is how many rows of the sessions' table one look reads, and how many sessions one command ends.
	idleStep = 256
	// idleRest is the longest pause after the table was read to its end.
	idleRest = time.Minute
	// idleTimeout bounds one look.
	idleTimeout = 20 * time.Second
)

// idler ends the sessions that have not acted for a time. Of those used since the start it knows the
// last act. Of all others it has the database's word, which lags the last use by touchEvery at most:
// the table is read step by step, and whose last use is that much older than the time is idle for
// certain. Bots are never idle: nobody could log them in again.
type idler struct {
	after time.Duration // 0: never
	now   Clock
	store Store
	log   *slog.Logger

	acts sync.Map // session id → *atomic.Int64, Unix ms: of all used since the start that live

	// Of the loop:
	next  int64     // where in the table the next step begins
	rests time.Time // until when it is not read
}

// see notes that a session is used. The first time its last act is not known: it was not after the
// last use that the database has and touchEvery, nor after now.
func (d *idler) see(a Actor) {
	if d.after == 0 || a.User.Role == models.RoleBot {
		return
	}
	if _, ok := d.acts.Load(a.Session.ID); ok {
		return
	}
	at := new(atomic.Int64)
	at.Store(min(d.now().UnixMilli(), a.Session.LastUsedAt.Add(touchEvery).UnixMilli()))
	d.acts.LoadOrStore(a.Session.ID, at)
}

// act notes that a session acts now.
func (d *idler) act(a Actor) {
	if d.after == 0 || a.User.Role == models.RoleBot {
		return
	}
	d.see(a)
	if at, ok := d.acts.Load(a.Session.ID); ok {
		at.(*atomic.Int64).Store(d.now().UnixMilli())
	}
}

// forget drops a session that has ended.
func (d *idler) forget(sessionID int64) { d.acts.Delete(sessionID) }

// idle says whether the session was seen not to act for the time; known, whether it was seen at all.
func (d *idler) idle(sessionID int64, now time.Time) (idle, known bool) {
	at, ok := d.acts.Load(sessionID)
	return ok && now.Sub(time.UnixMilli(at.(*atomic.Int64).Load())) >= d.after, ok
}

func (d *idler) loop(stop <-chan struct{}) {
	ticker := time.NewTicker(idleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), idleTimeout)
		if err := guarded(func() error { return d.look(ctx) }); err != nil {
			d.log.Warn("end idle sessions; trying again", "error", err)
		}
		cancel()
	}
}

// look ends who is idle among those in memory, and among the next few of the table.
func (d *idler) look(ctx context.Context) error {
	var ids []int64
	now := d.now()
	d.acts.Range(func(id, _ any) bool {
		if idle, _ := d.idle(id.(int64), now); idle {
			ids = append(ids, id.(int64))
		}
		return len(ids) < idleStep
	})
	older, err := d.step(ctx, now)
	if err != nil {
		return err
	}
	for _, id := range append(ids, older...) {
		if err := d.end(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// step reads the next rows of the table and gives those that are idle by the database's word.
func (d *idler) step(ctx context.Context, now time.Time) (ids []int64, err error) {
	if now.Before(d.rests) {
		return nil, nil
	}
	var rows []models.Session
	bots := map[int64]bool{}
	err = d.store.View(ctx, func(r Reader) (err error) {
		if rows, err = r.SessionsAfter(d.next, idleStep); err != nil {
			return fmt.Errorf("read sessions: %w", err)
		}
		var owners []int64
		for _, s := range rows {
			if d.longUnused(s, now) {
				owners = append(owners, s.UserID)
			}
		}
		users, err := r.Users(owners)
		for _, u := range users {
			bots[u.ID] = u.Role == models.RoleBot
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, s := range rows {
		if d.longUnused(s, now) && !bots[s.UserID] {
			ids = append(ids, s.ID)
		}
		d.next = s.ID
	}
	if len(rows) < idleStep {
		d.next, d.rests = 0, now.Add(min(idleRest, d.after/4))
	}
	return ids, nil
}

// longUnused says that the session is idle whatever happened since its last use was written down. One that
// this process has seen goes by what it has seen.
func (d *idler) longUnused(s models.Session, now time.Time) bool {
	_, known := d.acts.Load(s.ID)
	return !known && now.Sub(s.LastUsedAt.Time) >= d.after+touchEvery+touchLag
}

// end ends one idle session. What decides is looked at inside the command: an act that came before it has
// saved the session.
func (d *idler) end(ctx context.Context, sessionID int64) error {
	err := d.store.Do(ctx, func(tx Tx) error {
		session, err := tx.Session(sessionID)
		if errors.Is(err, ErrNotFound) {
			d.forget(sessionID)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		idle, known := d.idle(sessionID, tx.Now().Time)
		if !idle && (known || !d.longUnused(session, tx.Now().Time)) {
			return nil
		}
		return endSession(tx, session, ending{reason: "idle"})
	})
	if err != nil {
		return fmt.Errorf("end session %d: %w", sessionID, err)
	}
	return nil
}
