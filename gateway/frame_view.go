package gateway

import (
	"slices"
	"sync"
)

// frameView is who is online as far as a client was told, so that it is told of changes only. It is safe for concurrent use.
type frameView struct {
	mu    sync.Mutex
	shown []int64 // ids, ascending: of a thousand online this is a tenth of a map
}

// set begins with those whom the client was told of at its login.
func (v *frameView) set(ids []int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shown = slices.Clone(ids)
	slices.Sort(v.shown)
}

// look asks whether the one with the id is here, and tells where that is news to the client. It is one step, so that what
// is told last is so.
func (v *frameView) look(id int64, here func() bool, tell func(here bool)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	is := here()
	at, shown := slices.BinarySearch(v.shown, id)
	switch {
	case is == shown:
		return
	case is:
		v.shown = slices.Insert(v.shown, at, id)
	default:
		v.shown = slices.Delete(v.shown, at, at+1)
	}
	tell(is)
}
