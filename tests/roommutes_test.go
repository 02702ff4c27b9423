package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// soon is a time from now as bodies have it.
func soon(d time.Duration) string { return time.Now().Add(d).UTC().Format(millis) }

// millis is how times are written.
const millis = "2006-01-02T15:04:05.000Z"

// Who is muted reads a room, and adds nothing, until that is lifted or over; it holds through leaving.
func TestMutedInARoom(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		mutes := "/v1/rooms/tea/mutes"
		streams := []*harness.Stream{ann.Stream(), bob.Stream()}
		told := func(muted bool, until *string, reason string) {
			t.Helper()
			for _, st := range streams {
				e := st.Want("member.updated")[0]
				d := harness.DataOf[client.MemberData](e)
				if d.User.ID != bob.ID || d.Role != "member" || (d.Muted != nil) != muted || orEmpty(d.Reason) != reason ||
					(d.MutedUntil != nil) != (until != nil) || until != nil && d.MutedUntil.Format(millis) != *until {
					t.Errorf("the event is %s", e.JSON)
				}
			}
		}

		hour := soon(time.Hour)
		mute := harness.Into[client.Restriction](ann.Put(mutes+"/@bob", map[string]any{"until": hour, "reason": "too loud"}).Want(200))
		if mute.User.ID != bob.ID || mute.Until.Format(millis) != hour || *mute.Reason != "too loud" || mute.By.ID != ann.ID {
			t.Errorf("the mute is %+v", mute)
		}
		told(true, &hour, "too loud")
		p := bob.Post("/v1/send", map[string]any{"to": "tea", "text": "but"}).Refused("muted")
		if want := "you are muted in this room until " + hour + ": too loud"; p.Detail != want {
			t.Errorf("refused with %q, want %q", p.Detail, want)
		}
		bob.Get("/v1/rooms/tea/messages").Want(200)
		bob.Send("lobby", "elsewhere he may")
		for _, st := range streams {
			st.Want("message.created")
		}
		// The events of a muted one say so, whatever they are about.
		ann.Add("tea", bob, "moderator")
		for _, st := range streams {
			if d := harness.DataOf[client.MemberData](st.Want("member.updated")[0]); d.Muted == nil || d.Role != "moderator" {
				t.Errorf("the new role is told as %+v", d)
			}
		}
		ann.Add("tea", bob, "member")
		bob.Post("/v1/rooms/tea/leave", nil).Want(204)
		bob.Post("/v1/rooms/tea/join", nil).Want(200)
		for _, st := range streams {
			e := st.Until("member.joined")
			if d := harness.DataOf[client.MemberData](e[len(e)-1]); d.Muted == nil || d.MutedUntil.Format(millis) != hour {
				t.Errorf("joined as %+v", d)
			}
		}
		bob.Post("/v1/send", map[string]any{"to": "tea", "text": "but"}).Refused("muted")

		// The same one gets another end.
		again := harness.Into[client.Restriction](ann.Put(mutes+"/@bob", map[string]any{}).Want(200))
		if again.Until != nil || again.Reason != nil || again.CreatedAt != mute.CreatedAt {
			t.Errorf("from %+v to %+v", mute, again)
		}
		told(true, nil, "")
		list := harness.Into[client.MuteList](ann.Get(mutes).Want(200))
		if len(list.Mutes) != 1 || list.Mutes[0].User.Name != "bob" || list.Mutes[0].By.Name != "ann" || list.NextPage != nil {
			t.Errorf("the mutes are %+v", list)
		}
		s.Restart()
		bob.Post("/v1/send", map[string]any{"to": "tea", "text": "but"}).Refused("muted")
		bob.Get(mutes).Refused("forbidden")
		streams = []*harness.Stream{ann.Stream(), bob.Stream()}
		ann.Delete(mutes + "/@bob").Want(204)
		ann.Delete(mutes + "/@bob").Want(204) // no second event
		told(false, nil, "")
		bob.Send("tea", "at last")
		for _, st := range streams {
			st.Want("message.created")
		}
	})
}

