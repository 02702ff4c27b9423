package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"parley/chat"
	"parley/models"
)

// Whatever becomes of commands and transactions, the messages of a room are numbered without gap, and those of each sender in
// it.
func TestPlacesAreGapless(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var b breaker
		o.Fault = b.fault
		s := mustOpen(t, o)
		users, tea := crowd(t, s, 5)
		rooms := []int64{models.LobbyID, tea.ID}
		random := rand.New(rand.NewPCG(1, 2))
		for n := range 60 {
			var cmds []chat.Command
			for range 1 + random.IntN(12) {
				u, room, how, size := users[random.IntN(len(users))], rooms[random.IntN(2)], random.IntN(6), 1+random.IntN(3)
				cmds = append(cmds, func(tx chat.Tx) error {
					for range size {
						m, err := post(tx, room, u.ID, "x", "")
						if err != nil {
							return err
						}
						switch how {
						case 0: // what waits is written, and stays
							_, err = tx.Message(m.ID)
						case 1: // is written, and taken back
							_, err = tx.Message(m.ID)
							err = errors.Join(err, errMuted)
						case 2: // is taken back before it was written
							err = errMuted
						case 3:
							err = tx.BuryMessages([]int64{m.ID})
						}
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			switch n % 10 {
			case 3:
				b.insert.Store(1)
			case 5:
				b.commit.Store(1)
			case 7:
				b.read.Store(1)
			}
			for _, err := range together(t, s, cmds...) {
				if err != nil && models.CodeOf(err) != models.CodeMuted && models.CodeOf(err) != models.CodeUnavailable {
					t.Error(err)
				}
			}
			b.insert.Store(0)
			b.commit.Store(0)
			b.read.Store(0)
		}
		if h := check(t, o); len(h.Findings) > 0 || h.Messages < 200 {
			t.Errorf("%d messages: %q", h.Messages, h.Findings)
		}
	})
}

// A batch may say something in more rooms than the writer remembers.
func TestPlacesBeyondWhatIsRemembered(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s := mustOpen(t, o)
	s.writer.cache.ords.max, s.writer.cache.owns.max = 2, 3
	users, tea := crowd(t, s, 4)
	ids := []int64{models.LobbyID, tea.ID}
	for i := range 5 {
		ids = append(ids, newChannel(t, s, fmt.Sprint("room", i), users[0]).ID)
	}
	for range 4 {
		do(t, s, func(tx chat.Tx) error {
			for i := range 30 {
				room, u := ids[i%len(ids)], users[0]
				if room == tea.ID || room == models.LobbyID {
					u = users[i%len(users)]
				}
				if _, err := post(tx, room, u.ID, "x", ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if h := check(t, o); len(h.Findings) > 0 || h.Messages != 120 {
		t.Errorf("%d messages: %q", h.Messages, h.Findings)
	}
	if n := len(s.writer.cache.ords.rows); n > 2 {
		t.Errorf("the writer remembers %d rooms", n)
	}
}
