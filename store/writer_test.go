package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/models"
)

// together runs the commands as one batch, in order: they are queued while the writer is held up by
// another one.
func together(tb testing.TB, s *Store, cmds ...chat.Command) []error {
	tb.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		do(tb, s, func(chat.Tx) error {
			once.Do(func() { close(held) })
			<-release
			return nil
		})
	})
	<-held
	jobs := make([]*job, len(cmds))
	for i, cmd := range cmds {
		jobs[i] = newJob(context.Background(), cmd)
		if err := s.enqueue(jobs[i]); err != nil {
			tb.Fatalf("enqueue: %v", err)
		}
	}
	close(release)
	wg.Wait()
	errs := make([]error, len(cmds))
	for i, j := range jobs {
		errs[i] = <-j.done
	}
	return errs
}

// texts are the messages of a room, oldest first.
func texts(tb testing.TB, s *Store, roomID int64) []string {
	tb.Helper()
	var out []string
	view(tb, s, func(r chat.Reader) error {
		h, err := r.Messages(roomID, models.Page{Limit: 1000})
		for _, m := range h.Messages {
			out = append(out, m.Text)
		}
		return err
	})
	return out
}

func TestConcurrentSendersGetGaplessIDs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		o.OnCommit = rec.add
		s := mustOpen(t, o)
		users, room := crowd(t, s, senders)
		first := head(t, s) + 1
		const each = 20
		var wg sync.WaitGroup
		for _, u := range users {
			wg.Go(func() {
				for n := range each {
					var m models.Message
					do(t, s, func(tx chat.Tx) (err error) {
						m, err = post(tx, room.ID, u.ID, "x", fmt.Sprint(n))
						return err
					})
					if ids := rec.ids(); ids[len(ids)-1] < m.ID {
						t.Errorf("message %d was answered before it was published", m.ID)
					}
				}
			})
		}
		wg.Wait()
		gapless(t, rec.ids(), 2)
		want := first + senders*each - 1
		if h := head(t, s); h != want {
			t.Errorf("head %d, want %d", h, want)
		}
		err := s.snapshot(context.Background(), func(r *reader) error {
			for name, query := range map[string]string{
				"log":      "SELECT id FROM log ORDER BY id",
				"messages": "SELECT id FROM messages UNION SELECT id FROM log WHERE type <> 'message.created' ORDER BY id",
			} {
				ids, err := many[int64](r, name, query)
				if err != nil {
					return err
				}
				gapless(t, ids, 1)
				if int64(len(ids)) != want {
					t.Errorf("%s has %d rows, want %d", name, len(ids), want)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOneNonceOneMessage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		bob := newUser(t, s, "bob", models.RoleMember)
		got := make([]models.Message, 6)
		same := func(i int, user models.User) chat.Command {
			return func(tx chat.Tx) (err error) {
				got[i], err = post(tx, models.LobbyID, user.ID, fmt.Sprint("text ", i), "n1")
				return err
			}
		}
		errs := together(t, s, same(0, ann), same(1, ann), same(2, bob), same(3, ann))
		errs = append(errs, together(t, s, same(4, ann), same(5, bob))...)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{0, 0, 2, 0, 0, 2} {
			if !reflect.DeepEqual(got[i], got[want]) {
				t.Errorf("send %d got %+v, want that of send %d: %+v", i, got[i], want, got[want])
			}
		}
		if got := texts(t, s, models.LobbyID); !slices.Equal(got, []string{"text 0", "text 2"}) {
			t.Errorf("messages %q", got)
		}
	})
}

// TestRefusedCommandLeavesNothing lets a command write everything there is to write and then refuse, between two
// that do not.
func TestRefusedCommandLeavesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		o.OnCommit = rec.add
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		bob := newUser(t, s, "bob", models.RoleMember)
		room := newChannel(t, s, "tea", ann)
		var before, after, atRefusal state
		good := func(text, nonce string) chat.Command {
			return func(tx chat.Tx) error {
				_, err := post(tx, room.ID, ann.ID, text, nonce)
				return err
			}
		}
		errs := together(t, s,
			good("one", "1"),
			func(tx chat.Tx) (err error) { before, err = look(tx, room.ID, ann.ID, bob.ID); return err },
			func(tx chat.Tx) error {
				if err := ravage(tx, room, ann, bob); err != nil {
					return err
				}
				var err error
				if atRefusal, err = look(tx, room.ID, ann.ID, bob.ID); err != nil {
					return err
				}
				return errMuted
			},
			func(tx chat.Tx) (err error) { after, err = look(tx, room.ID, ann.ID, bob.ID); return err },
			good("two", "2"),
			func(tx chat.Tx) error { _ = ravage(tx, room, ann, bob); panic("oops") },
			good("three", "gone"), // the nonce that the refused commands used
		)
		for i, err := range errs {
			switch {
			case i == 2 && !errors.Is(err, errMuted):
				t.Errorf("the refused command got %v", err)
			case i == 5 && (err == nil || !strings.Contains(err.Error(), "panicked")):
				t.Errorf("the panicking command got %v", err)
			case i != 2 && i != 5 && err != nil:
				t.Errorf("command %d: %v", i, err)
			}
		}
		if before != after {
			t.Errorf("before the refused command %+v, after it %+v", before, after)
		}
		if before == atRefusal {
			t.Error("the refused command had changed nothing: the test tests nothing")
		}
		if got := texts(t, s, room.ID); !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("messages %q", got)
		}
		gapless(t, rec.ids(), 2)
		if h := head(t, s); h != rec.ids()[len(rec.ids())-1] {
			t.Errorf("head %d is not the last published id", h)
		}
		view(t, s, func(r chat.Reader) error {
			stored, err := look(r, room.ID, ann.ID, bob.ID)
			if stored.room.Topic != before.room.Topic || stored.ann != before.ann || stored.bobIn != before.bobIn {
				t.Errorf("stored %+v, want %+v", stored, before)
			}
			return err
		})
	})
}

