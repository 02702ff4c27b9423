package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// What waits for somebody is what others wrote to them alone and they have not read, by the order of the log.
func TestEachWaiting(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		service := chat.New(chat.Options{Store: s})
		ctx := t.Context()
		var actors []chat.Actor
		for _, name := range []string{"me", "ann", "bob"} {
			actors = append(actors, chat.Actor{User: newUser(t, s, name, models.RoleMember)})
		}
		me, ann, bob := actors[0], actors[1], actors[2]
		say := func(from chat.Actor, to, text string) models.Message {
			t.Helper()
			m, _, err := service.Send(ctx, from, models.Draft{To: to, Text: text})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		waiting := func(upTo int64) (texts []string) {
			t.Helper()
			err := service.EachWaiting(ctx, me, upTo, func(m models.Message) error {
				texts = append(texts, m.Text)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			return texts
		}
		want := func(upTo int64, texts ...string) {
			t.Helper()
			if got := waiting(upTo); !slices.Equal(got, texts) {
				t.Errorf("there waits %.300q, want %.300q", got, texts)
			}
		}
		want(models.MaxID)
		var all []string
		var last models.Message
		for i := range 130 { // some pages
			from := []chat.Actor{ann, bob}[i%3%2]
			last = say(from, "@me", fmt.Sprintf("%s %d", from.User.Name, i))
			all = append(all, last.Text)
		}
		say(me, "@ann", "my own")
		say(ann, "lobby", "to all")
		say(ann, "@bob", "to another")
		gone := say(ann, "@me", "deleted")
		if err := service.DeleteMessage(ctx, ann, gone.ID); err != nil {
			t.Fatal(err)
		}
		end := say(bob, "@me", "the end")
		want(last.ID, all...)
		want(end.ID-1, all...)
		want(end.ID, append(all, "the end")...)

		if err := service.Heard(ctx, me, map[int64]int64{last.RoomID: last.ID, 999: 1, models.LobbyID: end.ID}); err != nil {
			t.Error(err)
		}
		var rest []string // those of whom the last one is not
		for i, text := range all {
			if []chat.Actor{ann, bob}[i%3%2].User.ID != last.SenderID {
				rest = append(rest, text)
			}
		}
		want(models.MaxID, append(rest, "the end")...)
		broken := errors.New("no more")
		if err := service.EachWaiting(ctx, me, end.ID, func(models.Message) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// Who is written to by an older protocol and is not there yet is made, as far as that is allowed.
func TestAddressLegacy(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		service := chat.New(chat.Options{Store: s, Guests: true})
		ann := chat.Actor{User: newUser(t, s, "ann", models.RoleMember)}
		asked := 0
		var answer error
		address := func(id int64) (models.User, error) {
			return service.AddressLegacy(t.Context(), ann, chat.LegacyAccount{Protocol: "ws", ID: id, Name: fmt.Sprint("ws-", id), Prefix: "ws-"},
				func() error { asked++; return answer })
		}
		made, err := address(5)
		if err != nil || made.Name != "ws-5" || made.Role != models.RoleGuest || asked != 1 {
			t.Fatalf("made %+v, %v", made, err)
		}
		if again, err := address(5); err != nil || again.ID != made.ID || asked != 1 {
			t.Errorf("again %+v, %v", again, err)
		}
		if web, err := address(chat.LegacyOffset + ann.User.ID); err != nil || web.ID != ann.User.ID {
			t.Errorf("by the other sort of id %+v, %v", web, err)
		}
		for _, id := range []int64{0, -1, chat.LegacyOffset + 1, models.MaxID} {
			if _, err := address(id); models.CodeOf(err) != models.CodeValidationFailed {
				t.Errorf("%d: %v", id, err)
			}
		}
		if asked != 1 {
			t.Errorf("it was asked %d times", asked)
		}
		answer = models.Refuse(models.CodeRateLimited, "too many")
		if _, err := address(6); !errors.Is(err, answer) {
			t.Errorf("refused: %v", err)
		}
		view(t, s, func(r chat.Reader) error {
			if list, err := r.SessionsOf(made.ID); err != nil || len(list) != 0 {
				t.Errorf("who was never here has %d sessions, %v", len(list), err)
			}
			return nil
		})
	})
}

// Sessions of connections whose end a former process did not see are ended, whatever their protocol, and no others.
func TestDepartLeft(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ctx := t.Context()
		before := chat.New(chat.Options{Store: s, Guests: true, Clock: func() time.Time { return time.Now().Add(-time.Hour) }})
		register := func(service *chat.Service, id int64, d chat.Device) chat.Login {
			t.Helper()
			login, err := service.RegisterLegacy(ctx, chat.LegacyAccount{Protocol: "ws", ID: id, Prefix: "ws-"}, d)
			if err != nil {
				t.Fatal(err)
			}
			return login
		}
		left := register(before, 1, chat.GuestOf("ws", "192.0.2.1"))
		other := register(before, 2, chat.GuestOf("support", "192.0.2.1"))
		web := register(before, 3, chat.Device{Agent: "Mozilla"})
		liar := register(before, 4, chat.Device{Agent: "pass\x01ing: line"})
		another := register(before, 5, chat.Device{Agent: "returning: ws"})
		passing, err := before.PassingGuest(ctx, "nc-", chat.Device{Agent: "line"})
		if err != nil {
			t.Fatal(err)
		}
		after := chat.New(chat.Options{Store: s, Guests: true, Clock: func() time.Time { return time.Now().Add(time.Hour) }})
		if err := before.DepartLeft(ctx); err != nil {
			t.Error(err) // they are this process's own
		}
		alive := func(want ...bool) {
			t.Helper()
			for i, login := range []chat.Login{left, other, passing, web, liar, another} {
				if err := after.Alive(ctx, login.Actor); (err == nil) != want[i] {
					t.Errorf("number %d: %v", i, err)
				}
			}
		}
		alive(true, true, true, true, true, true)
		if err := after.DepartLeft(ctx); err != nil {
			t.Error(err)
		}
		alive(false, false, false, true, true, true)
		view(t, s, func(r chat.Reader) error {
			if _, err := r.User(passing.Actor.User.ID); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("the account of a connection: %v", err)
			}
			return nil
		})
	})
}
