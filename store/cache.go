package store

import (
	"slices"

	"parley/models"
)

// How many of each the writer remembers at most.
const (
	cachedUsers  = 1 << 14
	cachedNames  = 1 << 14
	cachedRooms  = 1 << 12
	cachedSpells = 1 << 16
	cachedBlocks = 1 << 14

	cachedRestrictions = 1 << 14
)

// cache is what the writer knows of the present state without asking. Only the writer's
// goroutine touches it. Every change since the last settle can be taken back: a refused
// command must not leave what it wrote, nor what it read of its own writes.
type cache struct {
	users   table[int64, models.User]
	names   table[string, int64]      // users by name key, 0: nobody is called so
	rooms   table[int64, models.Room] // Members not filled
	keys    table[string, int64]      // channels by name key
	directs table[pair, int64]        // direct rooms by their two
	spells  table[pair, models.Membership]
	ords    table[int64, int64] // a room's last place, where nobody else writes
	owns    table[pair, int64]  // a sender's in a room
	blocks  table[pair, bool]   // whether one of the two, the lower first, blocks the other

	restrictions table[restrictionKey, models.Restriction] // zero where there is none

	hits, misses int64 // of the commands' look-ups, for Stats
}

// lookUp is a command's look-up in one of the cache's tables. Commands that are only run for their
// questions do not count.
func lookUp[K comparable, V any](t *tx, in *table[K, V], k K) (V, bool) {
	v, ok := in.get(k)
	switch {
	case t.asking:
	case ok:
		t.w.cache.hits++
	default:
		t.w.cache.misses++
	}
	return v, ok
}

// pair is two ids: a room's and a user's, or those of two users.
type pair struct{ a, b int64 }

func newCache() *cache {
	return &cache{
		users:   newTable[int64, models.User](cachedUsers),
		names:   newTable[string, int64](cachedNames),
		rooms:   newTable[int64, models.Room](cachedRooms),
		keys:    newTable[string, int64](cachedRooms),
		directs: newTable[pair, int64](cachedRooms),
		spells:  newTable[pair, models.Membership](cachedSpells),
		ords:    newTable[int64, int64](cachedRooms),
		owns:    newTable[pair, int64](cachedSpells),
		blocks:  newTable[pair, bool](cachedBlocks),

		restrictions: newTable[restrictionKey, models.Restriction](cachedRestrictions),
	}
}

// putRoom remembers a room under all that it is found by.
func (c *cache) putRoom(r models.Room) {
	if old, ok := c.rooms.get(r.ID); ok && old.Key != r.Key {
		c.keys.drop(old.Key)
	}
	r.Members = nil
	c.rooms.put(r.ID, r)
	if r.Key != "" {
		c.keys.put(r.Key, r.ID)
	}
	if r.Kind == models.KindDirect {
		c.directs.put(pair{r.DirectA, r.DirectB}, r.ID)
	}
}

// dropRoom forgets a room and the spells in it.
func (c *cache) dropRoom(id int64) {
	if r, ok := c.rooms.get(id); ok {
		c.keys.drop(r.Key)
		c.directs.drop(pair{r.DirectA, r.DirectB})
	}
	c.rooms.drop(id)
	for k := range c.spells.rows {
		if k.a == id {
			c.spells.drop(k)
		}
	}
}

// count adds n to the room's members where the room is known.
func (c *cache) count(roomID int64, n int) {
	if r, ok := c.rooms.get(roomID); ok {
		r.MemberCount += n
		c.rooms.put(roomID, r)
	}
}

// settle makes all changes stay.
func (c *cache) settle() {
	c.users.settle()
	c.names.settle()
	c.rooms.settle()
	c.keys.settle()
	c.directs.settle()
	c.spells.settle()
	c.blocks.settle()
	c.restrictions.settle()
	c.ords.settle()
	c.owns.settle()
}

// revert takes back every change since the last settle.
func (c *cache) revert() {
	c.users.revert()
	c.names.revert()
	c.rooms.revert()
	c.keys.revert()
	c.directs.revert()
	c.spells.revert()
	c.blocks.revert()
	c.restrictions.revert()
	c.ords.revert()
	c.owns.revert()
}

// clear forgets everything.
func (c *cache) clear() {
	c.users.clear()
	c.names.clear()
	c.rooms.clear()
	c.keys.clear()
	c.directs.clear()
	c.spells.clear()
	c.blocks.clear()
	c.restrictions.clear()
	c.ords.clear()
	c.owns.clear()
}

// table is a bounded map whose latest changes can be taken back.
type table[K comparable, V any] struct {
	rows map[K]V
	max  int
	undo []change[K, V]
}

// change is what a key stood for before.
type change[K comparable, V any] struct {
	key K
	old V
	had bool
}

func newTable[K comparable, V any](limit int) table[K, V] {
	return table[K, V]{rows: map[K]V{}, max: limit}
}

func (t *table[K, V]) get(k K) (V, bool) {
	v, ok := t.rows[k]
	return v, ok
}

func (t *table[K, V]) put(k K, v V) {
	old, had := t.rows[k]
	if !had && len(t.rows) >= t.max {
		t.evict()
	}
	t.undo = append(t.undo, change[K, V]{k, old, had})
	t.rows[k] = v
}

func (t *table[K, V]) drop(k K) {
	if old, had := t.rows[k]; had {
		t.undo = append(t.undo, change[K, V]{k, old, true})
		delete(t.rows, k)
	}
}

// evict forgets any one row. To take that back is not needed: a row that is not here is read again.
func (t *table[K, V]) evict() {
	for k := range t.rows {
		delete(t.rows, k)
		return
	}
}

func (t *table[K, V]) settle() {
	clear(t.undo) // lets go of what it points to
	t.undo = t.undo[:0]
}

func (t *table[K, V]) revert() {
	for _, c := range slices.Backward(t.undo) {
		if c.had {
			t.rows[c.key] = c.old
		} else {
			delete(t.rows, c.key)
		}
	}
	t.settle()
}

func (t *table[K, V]) clear() {
	clear(t.rows)
	t.settle()
}
