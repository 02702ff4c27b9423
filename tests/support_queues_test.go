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

func department(u *harness.User, body map[string]any) client.SupportQueue {
	return harness.Into[client.SupportQueue](u.Post("/v1/support/queues", body).Want(201))
}

func changeDepartment(u *harness.User, name string, body map[string]any) client.SupportQueue {
	return harness.Into[client.SupportQueue](u.Patch("/v1/support/queues/"+name, body).Want(200))
}

// departments are all, page by page.
func departments(u *harness.User, limit int) (all []client.SupportQueue) {
	for page := ""; ; {
		list := harness.Into[client.SupportQueueList](u.Get(fmt.Sprintf("/v1/support/queues?limit=%d%s", limit, page)).Want(200))
		if all = append(all, list.Queues...); list.NextPage == nil {
			return all
		}
		page = "&page=" + *list.NextPage
	}
}

func departmentNames(u *harness.User) (names []string) {
	for _, q := range departments(u, 2) {
		names = append(names, q.Name)
	}
	return names
}

// openOn are hours in UTC with the times of the week, `monday 09:00 17:00`.
func openOn(times ...string) map[string]any {
	weekly := []any{}
	for _, text := range times {
		f := strings.Fields(text)
		weekly = append(weekly, map[string]any{"day": f[0], "from": f[1], "to": f[2]})
	}
	return map[string]any{"timezone": "UTC", "weekly": weekly}
}

// patient has no conversation closed for its visitor's being away, however long a test takes.
func patient() harness.Option { return harness.Flags("--support-leave-after", "0") }

// neverOpen are hours that have no opening.
func neverOpen() map[string]any { return openOn() }

func TestDepartments(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		general := departments(eve, 50)
		if len(general) != 1 || general[0].Name != "general" || string(general[0].Assignment) != "auto" || general[0].Hours != nil || !general[0].Open {
			t.Errorf("at first: %+v", general)
		}
		sales := department(admin, map[string]any{"name": "Sales"})
		if sales.Name != "Sales" || string(sales.Assignment) != "auto" || sales.Hours != nil || !sales.Open || sales.NextOpening != nil || sales.Waiting != 0 {
			t.Errorf("made: %+v", sales)
		}
		hours := openOn("monday 09:00 12:00", "monday 13:00 24:00")
		hours["timezone"], hours["closed"] = "Asia/Tokyo", []string{"2025-12-25"}
		care := department(admin, map[string]any{"name": "售后", "assignment": "manual", "hours": hours})
		if string(care.Assignment) != "manual" || care.Hours == nil || care.Hours.Timezone != "Asia/Tokyo" || len(care.Hours.Weekly) != 2 ||
			care.Hours.Weekly[1].To != "24:00" || len(care.Hours.Closed) != 1 || care.Open == (care.NextOpening != nil) {
			t.Errorf("made: %+v", care)
		}
		if got := departmentNames(eve); !slices.Equal(got, []string{"general", "Sales", "售后"}) {
			t.Errorf("there are %v", got)
		}

		// By name in any case, or by id; all of a change or nothing.
		if got := changeDepartment(admin, "sALES", map[string]any{"name": "shop"}); got.Name != "shop" || got.ID != sales.ID {
			t.Errorf("renamed: %+v", got)
		}
		admin.Patch("/v1/support/queues/sales", map[string]any{}).Refused("not_found")
		admin.Patch("/v1/support/queues/shop", map[string]any{"name": "General", "assignment": "manual"}).Refused("name_taken")
		if got := changeDepartment(admin, id(sales.ID), map[string]any{"name": "Shop", "hours": hours}); got.Name != "Shop" || string(got.Assignment) != "auto" || got.Hours == nil {
			t.Errorf("changed: %+v", got)
		}
		if got := changeDepartment(admin, "shop", map[string]any{"assignment": "manual"}); got.Hours == nil || string(got.Assignment) != "manual" {
			t.Errorf("the hours were not meant: %+v", got)
		}
		if got := changeDepartment(admin, "shop", map[string]any{"hours": nil}); got.Hours != nil || !got.Open || string(got.Assignment) != "manual" {
			t.Errorf("always open: %+v", got)
		}
		changeDepartment(admin, "shop", map[string]any{"hours": nil, "name": "Shop"}) // changes nothing

		// The general one stays, with its name.
		admin.Patch("/v1/support/queues/general", map[string]any{"name": "all"}).Refused("conflict")
		admin.Patch("/v1/support/queues/1", map[string]any{"name": "General"}).Refused("conflict")
		admin.Delete("/v1/support/queues/general").Refused("conflict")
		changeDepartment(admin, "general", map[string]any{"name": "general", "assignment": "manual"})

		for _, name := range []string{"shop", "SHOP", "general"} {
			admin.Post("/v1/support/queues", map[string]any{"name": name}).Refused("name_taken")
		}
		for _, name := range []string{"", "two words", "12", "a/b", "true", "FALSE", "...", strings.Repeat("x", 33)} {
			admin.Post("/v1/support/queues", map[string]any{"name": name}).Refused("validation_failed", "name")
			if name != "" {
				admin.Patch("/v1/support/queues/shop", map[string]any{"name": name}).Refused("validation_failed", "name")
			}
		}
		for _, ref := range []string{"nowhere", "999", "0", "%00", strings.Repeat("x", 2000)} {
			admin.Patch("/v1/support/queues/"+ref, map[string]any{"name": "x"}).Refused("not_found")
			admin.Delete("/v1/support/queues/" + ref).Refused("not_found")
		}
		s.Restart()
		admin.Delete("/v1/support/queues/" + id(care.ID)).Want(204)
		admin.Delete("/v1/support/queues/" + id(care.ID)).Refused("not_found")
		if got := departmentNames(eve); !slices.Equal(got, []string{"general", "Shop"}) {
			t.Errorf("there are %v", got)
		}
		json := `{"timezone":"Asia/Tokyo","weekly":[{"day":"monday","from":"09:00","to":"12:00"},{"day":"monday","from":"13:00","to":"24:00"}],"closed":["2025-12-25"]}`
		var got []string
		for _, line := range audit(admin, "") {
			if strings.Contains(line, "queue.") {
				got = append(got, line)
			}
		}
		wantAudit(t, got,
			"admin queue.create [assignment:auto hours:always queue:Sales]",
			"admin queue.create [assignment:manual hours:"+json+" queue:售后]",
			"admin queue.update [name:shop queue:Sales]",
			"admin queue.update [hours:"+json+" name:Shop queue:shop]",
			"admin queue.update [assignment:manual queue:Shop]",
			"admin queue.update [hours:always queue:Shop]",
			"admin queue.update [assignment:manual queue:general]",
			"admin queue.delete [queue:售后]",
		)
		wantAudit(t, audit(admin, "&action=queue.delete"), "admin queue.delete [queue:售后]")
	})
}

