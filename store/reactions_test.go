package store

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"parley/chat"
	"parley/models"
)

// reactTo adds a reaction with its event.
func reactTo(tx chat.Tx, m models.Message, u models.User, emoji string) (models.Reacted, error) {
	ev, err := tx.Append(models.Event{
		Type: models.ReactionAdded, RoomID: m.RoomID, Audience: models.InRoom(m.RoomID),
	}, models.ReactionData{MessageID: m.ID, Emoji: emoji, User: u.ForEvent()})
	if err != nil {
		return models.Reacted{}, err
	}
	r := models.Reacted{ID: ev.ID, MessageID: m.ID, Emoji: emoji, User: u}
	return r, tx.InsertReaction(r)
}

func TestReactions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		other := send(t, s, models.LobbyID, ann.ID, "another")
		var m models.Message
		var all []models.Reacted
		do(t, s, func(tx chat.Tx) (err error) {
			all = nil
			if m, err = post(tx, models.LobbyID, ann.ID, "hello", ""); err != nil {
				return err
			}
			for _, u := range []models.User{bob, ann} {
				for _, emoji := range []string{"👍", "❤\ufe0f", "🍵"} {
					r, err := reactTo(tx, m, u, emoji)
					if err != nil {
						return err
					}
					all = append(all, r)
				}
			}
			_, err = reactTo(tx, other, bob, "👍")
			return err
		})
		list := func(r chat.Reader, emoji string, limit int) (got []models.Reacted) {
			t.Helper()
			for after := int64(0); ; {
				page, err := r.Reactions(m.ID, emoji, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, page...)
				if len(page) < limit {
					return got
				}
				after = page[len(page)-1].ID
			}
		}
		both(t, s, func(r chat.Reader) error {
			for limit := 1; limit < 8; limit++ {
				if got := list(r, "", limit); !slices.Equal(got, all) {
					t.Errorf("by %d: %+v, want %+v", limit, got, all)
				}
				if got := list(r, "🍵", limit); !slices.Equal(got, []models.Reacted{all[2], all[5]}) {
					t.Errorf("tea by %d: %+v", limit, got)
				}
			}
			for _, tt := range []struct {
				message, user int64
				emoji         string
				own, known    bool
			}{
				{m.ID, ann.ID, "👍", true, true}, {other.ID, ann.ID, "👍", false, true}, {other.ID, bob.ID, "👍", true, true},
				{other.ID, bob.ID, "🍵", false, false}, {m.ID, ann.ID, "❤", false, false}, {999, ann.ID, "👍", false, false},
			} {
				own, known, err := r.Reacted(tt.message, tt.user, tt.emoji)
				if own != tt.own || known != tt.known || err != nil {
					t.Errorf("%+v: %v, %v, %v", tt, own, known, err)
				}
			}
			for message, want := range map[int64]int{m.ID: 3, other.ID: 1, 999: 0} {
				if n, err := r.EmojiOf(message); n != want || err != nil {
					t.Errorf("%d has %d emoji, %v, want %d", message, n, err, want)
				}
			}
			own, err := r.ReactionsOf(ann.ID, all[3].ID, all[5].ID, 50)
			if err != nil || len(own) != 2 || own[0].ID != all[4].ID || own[1].Emoji != "🍵" || own[1].MessageID != m.ID {
				t.Errorf("ann's are %+v, %v", own, err)
			}
			own, err = r.ReactionsOf(ann.ID, 0, all[5].ID-1, 1)
			if err != nil || len(own) != 1 || own[0].ID != all[3].ID {
				t.Errorf("ann's first is %+v, %v", own, err)
			}
			messages := []models.Message{other, m}
			if err := r.Fill(messages, ann.ID); err != nil {
				return err
			}
			if got := fmt.Sprint(messages[0].Reactions, messages[1].Reactions); got != "[{👍 1 false}] [{👍 2 true} {❤\ufe0f 2 true} {🍵 2 true}]" {
				t.Errorf("filled with %s", got)
			}
			return nil
		})
		do(t, s, func(tx chat.Tx) error {
			was, err := tx.DeleteReaction(m.ID, ann.ID, "👍")
			again, err2 := tx.DeleteReaction(m.ID, ann.ID, "👍")
			if !was || again {
				t.Errorf("deleted %v, then %v", was, again)
			}
			return errors.Join(err, err2)
		})
		for _, want := range []bool{true, true, false} { // bob has 4
			do(t, s, func(tx chat.Tx) error {
				more, err := tx.DeleteReactionsOf(bob.ID, 2)
				if more != want {
					t.Errorf("there are more: %v, want %v", more, want)
				}
				return err
			})
		}
		view(t, s, func(r chat.Reader) error {
			if got := list(r, "", 50); !slices.Equal(got, all[4:]) {
				t.Errorf("left are %+v", got)
			}
			return nil
		})
	})
}

