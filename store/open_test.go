package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

// onBoth runs the test on each database, with options for a new one.
func onBoth(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Options{Dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Options{URL: pgtest.DSN(t)})
	})
}

func mustOpen(tb testing.TB, o Options) *Store {
	tb.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// do runs a command that must succeed. It may be called on any goroutine.
func do(tb testing.TB, s *Store, cmd chat.Command) {
	tb.Helper()
	if err := s.Do(context.Background(), cmd); err != nil {
		tb.Errorf("do: %v", err)
	}
}

func view(tb testing.TB, s *Store, read func(r chat.Reader) error) {
	tb.Helper()
	if err := s.View(context.Background(), read); err != nil {
		tb.Errorf("view: %v", err)
	}
}

func head(tb testing.TB, s *Store) (id int64) {
	tb.Helper()
	view(tb, s, func(r chat.Reader) (err error) {
		id, err = r.Head()
		return err
	})
	return id
}

// addUser registers an account the way chat does.
func addUser(tx chat.Tx, name string, role models.Role) (models.User, error) {
	u := models.User{
		ID: tx.NextID(), Name: name, Key: strings.ToLower(name), DisplayName: name, Role: role,
		CreatedAt: tx.Now(), LastSeenAt: tx.Now(),
	}
	if _, err := tx.Append(models.Event{Type: models.UserRegistered}, models.RegisteredData{User: u.ForEvent()}); err != nil {
		return u, err
	}
	return u, tx.InsertUser(u, "")
}

func newUser(tb testing.TB, s *Store, name string, role models.Role) (u models.User) {
	tb.Helper()
	do(tb, s, func(tx chat.Tx) (err error) {
		u, err = addUser(tx, name, role)
		return err
	})
	return u
}

// newChannel makes a channel with its owner in it.
func newChannel(tb testing.TB, s *Store, name string, owner models.User) (room models.Room) {
	tb.Helper()
	do(tb, s, func(tx chat.Tx) error {
		room = models.Room{
			ID: tx.NextID(), Kind: models.KindChannel, Name: name, Key: strings.ToLower(name),
			Visibility: models.Public, History: models.HistoryAll, CreatedAt: tx.Now(),
		}
		if _, err := tx.Append(models.Event{Type: models.RoomCreated, RoomID: room.ID, Audience: models.Everyone()},
			models.RoomData{Room: room.ForEvent()}); err != nil {
			return err
		}
		if err := tx.InsertRoom(room); err != nil {
			return err
		}
		return join(tx, room.ID, owner, models.RoomOwner)
	})
	return room
}

func join(tx chat.Tx, roomID int64, u models.User, role models.RoomRole) error {
	e, err := tx.Append(models.Event{Type: models.MemberJoined, RoomID: roomID, Audience: models.InRoom(roomID)},
		models.MemberData{User: u.ForEvent(), Role: role})
	if err != nil {
		return err
	}
	return tx.StartSpell(models.Membership{RoomID: roomID, UserID: u.ID, Role: role, From: e.ID, JoinedAt: tx.Now()})
}

func leave(tx chat.Tx, roomID int64, u models.User, revoked bool) error {
	e, err := tx.Append(models.Event{Type: models.MemberLeft, RoomID: roomID, Audience: models.InRoom(roomID)},
		models.MemberData{User: u.ForEvent(), Role: models.RoomMember})
	if err != nil {
		return err
	}
	return tx.EndSpell(roomID, u.ID, e.ID, revoked)
}

// errMuted is a refusal.
var errMuted = models.Refuse(models.CodeMuted, "you are muted")

// post is what a send does: it looks at all that a send looks at, and gives the first message for
// a nonce again.
func post(tx chat.Tx, roomID, userID int64, text, nonce string) (models.Message, error) {
	user, err := tx.User(userID)
	if err != nil {
		return models.Message{}, fmt.Errorf("sender: %w", err)
	}
	if nonce != "" {
		n, err := tx.Nonce(userID, nonce)
		if err == nil {
			return tx.Message(n.MessageID)
		}
		if !errors.Is(err, chat.ErrNotFound) {
			return models.Message{}, err
		}
	}
	if _, err := tx.Room(roomID); err != nil {
		return models.Message{}, fmt.Errorf("room: %w", err)
	}
	if roomID != models.LobbyID {
		if _, err := tx.Membership(roomID, userID); err != nil {
			return models.Message{}, fmt.Errorf("membership: %w", err)
		}
	}
	m := models.Message{
		ID: tx.NextID(), RoomID: roomID, SenderID: userID, SenderName: user.Name, Text: text,
		CreatedAt: tx.Now(), Nonce: nonce, Version: tx.NextID(),
	}
	if _, err := tx.Append(models.Event{Type: models.MessageCreated, RoomID: roomID, Audience: models.InRoom(roomID)},
		models.MessageData{Message: m.ForEvent()}); err != nil {
		return m, err
	}
	if err := tx.InsertMessage(m); err != nil || nonce == "" {
		return m, err
	}
	return m, tx.InsertNonce(models.Nonce{UserID: userID, Nonce: nonce, MessageID: m.ID, CreatedAt: tx.Now()})
}

func send(tb testing.TB, s *Store, roomID, userID int64, text string) (m models.Message) {
	tb.Helper()
	do(tb, s, func(tx chat.Tx) (err error) {
		m, err = post(tx, roomID, userID, text, "")
		return err
	})
	return m
}

// recorder keeps what was published.
type recorder struct {
	mu      sync.Mutex
	events  []models.Event
	batches int
}

func (r *recorder) add(events []models.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, events...)
	r.batches++
}

