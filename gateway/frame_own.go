package gateway

import (
	"slices"
	"sync"
)

// ownMessages are what a connection said and has not heard yet: it does not get its own back.
type ownMessages struct {
	mu   sync.Mutex
	ids  []int64
	last int64
}

// say notes the id that the message got. Whoever hears of it before waits for the note.
func (o *ownMessages) say(send func() (id int64, err error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	id, err := send()
	if err == nil {
		o.ids, o.last = append(o.ids, id), max(o.last, id)
	}
	return err
}

// heard says whether the message is the connection's own. It is asked once for each.
func (o *ownMessages) heard(id int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := slices.Index(o.ids, id)
	if at < 0 {
		return false
	}
	o.ids = slices.Delete(o.ids, at, at+1)
	return true
}
