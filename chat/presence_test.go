package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/models"
)

// hall is a tracker, and what it announces.
type hall struct {
	Store // of which only View is used

	t       *testing.T
	tracker *Tracker

	mu     sync.Mutex
	said   []string
	lobby  []bool
	forgot []int64
	gone   []string
	deaf   bool  // nobody hears anything
	err    error // of the database
}

func newHall(t *testing.T, away time.Duration, limit int) *hall {
	h := &hall{t: t, tracker: NewTracker(TrackerOptions{AwayAfter: away, Limit: limit})}
	h.tracker.Start(h, h, func(session int64, at time.Time) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.gone = append(h.gone, fmt.Sprintf("%d@%v", session, at.Sub(h.tracker.started)))
	})
	t.Cleanup(h.tracker.Close)
	return h
}

func (h *hall) Heard(ids []int64, _ bool) []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deaf {
		return nil
	}
	return slices.Clone(ids)
}

func (h *hall) Announce(users []models.PresenceUser, inLobby bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range users {
		h.said = append(h.said, fmt.Sprintf("%s %s", u.Name, u.Status))
		if (u.Status == models.Offline) != u.OnlineSince.IsZero() || u.OnlineSince.IsZero() != u.LastActiveAt.IsZero() {
			h.t.Errorf("announced %+v", u)
		}
	}
	h.lobby = append(h.lobby, inLobby)
	return nil
}

func (h *hall) Forget(ids []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgot = append(h.forgot, ids...)
}

// breaks sets what is broken from now on.
func (h *hall) breaks(deaf bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf, h.err = deaf, err
}

func (h *hall) View(_ context.Context, read func(Reader) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	return read(book{})
}

// book has every user below 1000.
type book struct{ Reader }

func (book) Users(ids []int64) (users []models.User, err error) {
	for _, id := range ids {
		if id >= 1000 {
			continue
		}
		users = append(users, models.User{ID: id, Name: fmt.Sprintf("u%d", id)})
	}
	return users, nil
}

// after lets time pass and holds what was said meanwhile against want.
func (h *hall) after(d time.Duration, want ...string) {
	h.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.said)
	if got := strings.Join(h.said, ", "); got != strings.Join(want, ", ") {
		h.t.Errorf("after %v: said %q, want %q", time.Since(h.tracker.started), got, want)
	}
	h.said = nil
}

func (h *hall) is(user int64, want models.Status) {
	h.t.Helper()
	if got := h.tracker.Of(user).Status; got != want {
		h.t.Errorf("after %v: %d is %s, want %s", time.Since(h.tracker.started), user, got, want)
	}
	in := slices.ContainsFunc(h.tracker.Online(), func(o Online) bool { return o.UserID == user && o.Status == want })
	if in != (want != models.Offline) {
		h.t.Errorf("who has %v", h.tracker.Online())
	}
}

