package tests

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// online gives the names of all pages of who.
func online(t *testing.T, u *harness.User, with ...harness.With) string {
	t.Helper()
	var names []string
	page := ""
	for {
		all := with
		if page != "" {
			all = append(slices.Clip(all), harness.Query("page", page))
		}
		list := harness.Into[client.WhoList](u.Get("/v1/who", all...).Want(200))
		for _, w := range list.Users {
			names = append(names, w.Name)
			if w.Status != "online" || w.OnlineSince.IsZero() || w.LastActiveAt.IsZero() {
				t.Errorf("who has %+v", w)
			}
		}
		if list.NextPage == nil {
			if list.Total != len(names) {
				t.Errorf("a total of %d, and %v", list.Total, names)
			}
			return strings.Join(names, " ")
		}
		page = *list.NextPage
	}
}

// Online is who has a stream.
func TestWho(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	s.Advance(time.Minute) // nobody is declared gone right after the start
	ann, bob := s.User("ann"), s.User("bob")
	eve := s.Guest("eve")
	ann.Room("tea", "private")
	ann.Add("tea", eve, "")
	if got := online(t, ann); got != "" {
		t.Errorf("without streams: %q", got)
	}
	first, second := eve.Stream(), eve.NDJSON()
	ticket := s.Stream(harness.Query("ticket", newTicket(bob).Ticket))
	for _, limit := range []string{"1", "2", "50"} {
		if got := online(t, ann, harness.Query("limit", limit)); got != "bob eve" {
			t.Errorf("by %s: %q", limit, got)
		}
	}
	for room, want := range map[string]string{"lobby": "bob eve", "1": "bob eve", "tea": "eve"} {
		if got := online(t, ann, harness.Query("room", room)); got != want {
			t.Errorf("in %s: %q, want %q", room, got, want)
		}
	}
	for _, room := range []string{"tea", "nowhere", "@ann", "@bob", "@nobody", "999", "", "#lobby", "a/b"} {
		if room == "" {
			continue // absent means everyone
		}
		bob.Get("/v1/who", harness.Query("room", room)).Refused("not_found")
	}
	if u := harness.Into[client.User](ann.Get("/v1/users/@eve").Want(200)); u.Status != "online" {
		t.Errorf("eve is %s", u.Status)
	}
	first.Close()
	ticket.Close()
	closedBut(t, ann, 1)
	if got := online(t, ann); got != "eve" {
		t.Errorf("with one stream of two left: %q", got)
	}
	second.Close()
	closedBut(t, ann, 0)
	if u := harness.Into[client.User](ann.Get("/v1/users/@eve").Want(200)); u.Status != "offline" {
		t.Errorf("eve is %s", u.Status)
	}
}
