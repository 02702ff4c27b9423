package chat

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

const (
	// streamGrace is how long after their last stream somebody is still online.
	streamGrace = 3 * time.Second
	// pollGrace is the same after a long-poll: the next one comes when the client has looked at the answer.
	pollGrace = 30 * time.Second
	// startGrace is how long after the server's start nobody is declared gone.
	startGrace = 30 * time.Second
)

// DefaultAwayAfter and DefaultPresenceLimit are the program's.
const (
	DefaultAwayAfter     = 5 * time.Minute
	DefaultPresenceLimit = 1000
)

// Announcer tells people of each other's presence.
type Announcer interface {
	// Heard gives those of the users of whom somebody would be told. inLobby is as with Announce.
	Heard(userIDs []int64, inLobby bool) []int64
	// Announce tells those who share a room with the users; those of only the lobby if inLobby is set.
	Announce(users []models.PresenceUser, inLobby bool) error
	// Forget says that no more will be told of these users' going. It takes no lock of the caller's.
	Forget(userIDs []int64)
}

// TrackerOptions are what a Tracker is made of.
type TrackerOptions struct {
	Clock     Clock         // nil: time.Now
	Log       *slog.Logger  // nil: discarded
	AwayAfter time.Duration // 0: never
	Limit     int           // members of only the lobby are announced while fewer are online
}

// Tracker knows who is online in this process and has it announced. It is in memory: a restarted
// server learns anew who is there. It is safe for concurrent use.
//
// Somebody is online from their first stream or long-poll until streamGrace after their last stream
// has ended, pollGrace after their last long-poll and startGrace after the start, whichever is last.
// Who comes online is `online`, whatever they did before; a second device changes nothing. Away is who
// has not acted for AwayAfter since; the next act ends that.
type Tracker struct {
	now       Clock
	log       *slog.Logger
	awayAfter time.Duration
	limit     int
	started   time.Time
	tell      Announcer
	store     Store
	left      func(sessionID int64, at time.Time) // hears who has gone
	desk      attendant                           // hears at once who comes and goes

	mu      sync.Mutex // over all below, and over the fields of a person; only Announcer.Forget is called under it
	people  map[int64]*person
	leaving map[int64]*person // those who have neither stream nor poll
	news    map[int64]struct{}

	acts sync.Map // user id → *act, of those in people: to act takes no lock

	stop    chan struct{}
	stopped sync.Once
	running sync.WaitGroup
}

// attendant hears of each stream and long-poll that comes, and when somebody's last one went. It waits for nothing.
type attendant interface {
	came(userID int64)
	went(userID int64)
}

// attend has a hear of who comes and goes. It is called before anybody comes.
func (t *Tracker) attend(a attendant) { t.desk = a }

// person is somebody online, or somebody whose going was not announced yet.
type person struct {
	id        int64
	streams   int
	polls     int
	session   int64     // the last one that came or went
	here      time.Time // when the last stream or poll ended
	until     time.Time // without any: when they count as gone
	polled    time.Time // until when the last poll counts
	since     time.Time
	act       *act
	announced models.Status // what others were told last
	name      models.User   // of one who took their leave: the account may be no more when it is announced
}

// act is when somebody acted last, in Unix ms.
type act struct {
	at   atomic.Int64
	away atomic.Bool // was found away: the next act is news
}

// NewTracker makes a Tracker. It counts from now on and announces from Start on.
func NewTracker(o TrackerOptions) *Tracker {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tracker{
		now: o.Clock, log: o.Log, awayAfter: o.AwayAfter, limit: o.Limit, started: o.Clock(),
		left:   func(int64, time.Time) {},
		people: map[int64]*person{}, leaving: map[int64]*person{}, news: map[int64]struct{}{},
		stop: make(chan struct{}),
	}
}

// Arrive counts a stream or a long-poll of the user.
func (t *Tracker) Arrive(userID, sessionID int64, poll bool) {
	t.arrive(userID, sessionID, poll)
	if t.desk != nil {
		t.desk.came(userID)
	}
}

