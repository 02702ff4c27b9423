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
