package tests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// pathOf is where a message is.
func pathOf(m client.Message) string { return "/v1/messages/" + id(m.ID) }

// edit gives a message another text.
func edit(u *harness.User, m client.Message, text string, with ...harness.With) *harness.Answer {
	return u.Do("PATCH", pathOf(m), append([]harness.With{harness.JSON(map[string]any{"text": text})}, with...)...)
}

func ifMatch(tags string) harness.With { return harness.Header("If-Match", tags) }

// earlier are the texts that a message had, over small pages.
func earlier(u *harness.User, m client.Message) (texts []string) {
	for page := ""; ; {
		list := harness.Into[client.EditList](u.Get(pathOf(m) + "/edits?limit=2" + page).Want(200))
		for _, e := range list.Edits {
			texts = append(texts, e.Text)
		}
		if list.NextPage == nil {
			return texts
		}
		page = "&page=" + *list.NextPage
	}
}

// An edit is everywhere at once: in the answer, the history, the message, on open streams and in a replay, where the event
// of the first text stays as it was.
func TestEdit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		stream, start := bob.Stream(), bob.Head()
		m := sent(send(ann, map[string]any{"text": "one", "nonce": "n"}))
		stream.Want("message.created")
		if a := bob.Get(pathOf(m)).Want(200); a.Header.Get("ETag") != `"`+id(m.ID)+`"` || harness.Into[client.Message](a).Text != "one" {
			t.Errorf("the new message is %s with %v", a.Body, a.Header)
		}
		for _, text := range []string{"two", "Grüße, 小明 🐟 <b>&\\\"\u2028\n", strings.Repeat("a", 16384), "three"} {
			a := edit(ann, m, text).Want(200)
			e := stream.Want("message.updated")[0]
			got, told := harness.Into[client.Message](a), harness.DataOf[client.MessageData](e).Message
			if a.Header.Get("ETag") != `"`+id(e.ID)+`"` || e.RoomID != 1 {
				t.Errorf("event %s, ETag %s", e.JSON, a.Header.Get("ETag"))
			}
			for _, m2 := range []client.Message{got, told, bob.History("lobby")[0], harness.Into[client.Message](bob.Get(pathOf(m)).Want(200))} {
				if m2.ID != m.ID || m2.Text != text || m2.EditedAt == nil || !m2.EditedAt.Equal(e.At) || !m2.CreatedAt.Equal(m.CreatedAt) ||
					*m2.Nonce != "n" || m2.Sender.Name != "ann" {
					t.Errorf("the edited message is %+v", m2)
				}
			}
			if again := bob.Get(pathOf(m)).Want(200).Header.Get("ETag"); again != a.Header.Get("ETag") {
				t.Errorf("ETag %s, then %s", a.Header.Get("ETag"), again)
			}
			// The same text again is no edit.
			head := bob.Head()
			if same := edit(ann, m, text).Want(200); same.Header.Get("ETag") != a.Header.Get("ETag") || bob.Head() != head {
				t.Errorf("the same text again gives %v and moves the log from %d to %d", same.Header, head, bob.Head())
			}
		}
		ann.Do("PATCH", pathOf(m), harness.Form("text", "by form")).Want(200)
		if again := sent(send(ann, map[string]any{"text": "one", "nonce": "n"})); again.ID != m.ID || again.Text != "by form" {
			t.Errorf("the nonce gives %+v", again)
		}
		send(ann, map[string]any{"text": "by form", "nonce": "n"}).Refused("nonce_reused")
		events := bob.Events(start)
		if len(events) != 6 || events[0].Text() != "one" || events[1].Text() != "two" || events[5].Text() != "by form" {
			t.Errorf("a replay gives %v", events)
		}
		s.Restart()
		if got := bob.History("lobby"); len(got) != 1 || got[0].Text != "by form" {
			t.Errorf("after a restart: %+v", got)
		}
	})
}

func TestEditRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		m := ann.Send("lobby", "one")
		check := unchanged(t, root)
		for _, u := range []*harness.User{root, bob} {
			if p := edit(u, m, "two").Refused("forbidden"); !strings.Contains(p.Detail, "author") {
				t.Errorf("it says %q", p.Detail)
			}
		}
		for _, text := range []string{"", "a\x00", strings.Repeat("a", 16385)} {
			edit(ann, m, text).Refused("validation_failed", "text")
		}
		ann.Patch(pathOf(m), map[string]any{}).Refused("validation_failed", "text")
		ann.Patch(pathOf(m), map[string]any{"text": "x", "nonce": "y"}).Refused("validation_failed", "nonce")
		ann.Patch(pathOf(m), map[string]any{"text": 1}).Refused("validation_failed", "text")
		sameAsNone(t, edit(ann, client.Message{ID: ann.ID}, "no message"), edit(ann, client.Message{ID: 1 << 40}, "x"))
		check()
	})
}

// Who left a public channel may still correct what they said there; who cannot read it any more may not, nor who is
// blocked, nor towards an account that is gone.
func TestEditAfterwards(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		root.Room("open", "public")
		root.Room("closed", "private")
		root.Add("open", ann, "")
		root.Add("closed", ann, "")
		open, closed := ann.Send("open", "one"), ann.Send("closed", "one")
		direct := ann.Send("@bob", "one")
		stream := root.Stream()
		ann.Post("/v1/rooms/open/leave", nil).Want(204)
		root.Delete("/v1/rooms/closed/members/@ann").Want(204)
		stream.Want("member.left", "member.left")
		edit(ann, open, "two").Want(200)
		stream.Want("message.updated")
		sameAsNone(t, edit(ann, closed, "two"), edit(ann, client.Message{ID: 1 << 40}, "two"))
		sameAsNone(t, ann.Delete(pathOf(closed)), ann.Delete("/v1/messages/"+id(1<<40)))
		bob.Put("/v1/blocks/@ann", nil).Want(204)
		edit(ann, direct, "two").Refused("forbidden")
		bob.Delete("/v1/blocks/@ann").Want(204)
		edit(ann, direct, "two").Want(200)
		leave(bob, false).Want(204)
		edit(ann, direct, "three").Refused("conflict")
		ann.Delete(pathOf(direct)).Want(204) // to take back is always possible
		root.Delete("/v1/rooms/open").Want(204)
		ann.Get(pathOf(open)).Refused("not_found")
	})
}

func TestEditIfMatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		m := ann.Send("lobby", "one")
		first := `"` + id(m.ID) + `"`
		second := edit(ann, m, "two", ifMatch(first)).Want(200).Header.Get("ETag")
		check := unchanged(t, ann)
		for _, tags := range []string{first, "W/" + second, first + ", W/" + second, id(m.ID), "nonsense", `"`, `"*"`, `""`} {
			edit(ann, m, "three", ifMatch(tags)).Refused("precondition_failed")
			edit(ann, m, "two", ifMatch(tags)).Refused("precondition_failed") // the same text, but they do not know it
		}
		check()
		third := edit(ann, m, "three", ifMatch(first+", "+second)).Want(200).Header.Get("ETag")
		lines := func(tags ...string) harness.With { // a list may come in several lines
			return func(r *http.Request) { r.Header["If-Match"] = tags }
		}
		edit(ann, m, "four", lines(first, second)).Refused("precondition_failed")
		edit(ann, m, "four", lines(first, third)).Want(200)
		edit(ann, m, "five", ifMatch("*")).Want(200)
		edit(ann, client.Message{ID: 1 << 40}, "six", ifMatch("*")).Refused("not_found")
		edit(s.User("bob"), m, "six", ifMatch(first)).Refused("forbidden")
	})
}

