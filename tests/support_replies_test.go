package tests

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

const cannedPath = "/v1/support/replies"

// canned makes a canned reply.
func canned(u *harness.User, title, text string) client.SupportReply {
	return harness.Into[client.SupportReply](u.Post(cannedPath, map[string]any{"title": title, "text": text}).Want(201))
}

// cannedList gives all pages of the canned replies.
func cannedList(u *harness.User, limit int, with ...harness.With) (all []client.SupportReply) {
	with = append(with, harness.Query("limit", fmt.Sprint(limit)))
	for page := ""; ; {
		query := slices.Clone(with)
		if page != "" {
			query = append(query, harness.Query("page", page))
		}
		list := harness.Into[client.SupportReplyList](u.Get(cannedPath, query...).Want(200))
		all = append(all, list.Replies...)
		if list.NextPage == nil {
			return all
		}
		page = *list.NextPage
	}
}

func titles(list []client.SupportReply) (titles []string) {
	for _, r := range list {
		titles = append(titles, r.Title)
	}
	return titles
}

func TestCannedReplies(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve := s.Agent(root, "eve")
		for _, u := range []*harness.User{s.User("bob"), s.Guest("guest"), s.Visitor("Li")} {
			u.Get(cannedPath).Refused("forbidden")
			u.Post(cannedPath, map[string]any{"title": "x", "text": "x"}).Refused("forbidden")
			u.Patch(cannedPath+"/1", map[string]any{"title": "x"}).Refused("forbidden")
			u.Delete(cannedPath + "/1").Refused("forbidden")
		}
		long := strings.Repeat("好", 100)
		hello := canned(eve, "  Hello \u00a0 there ", "Hello!")
		if hello.Title != "Hello there" || hello.Text != "Hello!" || hello.By.ID != eve.ID || hello.Queue != nil || hello.Rendered != nil || !hello.UpdatedAt.Equal(hello.CreatedAt) {
			t.Errorf("made: %+v", hello)
		}
		canned(root, "help", strings.Repeat("好", 4000))
		canned(eve, "Straße", "street")
		canned(eve, long, "long")
		general := harness.Into[client.SupportReply](eve.Do("POST", cannedPath, harness.Form("title", "Bye", "text", "Bye!", "queue", "GENERAL")).Want(201))
		if general.Queue == nil || *general.Queue != "general" {
			t.Errorf("for a department: %+v", general)
		}
		for _, title := range []string{"hello  there", "HELP", "STRASSE", long} {
			eve.Post(cannedPath, map[string]any{"title": title, "text": "x"}).Refused("conflict")
		}
		for _, body := range []map[string]any{{"text": "x"}, {"title": "", "text": "x"}, {"title": " ", "text": "x"}, {"title": long + "x", "text": "x"}, {"title": "a\nb", "text": "x"}, {"title": "a\x00b", "text": "x"}} {
			eve.Post(cannedPath, body).Refused("validation_failed", "title")
		}
		for _, text := range []any{"", strings.Repeat("x", 4001), "a\x00b", "{{visitor.name", "{{visitor.age}}", "{{}}", "{{queue|{{agent.name}}}}", strings.Repeat("{{queue}}", 51), 7} {
			eve.Post(cannedPath, map[string]any{"title": "new", "text": text}).Refused("validation_failed", "text")
			eve.Patch(cannedPath+"/"+id(hello.ID), map[string]any{"text": text}).Refused("validation_failed", "text")
		}
		eve.Post(cannedPath, map[string]any{"title": "new", "text": "x", "queue": "nowhere"}).Refused("validation_failed", "queue")
		eve.Get(cannedPath+"?queue=nowhere").Refused("validation_failed", "queue")
		eve.Get(cannedPath+"?page=%21").Refused("validation_failed", "page")

		s.Restart()
		all := []string{"Bye", "Hello there", "help", "Straße", long}
		for _, limit := range []int{1, 2, 3, 5, 200} {
			if got := titles(cannedList(eve, limit)); !slices.Equal(got, all) {
				t.Errorf("by %d: %v", limit, got)
			}
		}
		for q, want := range map[string][]string{
			"HEL": {"Hello there", "help"}, "strass": {"Straße"}, "好好": {long}, "ello": nil, "%": nil, "": all,
		} {
			if got := titles(cannedList(root, 1, harness.Query("q", q))); !slices.Equal(got, want) {
				t.Errorf("beginning with %q: %v, want %v", q, got, want)
			}
		}
		if got := titles(cannedList(eve, 50, harness.Query("queue", "General"))); !slices.Equal(got, all) {
			t.Errorf("of the department and of all: %v", got)
		}

		// Each agent changes each.
		change := func(r client.SupportReply, body map[string]any) client.SupportReply {
			return harness.Into[client.SupportReply](root.Patch(cannedPath+"/"+id(r.ID), body).Want(200))
		}
		same := change(hello, map[string]any{"title": "Hello there", "queue": ""})
		if !same.UpdatedAt.Equal(hello.UpdatedAt) {
			t.Errorf("nothing was changed: %+v", same)
		}
		if got := change(hello, map[string]any{"title": "HELLO THERE"}); got.Title != "HELLO THERE" || got.Text != "Hello!" || got.By.ID != eve.ID {
			t.Errorf("another case: %+v", got)
		}
		if got := change(general, map[string]any{"queue": "", "text": "So long!"}); got.Queue != nil || got.Text != "So long!" || got.Title != "Bye" {
			t.Errorf("of all departments: %+v", got)
		}
		root.Patch(cannedPath+"/"+id(hello.ID), map[string]any{"title": "bye"}).Refused("conflict")
		root.Patch(cannedPath+"/"+id(hello.ID), map[string]any{"queue": "nowhere"}).Refused("validation_failed", "queue")
		root.Patch(cannedPath+"/"+id(hello.ID), map[string]any{"title": " "}).Refused("validation_failed", "title")
		root.Delete(cannedPath + "/" + id(hello.ID)).Want(204)
		for _, ref := range []string{id(hello.ID), "999999", "x", "0"} {
			root.Patch(cannedPath+"/"+ref, map[string]any{"text": "x"}).Refused("not_found")
			root.Delete(cannedPath + "/" + ref).Refused("not_found")
		}
		canned(root, "hello there", "again")
	})
}