// A mute ends by the clock; until then a member who comes later is muted from the start.
func TestMuteEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	s.User("root")
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "private")
	stream := ann.Stream()
	ann.Put("/v1/rooms/tea/mutes/@bob", map[string]any{"until": soon(time.Hour)}).Want(200)
	ann.Add("tea", bob, "")
	if d := harness.DataOf[client.MemberData](stream.Want("member.joined")[0]); d.Muted == nil {
		t.Errorf("joined as %+v", d)
	}
	bob.Post("/v1/send", map[string]any{"to": "tea", "text": "early"}).Refused("muted")
	s.Advance(2 * time.Hour)
	bob.Send("tea", "late")
	if list := harness.Into[client.MuteList](ann.Get("/v1/rooms/tea/mutes").Want(200)); len(list.Mutes) != 0 {
		t.Errorf("the mutes are %+v", list)
	}
}

// In the lobby admins mute, without an event: the lobby has none of members.
func TestMutedInTheLobby(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		stream := bob.Stream()
		ann.Put("/v1/rooms/lobby/mutes/@bob", nil).Refused("forbidden")
		ann.Get("/v1/rooms/lobby/mutes").Refused("forbidden")
		root.Put("/v1/rooms/lobby/mutes/@bob", nil).Want(200)
		bob.Post("/v1/send", map[string]any{"text": "hi"}).Refused("muted")
		bob.Send("@ann", "between us")
		root.Delete("/v1/rooms/lobby/mutes/@bob").Want(204)
		said := bob.Send("lobby", "hi")
		if got := fmt.Sprint(stream.UntilID(said.ID)); strings.Contains(got, "member.") {
			t.Errorf("the stream had %s", got)
		}
		for _, admin := range []*harness.User{root, ann} { // nobody is banned from the lobby
			admin.Put("/v1/rooms/lobby/bans/@bob", nil).Refused("forbidden")
			admin.Get("/v1/rooms/lobby/bans").Refused("forbidden")
		}
		wantAudit(t, audit(root, ""), "root member.mute @bob #lobby", "root member.unmute @bob #lobby")
	})
}

// What is wrong is refused, with the field's name, and whom nobody moderates stays as they are.
func TestRestrictionsRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
	eve := s.User("eve")
	ann.Room("tea", "public")
	ann.Add("tea", bob, "moderator")
	s.User("spare") // no member
	before := root.Head()
	for _, how := range []string{"mutes", "bans"} {
		path := "/v1/rooms/tea/" + how
		ann.Put(path+"/@eve", map[string]any{"until": soon(-time.Minute)}).Refused("validation_failed", "until")
		ann.Put(path+"/@eve", map[string]any{"until": "tomorrow"}).Refused("validation_failed", "until")
		ann.Put(path+"/@eve", map[string]any{"reason": strings.Repeat("é", 201)}).Refused("validation_failed", "reason")
		ann.Put(path+"/@eve", map[string]any{"reason": "a\x00b"}).Refused("validation_failed", "reason")
		ann.Put(path+"/@nobody", nil).Refused("not_found")
		ann.Put(path+"/123456", nil).Refused("not_found")
		ann.Delete(path + "/@nobody").Refused("not_found")
		ann.Put(path+"/@ann", nil).Refused("conflict")
		ann.Delete(path + "/@ann").Refused("conflict")
		bob.Put(path+"/@ann", nil).Refused("forbidden")  // the owner
		ann.Put(path+"/@root", nil).Refused("forbidden") // an admin ranks higher
		root.Put(path+"/@root", nil).Refused("conflict") // oneself
		eve.Put(path+"/@bob", nil).Refused("forbidden")  // no member
		eve.Delete(path + "/@bob").Refused("forbidden")  //
		ann.Delete(path + "/@eve").Want(204)             // there is none
		ann.Get(path+"?limit=201").Refused("validation_failed", "limit")
		ann.Get(path+"?page=x").Refused("validation_failed", "page")
		for _, ref := range []string{"nowhere", "@nobody", "999999"} {
			ann.Put("/v1/rooms/"+ref+"/"+how+"/@eve", nil).Refused("not_found")
			ann.Get("/v1/rooms/" + ref + "/" + how).Refused("not_found")
		}
	}
	if after := root.Head(); after != before {
		t.Errorf("the log went from %d to %d", before, after)
	}
	// Two admins cannot shut each other up.
	root.Put("/v1/users/@eve/role", inRole("admin")).Want(200)
	root.Put("/v1/rooms/tea/mutes/@eve", nil).Refused("conflict")
	root.Put("/v1/rooms/tea/bans/@eve", nil).Refused("conflict")
	root.Put("/v1/rooms/lobby/mutes/@eve", nil).Refused("conflict")
}

