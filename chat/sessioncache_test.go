package chat

import (
	"testing"
	"time"

	"parley/models"
)

func actorNumber(user int64) Actor {
	return Actor{User: models.User{ID: user}, Session: models.Session{ID: user * 10, UserID: user}}
}

func TestSessionCacheForgetsAllOfAUser(t *testing.T) {
	t.Parallel()
	c := newSessionCache(10)
	for _, hash := range []string{"a", "b"} {
		_, generation := c.get([]byte(hash))
		c.put([]byte(hash), actorNumber(1), generation)
	}
	_, generation := c.get([]byte("other"))
	c.put([]byte("other"), actorNumber(2), generation)
	c.forget(1)
	for hash, want := range map[string]bool{"a": false, "b": false, "other": true} {
		if entry, _ := c.get([]byte(hash)); (entry != nil) != want {
			t.Errorf("entry %s: kept %v, want %v", hash, entry != nil, want)
		}
	}
}

// What was read from the database before a session ended must not be kept after it: the end
// would never be noticed.
func TestSessionCacheRefusesWhatWasReadBeforeAnEnd(t *testing.T) {
	t.Parallel()
	c := newSessionCache(10)
	_, generation := c.get([]byte("a")) // a request reads the session …
	c.forget(1)                         // … which ends meanwhile …
	c.put([]byte("a"), actorNumber(1), generation)
	if entry, _ := c.get([]byte("a")); entry != nil {
		t.Error("an ended session was put into the cache")
	}
}

// A session that has ended is not alive from the moment in which its end is observed, which is before that is published;
// and one that is not in the cache is asked for.
func TestAliveUntilTheEndIsObserved(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ctx := t.Context()
	ann := m.add(t, s, "ann", models.RoleMember, "")
	for name, cached := range map[string]bool{"cached": true, "not cached": false} {
		login, err := do(ctx, s, func(tx Tx) (Login, error) { return s.openSession(tx, ann.User, Device{}) })
		if err != nil {
			t.Fatal(err)
		}
		a := login.Actor
		if cached {
			if a, _, err = s.Authenticate(ctx, login.Token); err != nil {
				t.Fatal(err)
			}
		}
		asked := m.asked
		if err := s.Alive(ctx, a); err != nil || (m.asked != asked) == cached {
			t.Errorf("%s: %v; the database was asked: %v", name, err, m.asked != asked)
		}
		other := a
		other.Session.ID += 1000
		if s.Alive(ctx, other) == nil {
			t.Errorf("%s: another session by the same token is alive", name)
		}
		if err := m.DeleteSession(a.Session.ID); err != nil {
			t.Fatal(err)
		}
		s.Observe([]models.Event{{Change: models.Change{Kind: models.SessionGone, UserID: ann.User.ID, SessionID: a.Session.ID}}})
		if s.Alive(ctx, a) == nil {
			t.Errorf("%s: it lives on", name)
		}
	}
}

func TestSessionCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newSessionCache(3)
	for i := range int64(20) {
		_, generation := c.get([]byte{byte(i)})
		c.put([]byte{byte(i)}, actorNumber(i), generation)
	}
	if len(c.byHash) != 3 || len(c.byUser) != 3 {
		t.Errorf("%d sessions of %d users are kept, want 3", len(c.byHash), len(c.byUser))
	}
}

func TestLastUseIsWrittenDownEveryFiveMinutes(t *testing.T) {
	t.Parallel()
	c := newSessionCache(3)
	began := time.UnixMilli(1_000_000)
	a := actorNumber(1)
	a.Session.LastUsedAt = models.At(began)
	entry := c.put([]byte("a"), a, 0)
	steps := []struct {
		after time.Duration
		save  bool
	}{{time.Minute, false}, {6 * time.Minute, true}, {7 * time.Minute, false}, {12 * time.Minute, true}}
	for _, s := range steps {
		if got := entry.authenticatedAt(began.Add(s.after)); got != s.save {
			t.Errorf("after %v: save %v, want %v", s.after, got, s.save)
		}
	}
	if got := c.lastUse(1); !got.Equal(began.Add(12 * time.Minute)) {
		t.Errorf("last use %v", got)
	}
}