// What visitors say of themselves is put in as it stands.
func TestCannedRepliesAreFilledIn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve := s.Agent(root, "eve")
		eve.Patch("/v1/me", map[string]any{"display_name": "Eve {{queue}}"}).Want(200)
		plain := "{{conversation.id}}, {{visitor.name|there}} <{{ visitor.email | none }}>: {{conversation.subject}} ({{queue}}) {{agent.name}}"
		canned(root, "plain", plain)
		canned(root, "none", "no placeholders } }} {")
		open := func(u *harness.User, subject string) string { return id(u.Open(map[string]any{"subject": subject}).ID) }
		visitor := func(body map[string]any) *harness.User {
			a := harness.Into[client.Session](s.Do("POST", "/v1/support/visitors", harness.JSON(body)).Want(201))
			return s.With(a.User.ID, a.User.Name, a.Token)
		}
		tricky := "{{agent.name}} <b>$1 %s"
		a, b, c := open(visitor(map[string]any{"name": tricky, "email": "li@example.org"}), "{{visitor.email}}"),
			open(visitor(map[string]any{}), ""), open(s.User("bob"), "a  parcel")
		for conversation, want := range map[string]string{
			a: a + ", " + tricky + " <li@example.org>: {{visitor.email}} (general) ",
			b: b + ", there < none >:  (general) ",
			c: c + ", bob < none >: a parcel (general) ",
		} {
			for agent, name := range map[*harness.User]string{eve: "Eve {{queue}}", root: "root"} {
				list := cannedList(agent, 1, harness.Query("conversation", conversation))
				if len(list) != 2 || *list[0].Rendered != "no placeholders } }} {" || *list[1].Rendered != want+name || list[1].Text != plain {
					t.Errorf("for %s by %s: %+v, want %q", conversation, agent.Name, list, want+name)
				}
			}
		}
		for _, r := range cannedList(eve, 50) {
			if r.Rendered != nil {
				t.Errorf("filled in for nobody: %+v", r)
			}
		}
		for _, conversation := range []string{"1", "999999", "0", "x"} {
			eve.Get(cannedPath, harness.Query("conversation", conversation)).Refused("validation_failed", "conversation")
		}
	})
}

// There is an end to them, however many come at once.
func TestThousandCannedReplies(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root := s.User("root")
	for i := range 990 {
		canned(root, fmt.Sprint("reply ", i), "x")
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			a, err := s.Try(t.Context(), "POST", cannedPath, root.Bearer(), harness.JSON(map[string]any{"title": fmt.Sprint("more ", i), "text": "x"}))
			if err != nil {
				t.Error(err)
			} else if a.Status != 201 {
				a.Refused("conflict")
			}
		})
	}
	all.Wait()
	if got := cannedList(root, 200); len(got) != 1000 {
		t.Errorf("there are %d", len(got))
	}
}