// countQueries counts what the readers ask from now on.
func countQueries(t *testing.T, s *Store) *atomic.Int64 {
	t.Helper()
	var queries atomic.Int64
	count := func(*gorm.DB) { queries.Add(1) }
	if err := errors.Join(s.reads.Callback().Row().After("gorm:row").Register("count", count),
		s.reads.Callback().Query().After("gorm:query").Register("count", count)); err != nil {
		t.Fatal(err)
	}
	return &queries
}

// A history and a list of pins cost as many queries with 200 messages that many react to as with one.
func TestReactionsCostAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		queries := countQueries(t, s)
		service := chat.New(chat.Options{Store: s})
		people := make([]models.User, 5)
		for i := range people {
			people[i] = newUser(t, s, fmt.Sprint("user", i), models.RoleMember)
		}
		tea := newChannel(t, s, "tea", people[0])
		made := 0
		costs := func(messages int) [2]int64 {
			do(t, s, func(tx chat.Tx) error {
				for ; made < messages; made++ {
					m, err := post(tx, tea.ID, people[0].ID, "hello", "")
					if err != nil {
						return err
					}
					for _, u := range people {
						if _, err := reactTo(tx, m, u, "👍"); err != nil {
							return err
						}
					}
					if err := tx.InsertPin(models.Pin{ID: m.ID, Message: m, By: models.Peer{ID: people[0].ID}}); err != nil {
						return err
					}
				}
				return nil
			})
			ctx, actor := t.Context(), chat.Actor{User: people[0]}
			queries.Store(0)
			h, err := service.History(ctx, actor, "tea", models.Page{Limit: 200})
			if err != nil || len(h.Messages) != messages || h.Messages[0].Reactions[0].Count != len(people) {
				t.Errorf("history of %d, %v", len(h.Messages), err)
			}
			history := queries.Swap(0)
			pins, err := service.Pins(ctx, actor, "tea", 0, 200)
			if err != nil || len(pins.Pins) != messages || !pins.Pins[0].Message.Reactions[0].Me {
				t.Errorf("pins %d, %v", len(pins.Pins), err)
			}
			return [2]int64{history, queries.Load()}
		}
		few := costs(1)
		if many := costs(200); few != many || few[0] == 0 {
			t.Errorf("queries for one message %v, for 200 %v", few, many)
		}
		t.Log("queries for history and pins:", few)
	})
}