// Of all who edit what they have read, one comes first, and the others learn that it is another text now.
func TestEditsRace(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		devices := []*harness.User{ann}
		for range 3 {
			devices = append(devices, ann.Other())
		}
		m := ann.Send("lobby", "0")
		for round := range 10 {
			tag := ann.Get(pathOf(m)).Want(200).Header.Get("ETag")
			var racing sync.WaitGroup
			won := make(chan string, len(devices))
			for i, d := range devices {
				racing.Go(func() {
					text := fmt.Sprint(round, " by ", i)
					a, err := s.Try(t.Context(), "PATCH", pathOf(m), d.Bearer(), ifMatch(tag), harness.JSON(map[string]any{"text": text}))
					switch {
					case err != nil:
						t.Error(err)
					case a.Status == 200:
						won <- text
					default:
						a.Refused("precondition_failed")
					}
				})
			}
			racing.Wait()
			close(won)
			var winners []string
			for text := range won {
				winners = append(winners, text)
			}
			if now := harness.Into[client.Message](ann.Get(pathOf(m)).Want(200)); len(winners) != 1 || now.Text != winners[0] {
				t.Fatalf("%q won, the text is %q", winners, now.Text)
			}
		}
	})
}

// Earlier texts are for the author and for those who look after the room.
func TestEarlierTexts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		m, other := ann.Send("lobby", "0"), ann.Send("lobby", "of another message")
		if got := earlier(ann, m); len(got) != 0 {
			t.Errorf("of a new message: %q", got)
		}
		first := harness.Into[client.Message](edit(ann, m, "1").Want(200))
		edit(ann, other, "and its other text").Want(200)
		edit(ann, m, "1").Want(200)
		edit(ann, m, "2").Want(200)
		edit(ann, m, "1").Want(200)
		edit(ann, m, "5").Want(200)
		if got := earlier(ann, m); !slices.Equal(got, []string{"0", "1", "2", "1"}) {
			t.Errorf("earlier texts: %q", got)
		}
		list := harness.Into[client.EditList](ann.Get(pathOf(m) + "/edits").Want(200))
		if len(list.Edits) != 4 || list.NextPage != nil || !list.Edits[0].CreatedAt.Equal(m.CreatedAt) || !list.Edits[1].CreatedAt.Equal(*first.EditedAt) {
			t.Errorf("earlier texts: %+v", list)
		}
		bob.Get(pathOf(m) + "/edits").Refused("forbidden")
		ann.Get(pathOf(m)+"/edits?limit=0").Refused("validation_failed", "limit")
		ann.Get(pathOf(m)+"/edits?page=x").Refused("validation_failed", "page")
		ann.Delete(pathOf(m)).Want(204)
		if got := earlier(ann, m); len(got) != 0 {
			t.Errorf("of a deleted message: %q", got)
		}
	})
}

// Who is muted or banned in a room puts nothing into it by an edit either, and nobody does where it is archived. To take
// back what one has said is always possible.
func TestEditUnderRestrictions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		for i, restrict := range []struct {
			code string
			do   func(room string, ann *harness.User)
			lift func(room string, ann *harness.User)
		}{
			{"muted", func(room string, ann *harness.User) {
				root.Put("/v1/rooms/"+room+"/mutes/"+ann.Ref(), nil).Want(200, 204)
			},
				func(room string, ann *harness.User) {
					root.Delete("/v1/rooms/" + room + "/mutes/" + ann.Ref()).Want(204)
				}},
			{"banned", func(room string, ann *harness.User) {
				root.Put("/v1/rooms/"+room+"/bans/"+ann.Ref(), nil).Want(200, 204)
			},
				func(room string, ann *harness.User) {
					root.Delete("/v1/rooms/" + room + "/bans/" + ann.Ref()).Want(204)
				}},
			{"conflict", func(room string, _ *harness.User) {
				root.Patch("/v1/rooms/"+room, map[string]any{"archived": true}).Want(200)
			},
				func(room string, _ *harness.User) {
					root.Patch("/v1/rooms/"+room, map[string]any{"archived": false}).Want(200)
				}},
			{"muted", func(room string, ann *harness.User) { // who left is muted still
				root.Put("/v1/rooms/"+room+"/mutes/"+ann.Ref(), nil).Want(200, 204)
				ann.Post("/v1/rooms/"+room+"/leave", nil).Want(204)
			}, func(room string, ann *harness.User) {
				root.Delete("/v1/rooms/" + room + "/mutes/" + ann.Ref()).Want(204)
			}},
		} {
			ann, room := s.User(fmt.Sprint("ann", i)), fmt.Sprint("room", i)
			root.Room(room, "public")
			root.Add(room, ann, "")
			m, second := ann.Send(room, "one"), ann.Send(room, "one")
			restrict.do(room, ann)
			check := unchanged(t, root)
			edit(ann, m, "two").Refused(restrict.code)
			edit(ann, m, "one").Refused(restrict.code)
			check()
			ann.Delete(pathOf(second)).Want(204)
			root.Delete(pathOf(m)).Want(204)
			restrict.lift(room, ann)
		}
		ann := s.User("ann")
		root.Room("tea", "public")
		root.Add("tea", ann, "")
		m := ann.Send("tea", "one")
		root.Put("/v1/rooms/tea/bans/@ann", nil).Want(200, 204)
		root.Delete("/v1/rooms/tea/bans/@ann").Want(204)
		edit(ann, m, "two").Want(200) // she is not in it any more, and not banned
	})
}

