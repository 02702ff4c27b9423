package chat

import "testing"

func TestHashStats(t *testing.T) {
	t.Parallel()
	h := quickHasher()
	if err := h.Dummy(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	release := fillSlots(h)
	if s := h.Stats(); s.Computed != 1 || s.Running != s.Slots || s.Slots == 0 || s.Waiting != 0 {
		t.Errorf("with all slots taken: %+v", s)
	}
	release()
	if s := h.Stats(); s.Running != 0 {
		t.Errorf("with all slots free: %+v", s)
	}
}

func TestSessionCacheStats(t *testing.T) {
	t.Parallel()
	c := newSessionCache(10)
	_, generation := c.get([]byte("a"))
	c.put([]byte("a"), actorNumber(1), generation)
	c.get([]byte("a"))
	c.get([]byte("a"))
	if hits, misses, n := c.hits.Load(), c.misses.Load(), c.size(); hits != 2 || misses != 1 || n != 1 {
		t.Errorf("%d hits, %d misses, %d kept", hits, misses, n)
	}
	c.forget(1)
	if n := c.size(); n != 0 {
		t.Errorf("%d kept after all were forgotten", n)
	}
}