func TestPins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		tea := newChannel(t, s, "tea", ann)
		var m []models.Message
		for i := range 4 {
			m = append(m, send(t, s, tea.ID, ann.ID, fmt.Sprint("number ", i)))
		}
		elsewhere := send(t, s, models.LobbyID, ann.ID, "elsewhere")
		now := models.At(fixedClock())
		do(t, s, func(tx chat.Tx) error {
			var errs []error
			for i, n := range []int{2, 0, 3, 1} {
				errs = append(errs, tx.InsertPin(models.Pin{
					ID: 100 + int64(i), Message: m[n], By: models.Peer{ID: bob.ID, Name: bob.Name}, At: now,
				}))
			}
			errs = append(errs, tx.InsertPin(models.Pin{ID: 99, Message: elsewhere, By: models.Peer{ID: ann.ID}, At: now}))
			return errors.Join(append(errs, tx.DeletePin(m[3].ID))...)
		})
		if err := s.Do(t.Context(), func(tx chat.Tx) error { return tx.DeletePin(m[3].ID) }); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		want := []int64{m[1].ID, m[0].ID, m[2].ID}
		both(t, s, func(r chat.Reader) error {
			for limit := 1; limit < 5; limit++ {
				var got []int64
				for before := int64(0); ; {
					page, err := r.Pins(tea.ID, 0, before, limit)
					if err != nil {
						return err
					}
					for _, p := range page {
						if !p.Message.Pinned || p.Message.Text == "" || p.By != (models.Peer{ID: bob.ID, Name: "bob"}) || p.At != now {
							t.Errorf("a pin is %+v", p)
						}
						got = append(got, p.Message.ID)
						before = p.ID
					}
					if len(page) < limit {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("by %d: %v, want %v", limit, got, want)
				}
			}
			some, err := r.Pins(tea.ID, m[0].ID, 0, 50)
			if err != nil || len(some) != 2 || some[0].Message.ID != m[1].ID || some[1].Message.ID != m[2].ID {
				t.Errorf("beyond the first: %+v, %v", some, err)
			}
			for room, want := range map[int64]int{tea.ID: 3, models.LobbyID: 1, 999: 0} {
				if n, err := r.PinCount(room); n != want || err != nil {
					t.Errorf("room %d has %d pins, %v, want %d", room, n, err, want)
				}
			}
			return nil
		})
		do(t, s, func(tx chat.Tx) error { return tx.BuryMessages([]int64{m[1].ID}) })
		view(t, s, func(r chat.Reader) error {
			if n, err := r.PinCount(tea.ID); n != 2 || err != nil {
				t.Errorf("after a deletion %d pins, %v", n, err)
			}
			return nil
		})
	})
}

// To a member of a room that shows its history only from the joining on, what was said before is not there: it is
// not among the pins, and takes neither reaction nor pin.
func TestPinsAndReactionsSinceJoining(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		service := chat.New(chat.Options{Store: s})
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		tea := newChannel(t, s, "tea", ann)
		do(t, s, func(tx chat.Tx) error {
			tea.Visibility, tea.History = models.Private, models.HistorySinceJoin
			return tx.UpdateRoom(tea)
		})
		old := send(t, s, tea.ID, ann.ID, "before")
		ctx, byAnn, byBob := t.Context(), chat.Actor{User: ann}, chat.Actor{User: bob}
		pin := func(m models.Message) {
			t.Helper()
			if err := errors.Join(service.Pin(ctx, byAnn, m.ID), service.React(ctx, byAnn, m.ID, "👍")); err != nil {
				t.Fatal(err)
			}
		}
		pin(old)
		do(t, s, func(tx chat.Tx) error { return join(tx, tea.ID, bob, models.RoomModerator) })
		fresh := send(t, s, tea.ID, ann.ID, "after")
		pin(fresh)
		for id, want := range map[int64]models.Code{old.ID: models.CodeNotFound, fresh.ID: ""} {
			_, err := service.Reactions(ctx, byBob, id, "", 0, 50)
			for what, err := range map[string]error{
				"react": service.React(ctx, byBob, id, "👍"), "take back": service.TakeReactionBack(ctx, byBob, id, "👍"), "list": err,
				"pin": service.Pin(ctx, byBob, id), "unpin": service.Unpin(ctx, byBob, id),
			} {
				if (err != nil || want != "") && models.CodeOf(err) != want {
					t.Errorf("%s of %d: %v, want %q", what, id, err, want)
				}
			}
			if err := service.Pin(ctx, byAnn, id); err != nil {
				t.Fatal(err)
			}
		}
		for actor, want := range map[*chat.Actor]int{&byAnn: 2, &byBob: 1} {
			if list, err := service.Pins(ctx, *actor, "tea", 0, 50); err != nil || len(list.Pins) != want {
				t.Errorf("%s sees %+v, %v", actor.User.Name, list.Pins, err)
			}
		}
	})
}