func (r *recorder) ids() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return column(r.events, func(e *models.Event) int64 { return e.ID })
}

// gapless fails unless ids are first, first+1, first+2….
func gapless(tb testing.TB, ids []int64, first int64) {
	tb.Helper()
	for i, id := range ids {
		if id != first+int64(i) {
			tb.Fatalf("id %d at place %d, want %d", id, i, first+int64(i))
		}
	}
}

// fixedClock is a clock that stands.
func fixedClock() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC) }

func TestFreshDatabaseHasTheLobby(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		if h := head(t, s); h != 1 {
			t.Errorf("head %d, want 1", h)
		}
		var lobby models.Room
		view(t, s, func(r chat.Reader) (err error) {
			lobby, err = r.RoomByKey("lobby")
			return err
		})
		if lobby.ID != models.LobbyID || lobby.Kind != models.KindChannel || lobby.Visibility != models.Public ||
			lobby.MemberCount != 0 || lobby.Topic != "" || time.Since(lobby.CreatedAt.Time) > time.Hour {
			t.Errorf("lobby: %+v", lobby)
		}
		var entry []models.Event
		err := s.snapshot(context.Background(), func(r *reader) (err error) {
			entry, err = r.entries([]int64{1})
			return err
		})
		if err != nil || len(entry) != 1 {
			t.Fatalf("entry 1: %v, %v", entry, err)
		}
		want := models.Event{ID: 1, At: lobby.CreatedAt, Type: models.RoomCreated, RoomID: 1, Audience: models.Everyone()}
		if err := want.Encode(models.RoomData{Room: lobby.ForEvent()}); err != nil {
			t.Fatal(err)
		}
		if string(entry[0].JSON) != string(want.JSON) {
			t.Errorf("entry 1 is\n%s, want\n%s", entry[0].JSON, want.JSON)
		}
		if err := s.Ping(context.Background()); err != nil {
			t.Errorf("ping: %v", err)
		}
	})
}

func TestSendAndRead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		o.OnCommit = rec.add
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann := newUser(t, s, "Ann", models.RoleMember)
		room := newChannel(t, s, "Tea", ann)
		m := send(t, s, room.ID, ann.ID, "hello")
		gapless(t, rec.ids(), 2)
		view(t, s, func(r chat.Reader) error {
			h, err := r.Messages(room.ID, models.Page{Limit: 50})
			if err != nil {
				return err
			}
			if len(h.Messages) != 1 || !reflect.DeepEqual(h.Messages[0], m) || h.HasBefore || h.HasAfter {
				t.Errorf("history %+v, want the one message %+v", h, m)
			}
			return nil
		})
		p, err := s.Page(context.Background(), ann.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Events) != 3 || p.To != m.ID || string(p.Events[2].JSON) != string(rec.events[len(rec.events)-1].JSON) {
			t.Errorf("page %+v", p)
		}
	})
}
