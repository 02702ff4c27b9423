package chat

import (
	"context"
	"fmt"
	"time"

	"parley/models"
)

const (
	// tellEvery is how often the tracker looks at the clock and has told what is new. What came and went
	// within it is told to nobody.
	tellEvery = 125 * time.Millisecond
	// awayLooks is how many of these looks come before one at everybody online, for who is away.
	awayLooks = 4
	// tellChunk bounds a look-up of names.
	tellChunk = 256
	// tellTimeout bounds what a broken database can take of the announcer's time.
	tellTimeout = 10 * time.Second
)

// Start begins to announce. tell and store are used from then on; left hears, from one goroutine, by
// which session somebody was here who has gone, and when that ended.
func (t *Tracker) Start(tell Announcer, store Store, left func(sessionID int64, at time.Time)) {
	t.tell, t.store, t.left = tell, store, left
	t.running.Go(t.loop)
}

// Close ends the announcing and waits for it. Counting goes on.
func (t *Tracker) Close() {
	t.stopped.Do(func() { close(t.stop) })
	t.running.Wait()
}

func (t *Tracker) loop() {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for look := 0; ; look++ {
		select {
		case <-ticker.C:
		case <-t.stop:
			return
		}
		t.look(look%awayLooks == 0)
		if err := guarded(t.announce); err != nil {
			t.log.Warn("announce who is online; trying again", "error", err)
		}
	}
}

// look finds who has gone since the last one, and, of everyone, who is away.
func (t *Tracker) look(everyone bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, p := range t.leaving {
		if p.gone(now) {
			t.news[id] = struct{}{}
		}
	}
	if !everyone || t.awayAfter == 0 {
		return
	}
	for id, p := range t.people {
		if !p.act.away.Load() && t.status(p, now) == models.Away {
			p.act.away.Store(true)
			if t.status(p, now) != models.Away { // an act came between, and did not see the flag
				p.act.away.Store(false)
				continue
			}
			t.news[id] = struct{}{}
		}
	}
}

// announce has told what is new. What cannot be told stays new.
func (t *Tracker) announce() error {
	changes, unheard, inLobby := t.takeNews()
	for _, p := range unheard {
		t.left(p.session, p.here)
	}
	defer func() { t.putBack(changes) }() // also after a panic
	for len(changes) > 0 {
		chunk := changes[:min(len(changes), tellChunk)]
		if err := t.tellOf(chunk, inLobby); err != nil {
			return err
		}
		t.told(chunk)
		changes = changes[len(chunk):]
	}
	return nil
}

// takeNews gives who is something else than was told last, who came and went without anybody being told,
// and whether the lobby is to hear of it.
func (t *Tracker) takeNews() (changes []Online, unheard []*person, inLobby bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	count := len(t.people)
	for _, p := range t.leaving {
		if p.gone(now) {
			count--
		}
	}
	var ids []int64
	for id := range t.news {
		p := t.people[id]
		if p == nil {
			continue
		}
		switch o := t.online(p, now); {
		case o.Status != p.announced:
			changes = append(changes, o)
		case o.Status == models.Offline:
			unheard, ids = append(unheard, p), append(ids, id)
			t.drop(p)
		}
	}
	clear(t.news)
	if len(ids) > 0 {
		t.tell.Forget(ids)
	}
	return changes, unheard, count < t.limit
}

func (t *Tracker) putBack(changes []Online) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range changes {
		t.news[o.UserID] = struct{}{}
	}
}

// tellOf announces a few. Names are read as they are now, of those only whom anybody hears.
func (t *Tracker) tellOf(chunk []Online, inLobby bool) error {
	ids := make([]int64, len(chunk))
	for i, o := range chunk {
		ids[i] = o.UserID
	}
	heard := t.tell.Heard(ids, inLobby)
	if len(heard) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	names := make(map[int64]models.User, len(heard))
	err := t.store.View(ctx, func(r Reader) error {
		users, err := r.Users(heard)
		for _, u := range users {
			names[u.ID] = u
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read who is online: %w", err)
	}
	t.addLeavers(names, heard)
	users := make([]models.PresenceUser, 0, len(heard))
	for _, o := range chunk {
		if u, ok := names[o.UserID]; ok {
			users = append(users, presenceOf(u, o))
		}
	}
	return t.tell.Announce(users, inLobby)
}

// addLeavers adds those who took their leave and whose account is no more.
func (t *Tracker) addLeavers(names map[int64]models.User, heard []int64) {
	if len(names) == len(heard) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range heard {
		if _, known := names[id]; known {
			continue
		}
		if p := t.people[id]; p != nil && p.name.ID != 0 {
			names[id] = p.name
		}
	}
}

func presenceOf(u models.User, o Online) models.PresenceUser {
	p := models.PresenceUser{ID: u.ID, Name: u.Name, Role: u.Role, Status: o.Status}
	if o.Status != models.Offline {
		p.OnlineSince, p.LastActiveAt = models.At(o.Since), models.At(o.LastActive)
	}
	return p
}

// told notes what was announced, and forgets who has gone and is not back. What has changed
// meanwhile is new again.
func (t *Tracker) told(chunk []Online) {
	now := t.now()
	gone := t.settle(chunk, now)
	for _, p := range gone {
		t.left(p.session, p.here)
	}
}

func (t *Tracker) settle(chunk []Online, now time.Time) (gone []*person) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []int64
	for _, o := range chunk {
		p := t.people[o.UserID]
		p.announced = o.Status
		if o.Status == models.Offline && p.gone(now) {
			gone, ids = append(gone, p), append(ids, p.id)
			t.drop(p)
			continue
		}
		if t.status(p, now) != o.Status {
			t.news[p.id] = struct{}{}
		}
	}
	if len(ids) > 0 {
		// Under the lock: an arrival comes before this, and they are not gone, or after it.
		t.tell.Forget(ids)
	}
	return gone
}

// drop forgets the person. It needs mu.
func (t *Tracker) drop(p *person) {
	delete(t.people, p.id)
	delete(t.leaving, p.id)
	t.acts.Delete(p.id)
}
