package chat

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

// sessionCache keeps what a token stands for, so that a request costs no look-up. It is
// invalidated by the log: forget is called for each committed change of a session or its
// user, before anyone is told of that change.
type sessionCache struct {
	max int

	mu     sync.RWMutex
	byHash map[string]*cachedSession
	byUser map[int64]map[string]*cachedSession
	// generation counts calls of forget: an entry that was read from the database before
	// one of them may be stale and is not put in.
	generation uint64

	hits, misses atomic.Int64 // for Stats
}

// cachedSession is shared by the requests of one session.
type cachedSession struct {
	actor   Actor
	usedAt  atomic.Int64 // Unix ms of the last request
	savedAt atomic.Int64 // Unix ms of the last use that was written down
}

func newSessionCache(limit int) *sessionCache {
	return &sessionCache{
		max:    limit,
		byHash: map[string]*cachedSession{},
		byUser: map[int64]map[string]*cachedSession{},
	}
}

// get gives the session behind the hash, or the generation to hand to put.
func (c *sessionCache) get(hash []byte) (entry *cachedSession, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if entry = c.byHash[string(hash)]; entry != nil {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
	return entry, c.generation
}

// holds says whether the session is in the cache.
func (c *sessionCache) holds(s models.Session) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry := c.byHash[string(s.TokenHash)]
	return entry != nil && entry.actor.Session.ID == s.ID
}

// put keeps what was read since generation, unless something was forgotten meanwhile.
func (c *sessionCache) put(hash []byte, a Actor, generation uint64) *cachedSession {
	entry := &cachedSession{actor: a}
	entry.savedAt.Store(a.Session.LastUsedAt.UnixMilli())
	entry.usedAt.Store(a.Session.LastUsedAt.UnixMilli())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return entry
	}
	if len(c.byHash) >= c.max {
		c.evictOne()
	}
	key := string(hash)
	c.byHash[key] = entry
	if c.byUser[a.User.ID] == nil {
		c.byUser[a.User.ID] = map[string]*cachedSession{}
	}
	c.byUser[a.User.ID][key] = entry
	return entry
}

// evictOne drops any entry: which one does not matter, it is read again when needed.
func (c *sessionCache) evictOne() {
	for key, entry := range c.byHash {
		delete(c.byHash, key)
		c.dropFromUser(entry.actor.User.ID, key)
		return
	}
}

func (c *sessionCache) dropFromUser(userID int64, key string) {
	delete(c.byUser[userID], key)
	if len(c.byUser[userID]) == 0 {
		delete(c.byUser, userID)
	}
}

// forget drops all sessions of the user.
func (c *sessionCache) forget(userID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for key := range c.byUser[userID] {
		delete(c.byHash, key)
	}
	delete(c.byUser, userID)
}

// lastUse gives the user's last request, zero where none is remembered.
func (c *sessionCache) lastUse(userID int64) time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var last int64
	for _, entry := range c.byUser[userID] {
		last = max(last, entry.usedAt.Load())
	}
	if last == 0 {
		return time.Time{}
	}
	return time.UnixMilli(last)
}

// authenticatedAt marks a request and says whether its time should be written down.
func (e *cachedSession) authenticatedAt(now time.Time) (save bool) {
	ms := now.UnixMilli()
	e.usedAt.Store(ms)
	saved := e.savedAt.Load()
	return ms-saved > touchEvery.Milliseconds() && e.savedAt.CompareAndSwap(saved, ms)
}

// saved notes a use of the session that was written down and is no request: a stream's.
func (e *cachedSession) saved(now time.Time) {
	ms := now.UnixMilli()
	for old := e.savedAt.Load(); old < ms; old = e.savedAt.Load() {
		if e.savedAt.CompareAndSwap(old, ms) {
			return
		}
	}
}

// slideTo is when a session that is used now ends.
func slideTo(now time.Time) models.Time { return models.At(now.Add(SessionLife)) }