// state is a comparable picture of what ravage changes.
type state struct {
	room   struct{ Name, Topic, Visibility, Members string }
	ann    models.User
	bobIn  bool
	byName int64
	lobby  int
	owners int
	nonce  bool
	other  bool
}

func look(r chat.Reader, roomID, annID, bobID int64) (s state, err error) {
	room, err := r.Room(roomID)
	if err != nil {
		return s, err
	}
	s.room.Name, s.room.Topic, s.room.Visibility, s.room.Members = room.Name, room.Topic, string(room.Visibility), fmt.Sprint(room.MemberCount)
	if s.ann, err = r.User(annID); err != nil {
		return s, err
	}
	_, notIn := r.Membership(roomID, bobID)
	s.bobIn = notIn == nil
	byName, _ := r.RoomByKey("tea")
	s.byName = byName.ID
	lobby, err := r.Room(models.LobbyID)
	if err != nil {
		return s, err
	}
	s.lobby = lobby.MemberCount
	if s.owners, err = r.Owners(roomID); err != nil {
		return s, err
	}
	_, none := r.Nonce(annID, "gone")
	s.nonce = none == nil
	_, none = r.RoomByKey("other")
	s.other = none == nil
	return s, errors.Join(known(notIn), known(none))
}

// known lets not found pass.
func known(err error) error {
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	return err
}

// ravage writes with every method that a cache or a buffer has to do with.
func ravage(tx chat.Tx, room models.Room, ann, bob models.User) error {
	if _, err := post(tx, room.ID, ann.ID, "never", "gone"); err != nil {
		return err
	}
	room.Name, room.Key, room.Topic, room.Visibility = "coffee", "coffee", "beans", models.Private
	ann.Name, ann.Key = "Anna", "anna"
	_, err := addUser(tx, "carl", models.RoleMember)
	errs := []error{err, tx.UpdateRoom(room), tx.UpdateUser(ann), join(tx, room.ID, bob, models.RoomOwner)}
	// A page must see what is in the buffers, which writes those of earlier commands too.
	h, err := tx.Messages(room.ID, models.Page{Limit: 100})
	if err == nil && h.Messages[len(h.Messages)-1].Text != "never" {
		err = fmt.Errorf("a command does not see its own message: %+v", h)
	}
	other := models.Room{ID: tx.NextID(), Kind: models.KindChannel, Name: "other", Key: "other", Visibility: models.Public}
	errs = append(errs, err, tx.InsertRoom(other))
	if _, err = post(tx, room.ID, ann.ID, "never again", "gone too"); err != nil {
		return err
	}
	_, err = tx.DeleteNonces(models.At(tx.Now().Add(-1)), 10)
	return errors.Join(append(errs, err)...)
}