// A member of a room that shows its history from the joining on finds no older message by its id either, nor around it.
func TestMessageBeforeTheJoining(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join"}).Want(200)
		old := ann.Send("tea", "before bob")
		ann.Add("tea", bob, "moderator")
		young := ann.Send("tea", "with bob")
		bob.Get(pathOf(young)).Want(200)
		none := client.Message{ID: 1 << 40}
		sameAsNone(t, bob.Get(pathOf(old)), bob.Get(pathOf(none)))
		sameAsNone(t, bob.Get(pathOf(old)+"/edits"), bob.Get(pathOf(none)+"/edits"))
		sameAsNone(t, bob.Delete(pathOf(old)), bob.Delete(pathOf(none)))
		ann.Get(pathOf(old)).Want(200)
		for _, around := range []int64{old.ID, young.ID} {
			got := harness.Into[client.MessageList](bob.Get("/v1/rooms/tea/messages", harness.Query("around", id(around))).Want(200))
			if len(got.Messages) != 1 || got.Messages[0].ID != young.ID || got.HasBefore || got.HasAfter {
				t.Errorf("around %d: %+v", around, got)
			}
		}
	})
}

// An export has the texts that the own messages had, and of nobody else's.
func TestExportOfEdits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		one, two, gone := ann.Send("lobby", "one"), ann.Send("@bob", "two"), ann.Send("lobby", "SECRET")
		his := bob.Send("@ann", "SECRET of bob's")
		edit(bob, his, "hello").Want(200)
		edit(ann, two, "two, better").Want(200)
		edit(ann, gone, "SECRET as well").Want(200)
		ann.Delete(pathOf(gone)).Want(204)
		want := []string{}
		for i := range 450 { // more than two pages
			want = append(want, fmt.Sprint(one.ID, " ", harness.Into[client.Message](ann.Get(pathOf(one)).Want(200)).Text))
			edit(ann, one, fmt.Sprint("one ", i)).Want(200)
		}
		want = append(want, fmt.Sprint(two.ID, " two"))
		files := unzip(t, ann.Get("/v1/me/export").Want(200))
		got := []string{}
		for _, e := range ndjson[struct {
			MessageID int64 `json:"message_id"`
			Text      string
		}](t, files["edits.ndjson"]) {
			got = append(got, fmt.Sprint(e.MessageID, " ", e.Text))
		}
		if !slices.Equal(got, want) {
			t.Errorf("edits.ndjson has %q, want %q", got, want)
		}
		for name, file := range files {
			if strings.Contains(string(file), "SECRET") {
				t.Errorf("%s holds what was deleted or is another's", name)
			}
		}
	})
}