func TestManyDepartments(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin := s.User("admin")
	for i := range 99 {
		department(admin, map[string]any{"name": fmt.Sprintf("d%d", i)})
	}
	admin.Post("/v1/support/queues", map[string]any{"name": "more"}).Refused("conflict")
	if got := departments(admin, 7); len(got) != 100 || !slices.IsSortedFunc(got, func(a, b client.SupportQueue) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("there are %d: %v", len(got), departmentNames(admin))
	}
	admin.Delete("/v1/support/queues/d7").Want(204)
	department(admin, map[string]any{"name": "more"})
}

func TestWhoRunsDepartments(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin := s.User("admin")
	eve := s.Agent(admin, "eve")
	department(admin, map[string]any{"name": "sales"})
	calls := func(u *harness.User) []*harness.Answer {
		return []*harness.Answer{
			u.Post("/v1/support/queues", map[string]any{"name": "other"}), u.Patch("/v1/support/queues/sales", map[string]any{"assignment": "manual"}),
			u.Delete("/v1/support/queues/sales"), u.Delete("/v1/support/queues/nowhere"),
			u.Put("/v1/support/agents/@eve", map[string]any{"capacity": 9}), u.Put("/v1/support/agents/@nobody", map[string]any{"capacity": 9}),
		}
	}
	before := departments(admin, 50)
	for _, u := range []*harness.User{s.User("member"), s.Guest("guest"), s.Visitor("Li")} {
		u.Get("/v1/support/queues").Refused("forbidden")
		for _, a := range calls(u) {
			a.Refused("forbidden")
		}
	}
	for _, a := range calls(eve) {
		a.Refused("forbidden")
	}
	if after := departments(eve, 50); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("refused, and changed %+v to %+v", before, after)
	}
}

func TestDepartmentHoursRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin := s.User("admin")
	department(admin, map[string]any{"name": "sales"})
	with := func(field string, value any) map[string]any {
		h := openOn("monday 09:00 17:00")
		h[field] = value
		return h
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = "2025-01-01"
	}
	for _, c := range []struct {
		field string
		hours any
	}{
		{"hours", "always"},
		{"hours/timezone", with("timezone", "Atlantis")},
		{"hours/timezone", with("timezone", "")},
		{"hours/timezone", with("timezone", nil)},
		{"hours/weekly", map[string]any{"timezone": "UTC"}},
		{"hours/weekly", openOn(slices.Repeat([]string{"monday 09:00 17:00"}, 51)...)},
		{"hours/weekly/0/day", openOn("someday 09:00 17:00")},
		{"hours/weekly/0/from", openOn("monday 9:00 17:00")},
		{"hours/weekly/1/to", openOn("monday 09:00 17:00", "tuesday 09:00 25:00")},
		{"hours/weekly/0/to", openOn("monday 17:00 09:00")},
		{"hours/weekly/1/from", openOn("monday 09:00 17:00", "monday 16:59 20:00")},
		{"hours/weekly/0/lunch", with("weekly", []any{map[string]any{"day": "monday", "from": "09:00", "to": "17:00", "lunch": true}})},
		{"hours/closed/1", with("closed", []string{"2025-12-25", "2025-02-30"})},
		{"hours/closed", with("closed", many)},
		{"hours/open", with("open", true)},
	} {
		admin.Post("/v1/support/queues", map[string]any{"name": "care", "hours": c.hours}).Refused("validation_failed", c.field)
		admin.Patch("/v1/support/queues/sales", map[string]any{"hours": c.hours}).Refused("validation_failed", c.field)
	}
	if got := departmentNames(admin); !slices.Equal(got, []string{"general", "sales"}) {
		t.Errorf("there are %v", got)
	}
}

// opensLater gives hours with one opening, which begins three hours after now, and its beginning and end. The seconds are
// cut off: what is said of the opening is exact, how far it is away is not.
func opensLater() (hours map[string]any, from, to time.Time) {
	from = time.Now().UTC().Add(3 * time.Hour).Truncate(time.Minute)
	to = from.Add(30 * time.Minute)
	day := func(t time.Time) string { return strings.ToLower(t.Weekday().String()) }
	if midnight := to.Truncate(24 * time.Hour); from.Before(midnight) {
		times := []string{day(from) + from.Format(" 15:04 ") + "24:00"}
		if midnight.Before(to) {
			times = append(times, day(to)+" 00:00 "+to.Format("15:04"))
		}
		return openOn(times...), from, to
	}
	return openOn(day(from) + from.Format(" 15:04 ") + to.Format("15:04")), from, to
}

// Outside the hours nothing is assigned: who comes is told when it opens, and can leave a message. At the opening it is
// assigned by itself.
func TestOpeningHours(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		tap := eve.Stream(harness.Query("types", "support.updated"))
		eve.Serve(5)
		hours, from, to := opensLater()
		if q := department(admin, map[string]any{"name": "sales", "hours": hours}); q.Open || q.NextOpening == nil || !q.NextOpening.Equal(from) {
			t.Errorf("it opens at %v: %+v", from, q)
		}
		li, bo := s.Visitor("Li"), s.Visitor("Bo")
		p := li.Post("/v1/support/conversations", map[string]any{"queue": "sales", "wait": false}).Refused("no_agent_available")
		if p.NextOpening == nil || !p.NextOpening.Equal(from) {
			t.Errorf("refused, to come again at %v, want %v", p.NextOpening, from)
		}
		c := li.Open(map[string]any{"queue": "sales", "text": "Are you there?"})
		waits := func(c client.Conversation) {
			t.Helper()
			if c.State != "queued" || c.OutOfHours == nil || c.NextOpening == nil || !c.NextOpening.Equal(from) || c.Offline == nil {
				t.Errorf("it waits for %v: %+v", from, c)
			}
		}
		waits(c)
		waits(conversation(li, c.ID))
		waits(conversation(eve, c.ID))
		waits(harness.Into[client.ConversationList](eve.Get("/v1/support/conversations?queue=sales").Want(200)).Conversations[0])
		heardStates(t, tap, c.ID, "queued")

		// What is for a department that is open is not held up, and a conversation that has its agent knows no hours.
		other := bo.Open(nil)
		heardStates(t, tap, other.ID, "queued", "assigned")
		if got := conversation(bo, other.ID); got.State != "assigned" || got.OutOfHours != nil || got.NextOpening != nil || got.Offline != nil {
			t.Errorf("the general one is open: %+v", got)
		}
		// Nor is it given to who becomes free meanwhile.
		act(bo, other.ID, "close").Want(200)
		heardStates(t, tap, other.ID, "closed")
		eve.Serve(6)
		waits(conversation(eve, c.ID))
		if q := departments(eve, 50)[1]; q.Waiting != 1 {
			t.Errorf("one waits: %+v", q)
		}

		s.Advance(3 * time.Hour)
		heardStates(t, tap, c.ID, "assigned")
		if got := conversation(li, c.ID); got.State != "assigned" || got.OutOfHours != nil || got.NextOpening != nil {
			t.Errorf("it is open: %+v", got)
		}
		if q := departments(eve, 50)[1]; !q.Open || q.NextOpening != nil || q.Waiting != 0 {
			t.Errorf("it is open: %+v", q)
		}
		s.Advance(to.Sub(from))
		if q := departments(eve, 50)[1]; q.Open || q.NextOpening == nil || !q.NextOpening.Equal(from.AddDate(0, 0, 7)) {
			t.Errorf("it opens again a week after %v: %+v", from, q)
		}
		if got := conversation(li, c.ID); got.State != "assigned" {
			t.Errorf("who talks may talk on: %+v", got)
		}
	}, harness.OwnClock(), patient())
}