// TestOneBadCommandFailsAlone has a command that the database cannot do, in three ways.
func TestOneBadCommandFailsAlone(t *testing.T) {
	t.Parallel()
	bad := map[string]func(tx chat.Tx) error{
		"refused by a constraint": func(tx chat.Tx) error { _, err := addUser(tx, "ann", models.RoleMember); return err },
		"breaks the transaction": func(x chat.Tx) error {
			_, err := many[int](&x.(*tx).reader, "boom", "SELECT id FROM nowhere")
			return err
		},
		"swallows the error": func(x chat.Tx) error {
			_, _ = many[int](&x.(*tx).reader, "boom", "SELECT id FROM nowhere")
			return nil
		},
		"fails when it is written": func(tx chat.Tx) error {
			return tx.InsertMessage(models.Message{ID: 1 << 40, RoomID: 1, Text: "twice"})
		},
	}
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		o.OnCommit = rec.add
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		do(t, s, func(tx chat.Tx) error { return tx.InsertMessage(models.Message{ID: 1 << 40, RoomID: 2}) })
		for name, cmd := range bad {
			var one, two models.Message
			errs := together(t, s,
				func(tx chat.Tx) (err error) { one, err = post(tx, models.LobbyID, ann.ID, "one", name+"1"); return err },
				cmd,
				func(tx chat.Tx) (err error) { two, err = post(tx, models.LobbyID, ann.ID, "two", name+"2"); return err },
			)
			if errs[0] != nil || errs[2] != nil || two.ID != one.ID+1 {
				t.Errorf("%s: the good ones got %v, %v, ids %d, %d", name, errs[0], errs[2], one.ID, two.ID)
			}
			if errs[1] == nil || models.CodeOf(errs[1]) != models.CodeInternal {
				t.Errorf("%s: it got %v, want an internal error", name, errs[1])
			}
		}
		gapless(t, rec.ids(), 2)
		if got := len(texts(t, s, models.LobbyID)); got != 2*len(bad) {
			t.Errorf("%d messages, want %d", got, 2*len(bad))
		}
	})
}

func TestEndedContextIsSkipped(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ctx, cancel := context.WithCancel(context.Background())
		var ran atomic.Bool
		skipped := newJob(ctx, func(chat.Tx) error { ran.Store(true); return nil })
		do(t, s, func(chat.Tx) error { // while this one runs, the other waits and is given up
			if skipped.err == nil && ctx.Err() == nil {
				cancel()
				return s.enqueue(skipped)
			}
			return nil
		})
		if err := <-skipped.done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if ran.Load() {
			t.Error("a command whose caller had gone was run")
		}
		if err := s.Do(ctx, func(chat.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context Do gives %v", err)
		}
	})
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{Dir: t.TempDir(), QueueSize: 2})
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { do(t, s, func(chat.Tx) error { close(held); <-release; return nil }) })
	<-held
	nothing := func() *job {
		return newJob(context.Background(), func(chat.Tx) error { return nil })
	}
	queued := []*job{nothing(), nothing()}
	for _, j := range queued {
		if err := s.enqueue(j); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Do(context.Background(), func(chat.Tx) error { return nil })
	e, ok := errors.AsType[*models.Error](err)
	if !ok || e.Code != models.CodeUnavailable || e.RetryAfter <= 0 {
		t.Errorf("a full queue gives %v", err)
	}
	close(release)
	wg.Wait()
	for _, j := range queued {
		if err := <-j.done; err != nil {
			t.Error(err)
		}
	}
}

func TestCloseDoesWhatWasQueued(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s, err := Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		ann := newUser(t, s, "ann", models.RoleMember)
		held, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		wg.Go(func() { do(t, s, func(chat.Tx) error { once.Do(func() { close(held) }); <-release; return nil }) })
		<-held
		j := newJob(context.Background(), func(tx chat.Tx) error {
			_, err := post(tx, models.LobbyID, ann.ID, "last words", "")
			return err
		})
		if err := s.enqueue(j); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
		close(release)
		wg.Wait()
		if err := <-j.done; err != nil {
			t.Errorf("what was queued got %v", err)
		}
		if err := s.Do(context.Background(), func(chat.Tx) error { return nil }); models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("Do after Close gives %v", err)
		}
		if err := s.View(context.Background(), func(chat.Reader) error { return nil }); models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("View after Close gives %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
		again := mustOpen(t, o)
		if got := texts(t, again, models.LobbyID); !slices.Equal(got, []string{"last words"}) {
			t.Errorf("messages %q", got)
		}
	})
}
