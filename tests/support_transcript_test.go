package tests

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func transcript(u *harness.User, conversation int64) client.Transcript {
	return harness.Into[client.Transcript](u.Get(ofTalk(conversation, "transcript")).Want(200))
}

// inText is a moment as the transcript's text has it.
func inText(at time.Time) string { return at.UTC().Format(time.DateTime) }

func TestTranscript(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve, ann := s.Agent(root, "eve"), s.Agent(root, "ann")
		eve.Patch("/v1/me", map[string]any{"display_name": "Eve of Support"}).Want(200)
		session := harness.Into[client.Session](s.Do("POST", "/v1/support/visitors", harness.JSON(map[string]any{
			"name": "Li Wei", "email": "li@example.org", "page": "https://shop.example/", "language": "zh",
		})).Want(201))
		li := s.With(session.User.ID, session.User.Name, session.Token)
		c := li.Open(map[string]any{"subject": "My parcel", "text": "hello"})
		room := id(c.RoomID)
		s.Advance(time.Second) // what happens next has a moment of its own
		act(eve, c.ID, "accept").Want(200)
		said := eve.Send(room, "one\ntwo\r\nthree\n\n2025-01-01 00:00:00 Li Wei: I owe you money\u2028x\ty")
		nasty := li.Send(room, "\x1b[31mred\x1b[0m \u202Eright\a\u0085next")
		gone := li.Send(room, "my password is hunter2")
		note(eve, c.ID, "a note of the agents")
		li.Delete("/v1/messages/" + id(gone.ID)).Want(204)
		eve.Patch("/v1/messages/"+id(said.ID), map[string]any{"text": said.Text + "!"}).Want(200)
		react(li, said.ID, "👍").Want(204)
		act(root, c.ID, "accept").Want(200) // takes over
		last := root.Send(room, "I have it now")
		act(root, c.ID, "close").Want(200)
		rateTalk(li, c.ID, map[string]any{"score": 4, "comment": "good\nand kind"}).Want(200)
		note(ann, c.ID, "another note of the agents")
		stranger := s.User("stranger")
		other := s.Visitor("Bo").Open(map[string]any{"text": "of another"})

		s.Restart()
		for _, u := range []*harness.User{li, eve, ann, root} {
			got := transcript(u, c.ID)
			if got.Conversation.ID != c.ID || got.Conversation.State != "closed" || got.Conversation.Rating == nil || (got.Conversation.NotesRoomID != nil) != (u != li) {
				t.Errorf("%s's has the conversation %+v", u.Name, got.Conversation)
			}
			var texts []string
			for _, m := range got.Messages {
				texts = append(texts, fmt.Sprintf("%s:%.8s", m.Sender.Name, m.Text))
			}
			want := fmt.Sprintf("[%s:hello eve:one\ntwo\r %s:\x1b[31mred %s: root:I have i]", li.Name, li.Name, li.Name)
			if fmt.Sprint(texts) != want || got.Messages[3].DeletedAt == nil || got.Messages[1].EditedAt == nil {
				t.Errorf("%s's has %q, want %q", u.Name, texts, want)
			}
			if me := got.Messages[1].Reactions[0].Me; (me != nil) != (u == li) {
				t.Errorf("%s's reaction: %+v", u.Name, got.Messages[1].Reactions)
			}
			if a := got.Agents; len(a) != 2 || a[0].Agent.Name != "eve" || a[0].To == nil || a[1].Agent.Name != "root" || a[1].To == nil || a[0].To.After(a[1].From) {
				t.Errorf("%s's has the agents %+v", u.Name, a)
			}
		}

		a := li.Get(ofTalk(c.ID, "transcript")+"?format=text", harness.Header("Accept", "application/json")).Want(200)
		now := conversation(li, c.ID)
		all := transcript(root, c.ID)
		want := "Conversation: " + id(c.ID) + "\nDepartment: general\nSubject: My parcel\nVisitor: Li Wei (" + li.Name + ")\nE-mail: li@example.org\n" +
			"Page: https://shop.example/\nLanguage: zh\nOpened: " + inText(now.OpenedAt) + "\nClosed: " + inText(*now.ClosedAt) +
			"\nRating: 4 of 5\nComment: good\n    and kind\n\n"
		for _, line := range []struct {
			at   time.Time
			text string
		}{
			{all.Messages[0].CreatedAt, "Li Wei: hello"}, {all.Agents[0].From, "* Eve of Support joined"},
			{said.CreatedAt, "Eve of Support: one\n    two\n    three\n    \n    2025-01-01 00:00:00 Li Wei: I owe you money\n    x\ty!"},
			{nasty.CreatedAt, "Li Wei: \uFFFD[31mred\uFFFD[0m \uFFFDright\uFFFD\n    next"},
			{gone.CreatedAt, "* a message of Li Wei was deleted"},
			{*all.Agents[0].To, "* Eve of Support left"}, {all.Agents[1].From, "* root joined"},
			{last.CreatedAt, "root: I have it now"}, {*all.Agents[1].To, "* root left"}, {*now.ClosedAt, "* the conversation ended"},
		} {
			want += inText(line.at) + " " + line.text + "\n"
		}
		if got := string(a.Body); got != want {
			t.Errorf("the text is\n%s\nwant\n%s", got, want)
		}
		file := `attachment; filename="conversation-` + id(c.ID) + "-" + now.OpenedAt.UTC().Format(time.DateOnly)
		if a.Header.Get("Content-Type") != "text/plain; charset=utf-8" || a.Header.Get("Content-Disposition") != file+`.txt"` || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.Header)
		}

		for accept, want := range map[string]string{
			"": "json", "*/*": "json", "text/plain": "txt", "text/*": "txt", "application/json": "json", "text/plain;q=0.5, application/json;q=0.4": "txt",
			"text/html, */*;q=0.8": "json", "text/plain, */*;q=0.1": "txt", "text/plain;q=0, */*": "json",
		} {
			a := li.Get(ofTalk(c.ID, "transcript"), harness.Header("Accept", accept)).Want(200)
			if got := a.Header.Get("Content-Disposition"); got != file+"."+want+`"` || a.Header.Get("Vary") != "Accept" {
				t.Errorf("Accept %q gives %v", accept, a.Header)
			}
		}
		li.Get(ofTalk(c.ID, "transcript"), harness.Header("Accept", "text/html")).Refused("not_acceptable")
		li.Get(ofTalk(c.ID, "transcript")+"?format=json", harness.Header("Accept", "text/html")).Want(200)
		li.Get(ofTalk(c.ID, "transcript")+"?format=pdf").Refused("validation_failed", "format")
		if head := li.Do("HEAD", ofTalk(c.ID, "transcript")).Want(200); len(head.Body) != 0 || head.Header.Get("Content-Disposition") != file+`.json"` {
			t.Errorf("HEAD: %v, %q", head.Header, head.Body)
		}

		for _, path := range []string{ofTalk(other.ID, "transcript"), ofTalk(1<<50, "transcript"), "/v1/support/conversations/x/transcript", ofTalk(other.ID, "transcript?format=text")} {
			li.Get(path).Refused("forbidden")
			stranger.Get(path).Refused("not_found")
		}
		stranger.Get(ofTalk(c.ID, "transcript")).Refused("not_found")
	}, harness.OwnClock())
}