func (t *Tracker) arrive(userID, sessionID int64, poll bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[userID]
	if p == nil {
		p = &person{id: userID, since: now, act: new(act), announced: models.Offline}
		t.people[userID] = p
		t.acts.Store(userID, p.act)
	} else if p.gone(now) { // and nobody was told yet
		p.since = now
		p.act.away.Store(false)
	}
	p.session = sessionID
	if poll {
		p.polls++
	} else {
		p.streams++
	}
	delete(t.leaving, userID)
	t.news[userID] = struct{}{}
}

// Depart counts a stream or a long-poll less.
func (t *Tracker) Depart(userID, sessionID int64, poll bool) {
	if t.depart(userID, sessionID, poll) && t.desk != nil {
		t.desk.went(userID)
	}
}

func (t *Tracker) depart(userID, sessionID int64, poll bool) (last bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[userID]
	p.session, p.here = sessionID, now
	if poll {
		p.polls--
		p.polled = now.Add(pollGrace)
	} else {
		p.streams--
	}
	if p.streams+p.polls > 0 {
		return false
	}
	p.until = t.started.Add(startGrace)
	if !poll {
		p.until = latest(p.until, now.Add(streamGrace))
	}
	p.until = latest(p.until, p.polled)
	t.leaving[userID] = p
	return true
}

// Leave says that the user will not come back by the stream that they were here by: without another one, or a poll that counts
// still, they have gone at once.
func (t *Tracker) Leave(u models.User) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[u.ID]
	if p == nil {
		return
	}
	p.name = u
	if p.streams+p.polls == 0 {
		p.until = latest(now, p.polled)
		t.news[u.ID] = struct{}{}
	}
}

// connected says whether the user has an open stream or long-poll, without any grace.
func (t *Tracker) connected(userID int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[userID]
	return p != nil && p.streams+p.polls > 0
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Act notes that the user did something. It takes no lock but where that ends their being away.
func (t *Tracker) Act(userID int64) {
	v, ok := t.acts.Load(userID)
	if !ok {
		return
	}
	a := v.(*act)
	a.at.Store(t.now().UnixMilli())
	if a.away.Swap(false) {
		t.mu.Lock()
		t.news[userID] = struct{}{}
		t.mu.Unlock()
	}
}

// gone says whether the person counts as offline.
func (p *person) gone(now time.Time) bool {
	return p.streams+p.polls == 0 && !now.Before(p.until)
}

// lastAct is when the person acted last; to come online counts.
func (p *person) lastAct() time.Time {
	return latest(p.since, time.UnixMilli(p.act.at.Load()))
}

// status works out what the person is now.
func (t *Tracker) status(p *person, now time.Time) models.Status {
	switch {
	case p.gone(now):
		return models.Offline
	case t.awayAfter > 0 && now.Sub(p.lastAct()) >= t.awayAfter:
		return models.Away
	}
	return models.Online
}

// Online is somebody who is online: since when, and when they acted last.
type Online struct {
	UserID     int64
	Status     models.Status
	Since      time.Time
	LastActive time.Time
}

func (t *Tracker) online(p *person, now time.Time) Online {
	return Online{UserID: p.id, Status: t.status(p, now), Since: p.since, LastActive: p.lastAct()}
}

// Online gives everyone who is online, by user id.
func (t *Tracker) Online() []Online {
	now := t.now()
	t.mu.Lock()
	list := make([]Online, 0, len(t.people))
	for _, p := range t.people {
		if !p.gone(now) {
			list = append(list, t.online(p, now))
		}
	}
	t.mu.Unlock()
	slices.SortFunc(list, func(a, b Online) int { return cmp.Compare(a.UserID, b.UserID) })
	return list
}

// Of gives the user's presence. Somebody offline has only a status, and LastActive is when they were here
// last where that is known.
func (t *Tracker) Of(userID int64) Online {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[userID]
	switch {
	case p == nil:
		return Online{UserID: userID, Status: models.Offline}
	case p.gone(now):
		return Online{UserID: userID, Status: models.Offline, LastActive: p.here}
	}
	return t.online(p, now)
}
