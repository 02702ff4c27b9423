package broker_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/models"
)

// memLog is a log in memory, read the slow and plain way.
type memLog struct {
	t testing.TB

	mu     sync.Mutex
	events []models.Event // entry i has id i+1
	oldest int64
	holes  []models.Hole                  // their ids have internal events here that nobody publishes
	spells map[int64][]*models.Membership // by user
	roles  map[int64][]roleSince

	// standing and page, where set, run before (first true) and after each snapshot.
	onStanding func(before bool)
	onPage     func()
	err        error // what the next reads answer
	pages      atomic.Int64
}

type roleSince struct {
	from int64
	role models.Role
}

func newMemLog(t testing.TB) *memLog {
	return &memLog{
		t: t, oldest: 1,
		spells: make(map[int64][]*models.Membership),
		roles:  make(map[int64][]roleSince),
	}
}

// append gives the events ids and JSON and applies their changes.
func (l *memLog) append(events ...models.Event) []models.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		e := &events[i]
		e.ID = int64(len(l.events)) + 1
		e.At = models.At(time.Now())
		if e.JSON == nil {
			if err := e.Encode(map[string]int64{"n": e.ID}); err != nil {
				l.t.Fatal(err)
			}
		}
		l.events = append(l.events, *e)
		l.apply(e)
	}
	return events
}

func (l *memLog) apply(e *models.Event) {
	c := e.Change
	switch c.Kind {
	case models.MemberIn:
		l.spells[c.UserID] = append(l.spells[c.UserID], &models.Membership{RoomID: c.RoomID, From: e.ID})
	case models.MemberOut:
		l.endSpells(c.UserID, c.RoomID, e.ID, c.Reason == "removed")
	case models.RoomGone:
		for user := range l.spells {
			l.endSpells(user, c.RoomID, e.ID, true)
		}
	case models.UserAltered:
		l.roles[c.UserID] = append(l.roles[c.UserID], roleSince{e.ID, models.Role(c.Reason)})
	}
}

func (l *memLog) endSpells(user, room, to int64, revoked bool) {
	for _, m := range l.spells[user] {
		if m.RoomID == room && m.To == 0 {
			m.To, m.Revoked = to, revoked
		}
	}
}

// setRole gives a user a role from the beginning.
func (l *memLog) setRole(user int64, role models.Role) {
	l.roles[user] = []roleSince{{0, role}}
}

func (l *memLog) roleAt(user, id int64) models.Role {
	role := models.RoleMember
	for _, r := range l.roles[user] {
		if r.from < id {
			role = r.role
		}
	}
	return role
}

func (l *memLog) head() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.events))
}

// skip leaves a hole of n ids.
func (l *memLog) skip(n int64) {
	after := l.head()
	for range n {
		l.append(internal())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holes = append(l.holes, models.Hole{After: after, Before: after + n + 1})
}

// prune forgets what is below oldest.
func (l *memLog) prune(oldest int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.oldest = oldest
}

func (l *memLog) Standing(ctx context.Context, user int64) (models.Standing, error) {
	if l.onStanding != nil {
		l.onStanding(true)
		defer l.onStanding(false)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return models.Standing{}, l.err
	}
	return l.standing(user), ctx.Err()
}

func (l *memLog) standing(user int64) models.Standing {
	head := int64(len(l.events))
	role := l.roleAt(user, head+1)
	st := models.Standing{
		UserID: user, Head: head, Oldest: l.oldest, Holes: l.holes,
		Everyone: role != models.RoleVisitor,
		Agent:    role == models.RoleAgent || role == models.RoleAdmin,
	}
	for _, r := range l.roles[user] {
		st.Since = max(st.Since, r.from)
	}
	for _, m := range l.spells[user] {
		if m.To == 0 {
			st.Rooms = append(st.Rooms, m.RoomID)
		}
		st.Since = max(st.Since, m.From, m.To)
	}
	return st
}

func (l *memLog) Page(ctx context.Context, user, after int64, limit int) (models.LogPage, error) {
	if l.onPage != nil {
		l.onPage()
	}
	l.pages.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return models.LogPage{}, l.err
	}
	page := models.LogPage{Standing: l.standing(user)}
	page.To = page.Head
	for id := max(after+1, l.oldest); id <= page.Head; id++ {
		e := l.events[id-1]
		if !l.entitled(user, &e) {
			continue
		}
		e.Change = models.Change{} // the log need not give it back
		page.Events = append(page.Events, e)
		if len(page.Events) == limit {
			page.To = id
			break
		}
	}
	return page, ctx.Err()
}

func (l *memLog) Tail(ctx context.Context, through int64, limit int) ([]models.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var tail []models.Event
	for id := min(through, int64(len(l.events))); id >= l.oldest && len(tail) < limit; id-- {
		e := l.events[id-1]
		e.Change = models.Change{} // the log does not have it
		tail = append(tail, e)
	}
	return tail, errors.Join(l.err, ctx.Err())
}

func (l *memLog) entitled(user int64, e *models.Event) bool {
	switch e.Audience.Kind {
	case models.ToEveryone:
		return l.roleAt(user, e.ID) != models.RoleVisitor
	case models.ToAgents:
		role := l.roleAt(user, e.ID)
		return role == models.RoleAgent || role == models.RoleAdmin
	case models.ToUser:
		return e.Audience.ID == user
	case models.ToRoom:
		for _, m := range l.spells[user] {
			if m.RoomID != e.Audience.ID || e.ID < m.From || (m.To != 0 && e.ID > m.To) {
				continue
			}
			if !m.Revoked || e.ID == m.To {
				return true
			}
		}
	}
	return false
}

// What can happen, in short.

func message(room int64) models.Event {
	return models.Event{Type: models.MessageCreated, RoomID: room, Audience: models.InRoom(room)}
}

func joined(room, user int64) models.Event {
	e := message(room)
	e.Type = models.MemberJoined
	e.Change = models.Change{Kind: models.MemberIn, UserID: user, RoomID: room}
	return e
}

func left(room, user int64) models.Event {
	e := message(room)
	e.Type = models.MemberLeft
	e.Change = models.Change{Kind: models.MemberOut, UserID: user, RoomID: room}
	return e
}

func removed(room, user int64) models.Event {
	e := left(room, user)
	e.Change.Reason = "removed"
	return e
}

func roomDeleted(room int64) models.Event {
	e := message(room)
	e.Type = models.RoomDeleted
	e.Change = models.Change{Kind: models.RoomGone, RoomID: room}
	return e
}

func direct(room, user int64) models.Event {
	return models.Event{
		Type: models.RoomCreated, RoomID: room, Audience: models.ForUser(user),
		Change: models.Change{Kind: models.MemberIn, UserID: user, RoomID: room},
	}
}

func toUser(user int64) models.Event {
	return models.Event{Type: models.UserUpdated, Audience: models.ForUser(user)}
}

func toEveryone() models.Event {
	return models.Event{Type: models.UserRenamed, Audience: models.Everyone()}
}

func toAgents() models.Event {
	return models.Event{Type: models.SupportUpdated, Audience: models.Audience{Kind: models.ToAgents}}
}

func roleChanged(user int64, role models.Role) models.Event {
	e := toEveryone()
	e.Type = models.UserUpdated
	e.Change = models.Change{Kind: models.UserAltered, UserID: user, Reason: string(role)}
	return e
}

func internal() models.Event {
	return models.Event{Type: models.UserRegistered}
}

func sessionGone(session int64, reason string) models.Event {
	return models.Event{
		Type:   models.SessionFinished,
		Change: models.Change{Kind: models.SessionGone, SessionID: session, Reason: reason},
	}
}
