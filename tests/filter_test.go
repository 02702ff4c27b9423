package tests

import (
	"strings"
	"testing"
	"time"

	"parley/internal/app"
	"parley/tests/harness"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		tea := ann.Room("tea", "public").ID
		ann.Room("secret", "private")
		ann.Add("tea", bob, "")
		start := bob.Head()
		ann.Send("lobby", "lobby")
		ann.Send("tea", "tea")
		ann.Send("secret", "secret")
		direct := ann.Send("@bob", "direct").RoomID
		ann.Room("new", "public")
		ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200)
		ann.Patch("/v1/rooms/tea", map[string]any{"topic": "green"}).Want(200)
		end := ann.Send("lobby", "end").ID
		all := "lobby tea room.created direct room.created user.renamed room.updated end"
		for query, want := range map[string]string{
			"":                                      all,
			"types=message.created":                 "lobby tea direct end",
			"types=room.created,user.renamed":       "room.created room.created user.renamed",
			"types=heartbeat":                       "",
			"types=typing,message.deleted":          "",
			"rooms=lobby":                           "lobby user.renamed end",
			"rooms=1":                               "lobby user.renamed end",
			"rooms=tea":                             "tea user.renamed room.updated",
			"rooms=TEA,lobby":                       "lobby tea user.renamed room.updated end",
			"rooms=" + id(tea):                      "tea user.renamed room.updated",
			"rooms=@anna":                           "room.created direct user.renamed",
			"rooms=" + id(direct):                   "room.created direct user.renamed",
			"rooms=secret":                          "user.renamed",
			"rooms=nowhere,@nobody,99,@bob":         "user.renamed",
			"rooms=nowhere,tea":                     "tea user.renamed room.updated",
			"rooms=a%2Fb,%00,%ff":                   "user.renamed",
			"rooms=tea&types=message.created":       "tea",
			"rooms=lobby,tea&types=room.updated":    "room.updated",
			"rooms=secret&types=message.created":    "",
			"types=message.created,message.created": "lobby tea direct end",
		} {
			for how, got := range filtered(t, bob, query, start, end) {
				if got != want {
					t.Errorf("%s %s: %q, want %q", how, query, got, want)
				}
			}
		}
	}, harness.Tune(func(o *app.Options) { o.Heartbeat = 50 * time.Millisecond })) // tells how far a stream is
}

// filtered asks the same of the three ways to follow the log.
func filtered(t *testing.T, u *harness.User, query string, start, end int64) map[string]string {
	t.Helper()
	with := []harness.With{harness.After(start), harness.Queries(query)}
	sse, lines := u.Stream(with...), u.NDJSON(with...)
	defer sse.Close()
	defer lines.Close()
	poll := append(with, harness.Query("wait", "0"), harness.Query("limit", "200"))
	page := harness.Into[polled](u.Get("/v1/events", poll...).Want(200))
	if page.More || page.Cursor < end {
		t.Errorf("%s: the poll ends at %d, more is %v", query, page.Cursor, page.More)
	}
	return map[string]string{
		"stream": words(sse.UntilID(end)), "ndjson": words(lines.UntilID(end)), "poll": words(page.Events),
	}
}

// words are the texts of messages, and the types of all else.
func words(events []harness.Event) string {
	out := make([]string, 0, len(events))
	for _, e := range events {
		if e.Type == "message.created" {
			out = append(out, e.Text())
		} else {
			out = append(out, e.Type)
		}
	}
	return strings.Join(out, " ")
}

// What a filter names must be there to be named.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, path := range []string{"/v1/events/stream", "/v1/events/ndjson", "/v1/events?wait=0"} {
		for _, types := range []string{"surprise", "message.created,surprise", "Message.Created", "", "message.created,", "*", "session.finished"} {
			for _, f := range ann.Get(path, harness.Query("types", types)).Refused("validation_failed").Errors {
				if name, _, _ := strings.Cut(f.Field, "/"); name != "types" {
					t.Errorf("%s with types %q: an error about %s", path, types, f.Field)
				}
			}
		}
	}
}

// ready, reset and session.ended come whatever the filter says.
func TestFiltersKeepControl(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	filter := harness.Queries("types=typing&rooms=nowhere")
	streams := []*harness.Stream{ann.Stream(filter, harness.Query("after", "abc")), ann.NDJSON(filter, harness.Query("after", "abc"))}
	for _, st := range streams {
		st.Want("reset")
	}
	ann.Send("lobby", "hi")
	ann.Post("/v1/logout", nil).Want(204)
	for _, st := range streams {
		st.Want("session.ended")
		st.End()
	}
}

// A filter by a name is by the room that had it when the stream began.
func TestFilterOutlivesARename(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ann.Room("tea", "public")
	st := ann.Stream(harness.Query("rooms", "tea"))
	ann.Patch("/v1/rooms/tea", map[string]any{"name": "coffee"}).Want(200)
	message := ann.Send("coffee", "still here")
	ann.Send("lobby", "not asked for")
	end := ann.Send("coffee", "end")
	if got := words(st.UntilID(end.ID)); got != "room.updated still here end" {
		t.Errorf("live: %s", got)
	}
	// The reconnect with the old name lives, and matches nothing.
	again := ann.Stream(harness.Query("rooms", "tea"), harness.Header("Last-Event-ID", id(message.ID)))
	ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200)
	again.Want("user.renamed")
}