// Who becomes an admin is muted and banned no more.
func TestRestrictionsEndWithAdmins(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	ann.Put("/v1/rooms/tea/bans/@bob", nil).Want(200)
	root.Put("/v1/rooms/lobby/mutes/@bob", nil).Want(200)
	root.Put("/v1/users/@bob/role", inRole("admin")).Want(200)
	bob.Send("lobby", "I may")
	bob.Post("/v1/rooms/tea/join", nil).Want(200)
	bob.Send("tea", "I may")
}

// The lists page by user, each once.
func TestRestrictionsPage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann := s.User("ann")
		ann.Room("tea", "private")
		var want []int64
		for i := range 5 {
			u := s.User(fmt.Sprint("u", i))
			for _, how := range []string{"mutes", "bans"} {
				ann.Put("/v1/rooms/tea/"+how+"/"+u.Ref(), nil).Want(200)
			}
			want = append(want, u.ID)
		}
		for _, limit := range []string{"1", "2", "5", "50"} {
			var mutes, bans []int64
			for page := ""; ; {
				list := harness.Into[client.MuteList](ann.Get("/v1/rooms/tea/mutes?limit=" + limit + page).Want(200))
				for _, m := range list.Mutes {
					mutes = append(mutes, m.User.ID)
				}
				if list.NextPage == nil {
					break
				}
				page = "&page=" + *list.NextPage
			}
			for page := ""; ; {
				list := harness.Into[client.RoomBanList](ann.Get("/v1/rooms/tea/bans?limit=" + limit + page).Want(200))
				for _, b := range list.Bans {
					bans = append(bans, b.User.ID)
				}
				if list.NextPage == nil {
					break
				}
				page = "&page=" + *list.NextPage
			}
			if !slices.Equal(mutes, want) || !slices.Equal(bans, want) {
				t.Errorf("by %s: mutes %v, bans %v, want %v", limit, mutes, bans, want)
			}
		}
	})
}

// A form's end counts as much as JSON's.
func TestUntilInForms(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann, _ := s.User("root"), s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	const end = "2999-12-31T00:00:00.000Z"
	calls := map[string]func(until string) *harness.Answer{
		"banUser": func(until string) *harness.Answer {
			return root.Do("PUT", "/v1/users/@bob/ban", harness.Form("until", until))
		},
		"banAddress": func(until string) *harness.Answer {
			return root.Do("POST", "/v1/bans", harness.Form("address", "192.0.2.1", "until", until))
		},
		"muteMember": func(until string) *harness.Answer {
			return ann.Do("PUT", "/v1/rooms/tea/mutes/@bob", harness.Form("until", until))
		},
		"banMember": func(until string) *harness.Answer {
			return ann.Do("PUT", "/v1/rooms/tea/bans/@bob", harness.Form("until", until))
		},
	}
	for name, call := range calls {
		if a := call(end); a.Status >= 300 || !strings.Contains(string(a.Body), `"until":"`+end+`"`) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		for _, wrong := range []string{"", "tomorrow", "1999-12-31T00:00:00Z"} {
			call(wrong).Refused("validation_failed", "until")
		}
	}
}

// orEmpty gives a text that may be absent.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