func TestTracker(t *testing.T) {
	t.Parallel()
	const stream, poll = false, true
	for name, story := range map[string]func(h *hall){
		"offline is told 3 s after the last stream": func(h *hall) {
			h.tracker.Arrive(2, 20, stream)
			h.tracker.Arrive(2, 21, stream)
			h.after(time.Second, "u2 online")
			h.tracker.Depart(2, 20, stream)
			h.after(10 * time.Second)
			h.tracker.Depart(2, 21, stream)
			h.after(2800 * time.Millisecond)
			h.is(2, models.Online)
			h.after(time.Second, "u2 offline")
			h.is(2, models.Offline)
			if !slices.Equal(h.forgot, []int64{2}) || !slices.Equal(h.gone, []string{"21@1m11s"}) {
				h.t.Errorf("forgot %v, gone %v", h.forgot, h.gone)
			}
		},
		"a return within the grace is silent": func(h *hall) {
			h.tracker.Arrive(2, 20, stream)
			h.after(time.Second, "u2 online")
			since := h.tracker.Of(2).Since
			h.tracker.Depart(2, 20, stream)
			h.after(2900 * time.Millisecond)
			h.tracker.Arrive(2, 20, stream)
			h.after(time.Minute)
			if now := h.tracker.Of(2); now.Since != since || len(h.forgot) > 0 {
				h.t.Errorf("online since %v and forgot %v", now.Since, h.forgot)
			}
		},
		"a visit shorter than a look is told to nobody": func(h *hall) {
			h.breaks(false, errors.New("disk gone"))
			h.tracker.Arrive(2, 20, stream)
			h.tracker.Depart(2, 20, stream)
			h.after(4 * time.Second)
			h.breaks(false, nil)
			h.after(time.Second)
			if !slices.Equal(h.forgot, []int64{2}) || len(h.gone) != 1 {
				h.t.Errorf("forgot %v, gone %v", h.forgot, h.gone)
			}
		},
		"a poll counts for 30 s after its end": func(h *hall) {
			h.tracker.Arrive(2, 20, poll)
			h.after(time.Minute, "u2 online")
			h.tracker.Depart(2, 20, poll)
			h.after(29 * time.Second)
			h.tracker.Arrive(2, 20, poll)
			h.tracker.Depart(2, 20, poll)
			h.after(29500 * time.Millisecond)
			h.is(2, models.Online)
			h.after(time.Second, "u2 offline")
			h.is(2, models.Offline)
		},
		"a stream's end does not shorten a poll": func(h *hall) {
			h.tracker.Arrive(2, 20, poll)
			h.tracker.Depart(2, 20, poll)
			h.tracker.Arrive(2, 20, stream)
			h.after(10*time.Second, "u2 online")
			h.tracker.Depart(2, 20, stream)
			h.after(19 * time.Second)
			h.is(2, models.Online)
			h.after(2*time.Second, "u2 offline")
		},
		"away without acting, and back by an act": func(h *hall) {
			h.tracker.Act(2) // before they came: it is no presence
			h.tracker.Arrive(2, 20, stream)
			h.after(4*time.Minute, "u2 online")
			h.tracker.Act(2)
			acted := time.Now()
			h.after(299 * time.Second)
			h.is(2, models.Online)
			h.after(2*time.Second, "u2 away")
			h.is(2, models.Away)
			if at := h.tracker.Of(2).LastActive; acted.Sub(at).Abs() > time.Millisecond {
				h.t.Errorf("active at %v, want %v", at, acted)
			}
			h.tracker.Arrive(2, 21, stream) // a second device is no act
			h.after(time.Minute)
			h.is(2, models.Away)
			h.tracker.Act(2)
			h.after(time.Second, "u2 online")
			h.after(5*time.Minute, "u2 away")
			h.tracker.Depart(2, 20, stream)
			h.tracker.Depart(2, 21, stream)
			h.after(4*time.Second, "u2 offline")
			h.tracker.Arrive(2, 20, stream) // who comes is online
			h.after(time.Second, "u2 online")
		},
		"what cannot be told is told later": func(h *hall) {
			h.breaks(false, errors.New("disk gone"))
			h.tracker.Arrive(2, 20, stream)
			h.after(time.Second)
			h.is(2, models.Online)
			h.breaks(false, nil)
			h.after(time.Second, "u2 online")
		},
		"whom nobody hears is not read": func(h *hall) {
			h.breaks(true, errors.New("disk gone"))
			h.tracker.Arrive(2, 20, stream)
			h.after(time.Second)
			h.breaks(false, nil)
			h.tracker.Depart(2, 20, stream)
			h.after(4*time.Second, "u2 offline")
		},
		"the lobby hears while fewer than the limit are online": func(h *hall) {
			for id := range int64(3) {
				h.tracker.Arrive(2+id, 20+id, stream)
				time.Sleep(time.Second)
			}
			h.tracker.Depart(3, 21, stream)
			h.after(4*time.Second, "u2 online", "u3 offline", "u3 online", "u4 online")
			if want := []bool{true, true, false, true}; !slices.Equal(h.lobby, want) {
				h.t.Errorf("in the lobby %v, want %v", h.lobby, want)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t, 5*time.Minute, 3)
				time.Sleep(time.Minute) // past the start
				story(h)
			})
		})
	}
}

func TestNobodyIsDeclaredGoneAfterTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, 0, 10)
		h.tracker.Arrive(2, 20, false)
		h.tracker.Arrive(3, 30, true)
		h.after(time.Second, "u2 online", "u3 online")
		h.tracker.Depart(2, 20, false)
		h.after(28500 * time.Millisecond)
		h.is(2, models.Online)
		h.after(time.Second, "u2 offline")
		h.after(24 * time.Hour) // and without --away-after, nobody is away
		h.is(3, models.Online)
	})
}

// Who takes their leave has gone at once, and is named though the account be no more.
func TestTrackerHearsALeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, 0, 10)
		h.tracker.Arrive(2, 20, false)
		h.tracker.Arrive(3, 30, false)
		h.tracker.Arrive(3, 31, false)
		h.tracker.Arrive(1000, 40, false)
		h.tracker.Arrive(4, 50, true)
		h.tracker.Depart(4, 50, true)
		h.tracker.Arrive(4, 51, false)
		h.after(time.Second, "u2 online", "u3 online", "u4 online") // nobody knows the third
		for user, session := range map[int64]int64{2: 20, 3: 30, 1000: 40, 4: 51} {
			h.tracker.Depart(user, session, false)
			h.tracker.Leave(models.User{ID: user, Name: fmt.Sprint("leaver", user)})
		}
		h.tracker.Leave(models.User{ID: 7}) // was not here
		h.is(2, models.Offline)
		h.is(3, models.Online)
		h.is(1000, models.Offline)
		h.is(4, models.Online) // by their last poll
		h.after(time.Second, "leaver1000 offline", "u2 offline")
		h.after(27 * time.Second)
		h.after(2*time.Second, "u4 offline")
		h.tracker.Depart(3, 31, false)
		h.after(4*time.Second, "u3 offline")
	})
}
