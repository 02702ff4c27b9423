package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
)

// record serves the calls of an account and writes them down.
func record(t *testing.T, calls *[]string) *Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if r.ContentLength > 0 {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Errorf("%s: %v", r.URL, err)
			}
		}
		text, _ := json.Marshal(body)
		*calls = append(*calls, r.Method+" "+r.URL.RequestURI()+" "+string(text))
		next := "p2"
		last := r.URL.Query().Get("page") == next
		switch r.Method + " " + r.URL.Path {
		case "PATCH /v1/me":
			answer(w, 200, User{ID: 2, DisplayName: "Ann"})
		case "GET /v1/sessions":
			if last {
				answer(w, 200, SessionList{Sessions: []OwnSession{{ID: 1}}})
				return
			}
			answer(w, 200, SessionList{Sessions: []OwnSession{{ID: 3}, {ID: 2}}, NextPage: &next})
		case "GET /v1/blocks":
			if last {
				answer(w, 200, BlockList{Blocks: []Block{{User: EventUser{ID: 9}}}})
				return
			}
			answer(w, 200, BlockList{Blocks: []Block{{User: EventUser{ID: 8}}}, NextPage: &next})
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func TestAccountCalls(t *testing.T) {
	t.Parallel()
	var calls []string
	c := record(t, &calls)
	ctx := t.Context()
	me, err := c.UpdateMe(ctx, UpdateMeRequest{DisplayName: new("Ann")})
	if err != nil || me.DisplayName != "Ann" {
		t.Errorf("me %+v, %v", me, err)
	}
	sessions, err := c.Sessions(ctx)
	if err != nil || len(sessions) != 3 || sessions[2].ID != 1 {
		t.Errorf("sessions %v, %v", sessions, err)
	}
	blocks, err := c.Blocks(ctx)
	if err != nil || len(blocks) != 2 || blocks[1].User.ID != 9 {
		t.Errorf("blocks %v, %v", blocks, err)
	}
	for _, err := range []error{
		c.ChangePassword(ctx, "old", "new"), c.EndSession(ctx, 3), c.Block(ctx, "@bob"), c.Unblock(ctx, "8"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`PATCH /v1/me {"display_name":"Ann"}`,
		`GET /v1/sessions null`, `GET /v1/sessions?page=p2 null`,
		`GET /v1/blocks null`, `GET /v1/blocks?page=p2 null`,
		`PUT /v1/me/password {"current":"old","new":"new"}`, `DELETE /v1/sessions/3 null`,
		`PUT /v1/blocks/@bob null`, `DELETE /v1/blocks/8 null`,
	}
	if !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
}

func TestAccountCallsAreRefused(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 401, Problem{Code: ErrorCodeInvalidCredentials, Status: 401, Title: "Wrong"})
	})
	ctx := t.Context()
	_, profile := c.UpdateMe(ctx, UpdateMeRequest{})
	_, sessions := c.Sessions(ctx)
	_, blocks := c.Blocks(ctx)
	for what, err := range map[string]error{
		"profile": profile, "sessions": sessions, "blocks": blocks, "password": c.ChangePassword(ctx, "a", "b"),
		"end": c.EndSession(ctx, 1), "block": c.Block(ctx, "2"), "unblock": c.Unblock(ctx, "2"),
	} {
		if !errors.Is(err, ErrorCodeInvalidCredentials) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