// By hand an agent takes also what waits for the opening, and a department that never opens again says no time.
func TestOutsideTheHours(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, patient())
	admin := s.User("admin")
	eve := s.Agent(admin, "eve")
	eve.Stream()
	eve.Serve(5)
	if q := department(admin, map[string]any{"name": "sales", "hours": neverOpen()}); q.Open || q.NextOpening != nil {
		t.Errorf("never open: %+v", q)
	}
	li := s.Visitor("Li")
	if p := li.Post("/v1/support/conversations", map[string]any{"queue": "sales", "wait": false}).Refused("no_agent_available"); p.NextOpening != nil {
		t.Errorf("it opens at %v", p.NextOpening)
	}
	c := li.Open(map[string]any{"queue": "sales"})
	if c.OutOfHours == nil || c.NextOpening != nil {
		t.Errorf("never open: %+v", c)
	}
	if got := harness.Into[client.Conversation](act(eve, c.ID, "accept").Want(200)); got.State != "assigned" || got.OutOfHours != nil {
		t.Errorf("accepted: %+v", got)
	}
	// It is the hours of the department that it goes to that count.
	act(eve, c.ID, "close").Want(200)
	other := li.Open(map[string]any{"queue": "sales"})
	eve.Post(fmt.Sprintf("/v1/support/conversations/%d/transfer", other.ID), map[string]any{"queue": "general"}).Want(200)
	if got := conversation(li, other.ID); got.State != "assigned" || *got.Queue != "general" {
		t.Errorf("transferred: %+v", got)
	}
	// Whoever is refused while it is open is told no time.
	eve.Put("/v1/support/availability", map[string]any{"available": false}).Want(200)
	if p := s.Visitor("Bo").Post("/v1/support/conversations", map[string]any{"queue": false}).Refused("no_agent_available"); p.NextOpening != nil {
		t.Errorf("it opens at %v", p.NextOpening)
	}
}

// What a change of a department lets go to agents goes at once.
func TestDepartmentChangesAssign(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		eve.Stream()
		eve.Serve(5)
		department(admin, map[string]any{"name": "byhand", "assignment": "manual"})
		department(admin, map[string]any{"name": "closed", "hours": neverOpen()})
		for name, change := range map[string]map[string]any{"byhand": {"assignment": "auto"}, "closed": {"hours": nil}} {
			li := s.Visitor("Li")
			c := li.Open(map[string]any{"queue": name})
			if c.State != "queued" {
				t.Errorf("%s: %+v", name, c)
			}
			admin.Delete("/v1/support/queues/" + name).Refused("conflict")
			if q := changeDepartment(admin, name, change); q.Waiting != 0 {
				t.Errorf("%s: %d still wait", name, q.Waiting)
			}
			if got := conversation(li, c.ID); got.State != "assigned" {
				t.Errorf("%s: %+v", name, got)
			}
			admin.Delete("/v1/support/queues/" + name).Refused("conflict")
			act(li, c.ID, "close").Want(200)
			admin.Delete("/v1/support/queues/" + name).Want(204)
			// It keeps the name of then, and goes on in the general one.
			if got := conversation(li, c.ID); *got.Queue != name {
				t.Errorf("%s: %+v", name, got)
			}
			li.Post("/v1/support/conversations", map[string]any{"queue": name}).Refused("validation_failed", "queue")
			if got := harness.Into[client.Conversation](act(li, c.ID, "reopen").Want(200)); *got.Queue != "general" || got.State != "assigned" {
				t.Errorf("%s, reopened: %+v", name, got)
			}
			act(li, c.ID, "close").Want(200)
		}
	}, patient())
}

