package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/models"
)

// calls gives a command that demands who is called by the keys, in their order, 0 for nobody. What it finds where it
// runs for its questions only says nothing: so it fails by its error.
func calls(keys string, want ...int64) chat.Command {
	return func(tx chat.Tx) error {
		var got []int64
		called, err := tx.UsersByKeys(strings.Fields(keys))
		for key := range strings.FieldsSeq(keys) {
			got = append(got, called[key])
		}
		if err == nil && !slices.Equal(got, want) {
			return fmt.Errorf("%s are %v, want %v", keys, got, want)
		}
		return err
	}
}

// What the writer knows of names is what the commands before made of them, in one batch as in many.
func TestUsersByKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		odd := newUser(t, s, `"o'd"{}`, models.RoleMember)
		var carl models.User
		rename := func(u models.User, name string) chat.Command {
			u.Name, u.Key = name, name
			return func(tx chat.Tx) error { return tx.UpdateUser(u) }
		}
		refused := func(cmds ...chat.Command) chat.Command {
			return func(tx chat.Tx) error {
				for _, cmd := range cmds {
					if err := cmd(tx); err != nil {
						return err
					}
				}
				return errMuted
			}
		}
		cmds := []chat.Command{
			calls(`ann bob carl anna "o'd"{} a\b`, ann.ID, bob.ID, 0, 0, odd.ID, 0),
			rename(ann, "anna"),
			calls("ann bob carl anna", 0, bob.ID, 0, ann.ID),
			refused(rename(bob, "carl"), calls("bob carl", 0, bob.ID)),
			calls("bob carl", bob.ID, 0),
			func(tx chat.Tx) (err error) {
				carl, err = addUser(tx, "carl", models.RoleMember)
				return errors.Join(err, rename(bob, "ann")(tx))
			},
			func(tx chat.Tx) error { return calls("ann bob carl", bob.ID, 0, carl.ID)(tx) },
			refused(func(tx chat.Tx) error { return tx.DeleteUser(carl, tx.NextID(), false) }, calls("carl", 0)),
			func(tx chat.Tx) error { return calls("carl", carl.ID)(tx) },
			func(tx chat.Tx) error { return tx.DeleteUser(carl, tx.NextID(), false) },
			calls("carl ann", 0, bob.ID),
		}
		for i, err := range together(t, s, cmds...) {
			if err != nil && !errors.Is(err, errMuted) {
				t.Errorf("command %d: %v", i, err)
			}
		}
		do(t, s, calls("carl ann anna bob", 0, bob.ID, ann.ID, 0))
		both(t, s, func(r chat.Reader) error {
			called, err := r.UsersByKeys([]string{"ann", "anna", "bob", `"o'd"{}`, "a\x00", "\xff", `\`})
			if want := fmt.Sprint(map[string]int64{"ann": bob.ID, "anna": ann.ID, `"o'd"{}`: odd.ID}); fmt.Sprint(called) != want {
				t.Errorf("called %v, want %s", called, want)
			}
			return err
		})
	})
}

// To mention somebody costs no query of the single message: the writer remembers names, or asks for a batch at once.
func TestMentionsAreAskedForTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var reads atomic.Int64
		o.Fault = func(op string) error {
			if op == OpRead {
				reads.Add(1)
			}
			return nil
		}
		s := mustOpen(t, o)
		users, room := crowd(t, s, 8)
		stranger := newUser(t, s, "stranger", models.RoleMember)
		var cmds []chat.Command
		for i, u := range users {
			cmds = append(cmds, func(tx chat.Tx) error {
				called, err := tx.UsersByKeys([]string{u.Key, "nobody", fmt.Sprint("nobody", i), stranger.Key})
				if err != nil {
					return err
				}
				if len(called) != 2 || called[u.Key] != u.ID {
					t.Errorf("called %v", called)
				}
				for _, in := range []int64{models.LobbyID, room.ID} {
					if got, err := tx.MembersAmong(in, []int64{u.ID}); err != nil || !slices.Equal(got, []int64{u.ID}) {
						return errors.Join(err, fmt.Errorf("among the members of %d: %v", in, got))
					}
				}
				return nil
			})
		}
		for round := range 2 {
			reads.Store(0)
			for i, err := range together(t, s, cmds...) {
				if err != nil {
					t.Errorf("command %d: %v", i, err)
				}
			}
			most := int64(2) // one for names, one for accounts
			if !s.engine.lockHead() {
				most = int64(len(cmds) * (1 - round))
			}
			if n := reads.Load(); n > most {
				t.Errorf("round %d: %d queries, want at most %d", round, n, most)
			}
		}
	})
}

func TestMembersAmong(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		visitor := newUser(t, s, "visitor-1", models.RoleVisitor)
		room := newChannel(t, s, "tea", ann)
		everyone := []int64{ann.ID, bob.ID, visitor.ID, 999}
		among := func(roomID int64, want ...int64) chat.Command {
			return func(tx chat.Tx) error {
				got, err := tx.MembersAmong(roomID, everyone)
				slices.Sort(got)
				if err == nil && !slices.Equal(got, want) {
					return fmt.Errorf("among the members of %d are %v, want %v", roomID, got, want)
				}
				return err
			}
		}
		for i, err := range together(t, s,
			among(models.LobbyID, ann.ID, bob.ID),
			among(room.ID, ann.ID),
			func(tx chat.Tx) error { return join(tx, room.ID, bob, models.RoomMember) },
			among(room.ID, ann.ID, bob.ID),
			func(tx chat.Tx) error { return leave(tx, room.ID, bob, false) },
			among(room.ID, ann.ID),
			func(tx chat.Tx) error { return tx.DeleteUser(bob, tx.NextID(), false) },
			among(models.LobbyID, ann.ID),
		) {
			if err != nil {
				t.Errorf("command %d: %v", i, err)
			}
		}
	})
}

// say sends a message with all that InsertMessage keeps of it.
func say(tx chat.Tx, u models.User, replyTo, threadID int64, mentions ...int64) (models.Message, error) {
	m := models.Message{
		ID: tx.NextID(), RoomID: models.LobbyID, SenderID: u.ID, SenderName: u.Name, Text: "x", CreatedAt: tx.Now(),
		ReplyTo: replyTo, ThreadID: threadID, Version: tx.NextID(),
	}
	for _, id := range mentions {
		if id == 0 {
			m.MentionsRoom = true
		} else {
			m.Mentions = append(m.Mentions, id)
		}
	}
	_, err := tx.Append(models.Event{Type: models.MessageCreated, RoomID: m.RoomID, Audience: models.InRoom(m.RoomID)},
		models.MessageData{Message: m.ForEvent()})
	return m, errors.Join(err, tx.InsertMessage(m))
}

func TestStoredMentions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		var first, second models.Message
		is := func(r chat.Reader, id int64, room bool, want ...int64) error {
			m, err := r.Message(id)
			if err != nil {
				return err
			}
			one := []models.Message{m}
			err = r.Fill(one, ann.ID)
			if !slices.Equal(one[0].Mentions, want) || one[0].MentionsRoom != room {
				t.Errorf("%d mentions %v and the room: %v; want %v, %v", id, one[0].Mentions, one[0].MentionsRoom, want, room)
			}
			return err
		}
		for i, err := range together(t, s,
			func(tx chat.Tx) (err error) { first, err = say(tx, ann, 0, 0, 7, 9, 0); return err },
			func(tx chat.Tx) (err error) {
				if _, err := say(tx, ann, 0, 0, 5); err != nil {
					return err
				}
				if _, err := tx.Messages(models.LobbyID, models.Page{Limit: 1}); err != nil { // has it written
					return err
				}
				return errMuted
			},
			func(tx chat.Tx) (err error) { second, err = say(tx, ann, 0, 0, ann.ID); return err },
			func(tx chat.Tx) error {
				return errors.Join(is(tx, first.ID, true, 7, 9), is(tx, second.ID, false, ann.ID))
			},
		) {
			if err != nil && !errors.Is(err, errMuted) {
				t.Errorf("command %d: %v", i, err)
			}
		}
		var third models.Message
		do(t, s, func(tx chat.Tx) (err error) {
			third, err = say(tx, ann, 0, 0, 3, 4)
			return errors.Join(err, tx.SetMentions(third, []int64{0, 4, 8}), tx.SetMentions(second, nil),
				is(tx, third.ID, true, 4, 8), is(tx, second.ID, false))
		})
		view(t, s, func(r chat.Reader) error {
			return errors.Join(is(r, first.ID, true, 7, 9), is(r, second.ID, false), is(r, third.ID, true, 4, 8))
		})
		do(t, s, func(tx chat.Tx) error { return tx.BuryMessages([]int64{first.ID}) })
		view(t, s, func(r chat.Reader) error { return is(r, first.ID, false) })
	})
}

// A thread's count is that of its live answers, whatever comes and goes in one batch.
func TestThreads(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		var first int64
		do(t, s, func(tx chat.Tx) error {
			m, err := say(tx, ann, 0, 0)
			first = m.ID
			return err
		})
		var answers []int64
		answer := func(tx chat.Tx) error {
			m, err := say(tx, ann, first, first)
			answers = append(answers, m.ID)
			return err
		}
		is := func(r chat.Reader, replies int, last int64) {
			t.Helper()
			m, err := r.Message(first)
			if err != nil || m.Thread.Replies != replies || m.Thread.LastID != last || m.Thread.LastAt.IsZero() != (last == 0) {
				t.Errorf("the thread is %+v, %v; want %d, the last %d", m.Thread, err, replies, last)
			}
		}
		check := func(replies, last int) chat.Command {
			return func(tx chat.Tx) error {
				id := int64(0)
				if last >= 0 {
					id = answers[last]
				}
				is(tx, replies, id)
				return nil
			}
		}
		gone := func(which ...int) chat.Command {
			return func(tx chat.Tx) error {
				var ids []int64
				for _, i := range which {
					ids = append(ids, answers[i])
				}
				return tx.BuryMessages(ids)
			}
		}
		// On PostgreSQL a batch is first run for its questions only, where answers has nothing yet: each alone.
		for i, cmd := range []chat.Command{
			check(0, -1), answer, answer, check(2, 1),
			func(tx chat.Tx) error { return errors.Join(answer(tx), answer(tx), gone(2)(tx)) }, check(3, 3),
			gone(3), check(2, 1), gone(0, 1), check(0, -1), gone(0), check(0, -1), answer, check(1, 4),
		} {
			if err := s.Do(t.Context(), cmd); err != nil {
				t.Errorf("command %d: %v", i, err)
			}
		}
		err := s.Do(t.Context(), func(tx chat.Tx) error {
			if _, err := say(tx, ann, first, first); err != nil {
				return err
			}
			if _, err := tx.Replies(first, 0, 1); err != nil { // has it written
				return err
			}
			return errMuted
		})
		if !errors.Is(err, errMuted) {
			t.Error(err)
		}
		both(t, s, func(r chat.Reader) error {
			is(r, 1, answers[4])
			got, err := r.Replies(first, answers[1], 2)
			var ids []int64
			for _, m := range got {
				ids = append(ids, m.ID)
			}
			if !slices.Equal(ids, answers[2:4]) {
				t.Errorf("the page is %v, want %v", ids, answers[2:4])
			}
			return err
		})
	})
}
