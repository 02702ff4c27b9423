package store

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"parley/models"
)

// overfill puts more into a table than it takes, and says whether it kept the bound. What it forgets it must not
// bring back when a change is taken back.
func overfill[K comparable, V any](t *testing.T, name string, rows *table[K, V], key func(i int) K) {
	t.Helper()
	if rows.max <= 0 {
		t.Errorf("%s has no bound", name)
		return
	}
	var none V
	for i := range rows.max {
		rows.put(key(i), none)
	}
	rows.settle()
	for i := range 100 {
		rows.put(key(rows.max+i), none)
		if len(rows.rows) > rows.max {
			t.Fatalf("%s keeps %d of at most %d", name, len(rows.rows), rows.max)
		}
		if _, ok := rows.get(key(rows.max + i)); !ok {
			t.Fatalf("%s forgot what was just put in", name)
		}
	}
	rows.revert()
	if len(rows.rows) > rows.max || len(rows.undo) != 0 {
		t.Errorf("%s keeps %d of at most %d after a refusal, and %d changes", name, len(rows.rows), rows.max, len(rows.undo))
	}
}

// Each table of the writer's cache is bounded: docs/operations.md says so.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache()
	id := func(i int) int64 { return int64(i) }
	two := func(i int) pair { return pair{1, int64(i)} }
	filled := 0
	for _, fill := range []func(){
		func() { overfill(t, "users", &c.users, id) },
		func() { overfill(t, "names", &c.names, strconv.Itoa) },
		func() { overfill(t, "rooms", &c.rooms, id) },
		func() { overfill(t, "keys", &c.keys, strconv.Itoa) },
		func() { overfill(t, "directs", &c.directs, two) },
		func() { overfill(t, "spells", &c.spells, two) },
		func() { overfill(t, "ords", &c.ords, id) },
		func() { overfill(t, "owns", &c.owns, two) },
		func() { overfill(t, "blocks", &c.blocks, two) },
		func() {
			overfill(t, "restrictions", &c.restrictions, func(i int) restrictionKey { return restrictionKey{1, int64(i), models.MuteKind} })
		},
	} {
		fill()
		filled++
	}
	tables := 0
	for field := range reflect.TypeFor[cache]().Fields() {
		if strings.HasPrefix(field.Type.Name(), "table[") {
			tables++
		}
	}
	if filled != tables {
		t.Errorf("filled %d of %d tables", filled, tables)
	}
}
