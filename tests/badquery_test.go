package tests

import (
	"net/http"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// Nothing of a query is left out in silence: what is given twice, and what only some parsers would read.
func TestOddQueries(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	head := ann.Send("lobby", "hi").ID
	const history = "/v1/rooms/lobby/messages?"
	for _, tt := range []struct{ path, field string }{
		{history + "limit=1&limit=2", "limit"}, {history + "limit=1&limit=1", "limit"}, {history + "limit=%zz", "limit"},
		{history + "limit=1;", "limit"}, {history + "limit=%", "limit"}, {history + "before=9&before=8", "before"},
		{history + "after=1;2", "after"}, {"/v1/events?wait=0&after=1&after=2", "after"}, {"/v1/events?wait=0&after=%f", "after"},
		{"/v1/events?wait=0&wait=0", "wait"}, {"/v1/rooms?scope=joined&scope=public", "scope"},
	} {
		ann.Get(tt.path).Refused("validation_failed", tt.field)
	}
	for _, query := range []string{"q=a;b", "q=%zz", "q=ann&q=ann", "q=%", "q=%25"} {
		if got := harness.Into[client.UserList](ann.Get("/v1/users?" + query).Want(200)).Users; len(got) > 0 {
			t.Errorf("%s finds %v", query, got)
		}
	}
	ann.Get("/v1/who?room=%zz").Refused("not_found")
	s.Do("GET", "/v1/events/stream?ticket=a&ticket=b").Refused("unauthorized")

	// For a stream, a position that cannot be read is no error but a reset.
	for _, query := range []string{"after=1&after=2", "after=abc&after=1", "after=%zz", "after=1;2", "after=%"} {
		st := ann.Stream(harness.Queries(query))
		if reset := harness.DataOf[client.ResetData](st.Want("reset")[0]); reset.Cursor != head {
			t.Errorf("%s: reset to %d", query, reset.Cursor)
		}
	}
	ann.Stream(harness.Queries("after=1"), func(r *http.Request) {
		r.Header["Last-Event-Id"] = []string{"1", "2"}
	}).Want("reset")
	// Lists may be given in pieces.
	ann.Room("tea", "public")
	ann.Send("tea", "in tea")
	ann.Send("lobby", "in the lobby")
	end := ann.Room("end", "public").ID
	if got := words(ann.Stream(harness.Queries("rooms=lobby&rooms=tea&types=message.created&types=room.created&after="+id(head)),
		harness.Query("rooms", "end")).UntilID(end)); got != "room.created in tea in the lobby room.created" {
		t.Errorf("by lists in pieces: %s", got)
	}
	// What is not known is not asked for.
	ann.Get("/v1/me?surprise=1&%zz").Want(200)
}

// Values out of a list, and texts that are too long.
func TestOddValues(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	ann.Add("tea", bob, "")
	check := unchanged(t, ann)
	for _, visibility := range []any{"secret", "", "PUBLIC", 1, nil} {
		ann.Post("/v1/rooms", map[string]any{"name": "new", "visibility": visibility}).Refused("validation_failed", "visibility")
		ann.Patch("/v1/rooms/tea", map[string]any{"visibility": visibility}).Refused("validation_failed", "visibility")
	}
	for _, role := range []any{"king", "", "admin", 1, nil} {
		ann.Put("/v1/rooms/tea/members/@bob", map[string]any{"role": role}).Refused("validation_failed", "role")
	}
	for _, topic := range []any{long(1001), "a\x00b", 1, nil} {
		ann.Post("/v1/rooms", map[string]any{"name": "new", "topic": topic}).Refused("validation_failed", "topic")
		ann.Patch("/v1/rooms/tea", map[string]any{"topic": topic}).Refused("validation_failed", "topic")
		// All or nothing.
		ann.Patch("/v1/rooms/tea", map[string]any{"topic": topic, "name": "coffee"}).Refused("validation_failed", "topic")
	}
	ann.Patch("/v1/rooms/tea", map[string]any{"topic": "new", "name": "lobby"}).Refused("name_taken")
	check()
	ann.Patch("/v1/rooms/tea", map[string]any{"topic": long(1000)}).Want(200)
	ann.Patch("/v1/rooms/tea", map[string]any{"topic": ""}).Want(200)
}

// long is a text of that many characters, two bytes each.
func long(n int) string {
	text := make([]rune, n)
	for i := range text {
		text[i] = 'é'
	}
	return string(text)
}