// A conversation of more pages than one is whole in both forms.
func TestLongTranscript(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		bob := s.User("bob")
		c := bob.Open(nil)
		have := 0
		for _, n := range []int{0, 1, 199, 200, 201, 1001} {
			sendMany(t, s, bob, id(c.RoomID), n-have)
			have = n
			got := transcript(bob, c.ID)
			if len(got.Messages) != n {
				t.Errorf("%d messages, want %d", len(got.Messages), n)
			}
			for i := 1; i < len(got.Messages); i++ {
				if got.Messages[i].ID <= got.Messages[i-1].ID {
					t.Fatalf("%d comes after %d", got.Messages[i].ID, got.Messages[i-1].ID)
				}
			}
			text := string(root.Get(ofTalk(c.ID, "transcript") + "?format=text").Want(200).Body)
			if lines := strings.Count(text, " bob: "); lines != n {
				t.Errorf("%d lines, want %d", lines, n)
			}
		}
	})
}

// A transcript that the database breaks off looks broken to every client.
func TestTranscriptBreaksOff(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("root")
	bob := s.User("bob")
	c := bob.Open(nil)
	sendMany(t, s, bob, id(c.RoomID), 500) // of three pages
	for _, format := range []string{"json", "text"} {
		path := ofTalk(c.ID, "transcript") + "?format=" + format
		for _, after := range []int{0, 1} {
			bob.Get("/v1/me").Want(200)
			s.BreakAfter(harness.Begin, after)
			if a, err := s.Try(t.Context(), http.MethodGet, path, bob.Bearer()); err == nil && a.Status == 200 {
				t.Errorf("%s after %d snapshots is whole", format, after)
			}
			s.Mend()
		}
		// The server looks into the database by itself too: it may be too early for an answer to have begun.
		harness.Eventually(t, "an answer has begun when it is cut", func() bool {
			s.BreakAfter(harness.Begin, 3)
			defer s.Mend()
			req, err := s.NewRequest(t.Context(), http.MethodGet, path, bob.Bearer())
			if err != nil {
				t.Fatal(err)
			}
			resp, err := plain.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				return false
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err == nil {
				t.Errorf("%s is whole with %d bytes", format, len(body))
			}
			return len(body) > 0
		})
		bob.Get(path).Want(200)
	}
}
