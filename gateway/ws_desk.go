package gateway

import (
	"sync"

	"parley/models"
)

// wsDesk counts the support connections of each account: what the first one begins, the last one ends.
type wsDesk struct {
	mu     sync.Mutex
	here   map[int64]int
	before map[int64]models.SupportAgent // how an agent took part before the first one
}

func newWSDesk() *wsDesk {
	return &wsDesk{here: map[int64]int{}, before: map[int64]models.SupportAgent{}}
}

// join counts one more.
func (d *wsDesk) join(userID int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.here[userID]++
}

// took notes how an agent took part before; only the first one's note counts.
func (d *wsDesk) took(before models.SupportAgent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.before[before.User.ID]; !known {
		d.before[before.User.ID] = before
	}
}

// leave counts one less. served says that took has noted something, which the last one gets.
func (d *wsDesk) leave(userID int64) (last, served bool, before models.SupportAgent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, served = d.before[userID]
	if d.here[userID]--; d.here[userID] > 0 {
		return false, served, before
	}
	delete(d.here, userID)
	delete(d.before, userID)
	return true, served, before
}