// An agent gets what their departments have, and nothing else.
func TestAgentsOfDepartments(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		both, one := s.Agent(admin, "both"), s.Agent(admin, "one")
		for _, name := range []string{"Sales", "care"} {
			department(admin, map[string]any{"name": name})
		}
		both.Stream() // they have to be here, since it is the admin who sets them
		one.Stream()
		set := func(u *harness.User, body map[string]any) client.SupportAgent {
			return harness.Into[client.SupportAgent](admin.Put("/v1/support/agents/"+u.Ref(), body).Want(200))
		}
		got := set(both, map[string]any{"available": true, "capacity": 2, "queues": []string{"CARE", "sales", "care"}})
		if !got.Available || got.Capacity != 2 || got.Load != 0 || got.User.ID != both.ID || !slices.Equal(got.Queues, []string{"care", "Sales"}) {
			t.Errorf("set: %+v", got)
		}
		if got := set(one, map[string]any{"queues": []string{"care"}}); got.Available || got.Capacity != 1 || !slices.Equal(got.Queues, []string{"care"}) {
			t.Errorf("set: %+v", got)
		}
		set(one, map[string]any{"available": true})
		opened := func(queue string) client.Conversation {
			u := s.Visitor("Li")
			return conversation(u, u.Open(map[string]any{"queue": queue}).ID)
		}
		has := func(c client.Conversation, u *harness.User) {
			t.Helper()
			switch {
			case u == nil && c.State != "queued":
				t.Errorf("it is for nobody: %+v", c)
			case u != nil && (c.Agent == nil || c.Agent.ID != u.ID):
				t.Errorf("it is %s's: %+v", u.Name, c)
			}
		}
		has(opened("general"), nil) // which is neither's
		first := opened("care")
		if first.Agent == nil {
			t.Fatalf("nobody has %+v", first)
		}
		has(opened("sales"), both)
		other := both
		if first.Agent.ID == both.ID {
			other = one
		}
		has(opened("care"), other)
		has(opened("care"), nil) // now they are full
		waits := opened("sales")
		has(waits, nil)
		set(one, map[string]any{"capacity": 2}) // the other department's is not theirs, the one that waits is
		has(conversation(admin, waits.ID), nil)
		if q := departments(admin, 50); q[0].Waiting != 0 || q[1].Waiting != 1 || q[2].Waiting != 1 {
			t.Errorf("%+v", q)
		}
		set(one, map[string]any{"capacity": 4, "queues": []string{}}) // from all
		has(conversation(admin, waits.ID), one)
		if q := departments(admin, 50); q[0].Waiting+q[1].Waiting+q[2].Waiting != 0 {
			t.Errorf("%+v", q)
		}

		admin.Put("/v1/support/agents/@one", map[string]any{"queues": []string{"care", "nowhere"}}).Refused("validation_failed", "queues/1")
		admin.Put("/v1/support/agents/@one", map[string]any{"capacity": 0}).Refused("validation_failed", "capacity")
		admin.Put("/v1/support/agents/@one", map[string]any{"capacity": 101}).Refused("validation_failed", "capacity")
		admin.Put("/v1/support/agents/@nobody", map[string]any{"capacity": 1}).Refused("not_found")
		for _, u := range []*harness.User{s.User("member"), s.Guest("guest"), s.Visitor("Bo")} {
			admin.Put("/v1/support/agents/"+u.Ref(), map[string]any{"available": true}).Refused("conflict")
		}
		set(one, map[string]any{}) // changes nothing
		set(admin, map[string]any{"available": true})
		wantAudit(t, audit(admin, "&action=agent.update"),
			"admin agent.update @both [available:true capacity:2 queues:care, Sales]",
			"admin agent.update @one [queues:care]",
			"admin agent.update @one [available:true]",
			"admin agent.update @one [capacity:2]",
			"admin agent.update @one [capacity:4 queues:all]",
			"admin agent.update @admin [available:true]",
		)
		// Who had a deleted department alone takes from the general one, and what they set themselves holds as well.
		spare := department(admin, map[string]any{"name": "spare"})
		both.Put("/v1/support/availability", map[string]any{"available": true, "queues": []string{"spare"}}).Want(200)
		admin.Delete("/v1/support/queues/" + id(spare.ID)).Want(204)
		for _, a := range harness.Into[client.SupportAgentList](both.Get("/v1/support/agents").Want(200)).Agents {
			if a.User.ID == both.ID && !slices.Equal(a.Queues, []string{"general"}) {
				t.Errorf("of a deleted department: %+v", a)
			}
		}
	}, patient())
}
