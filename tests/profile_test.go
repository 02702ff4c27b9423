package tests

import (
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		guest := s.Guest("passer-by")
		own, others := ann.Stream(), bob.Stream()
		change := func(u *harness.User, body map[string]any) client.User {
			t.Helper()
			return harness.Into[client.User](u.Patch("/v1/me", body).Want(200))
		}
		updated := func(u *harness.User, display string) {
			t.Helper()
			for _, st := range []*harness.Stream{own, others} {
				e := st.Want("user.updated")[0]
				got := harness.DataOf[client.UserData](e).User
				if got.ID != u.ID || got.DisplayName != display || string(got.Role) != u.Role || e.RoomID != 0 || e.ID == 0 {
					t.Errorf("the event is %s", e.JSON)
				}
				if strings.Contains(e.JSON, "status_text") {
					t.Errorf("a log has what changes by itself: %s", e.JSON)
				}
			}
		}
		me := change(ann, map[string]any{"display_name": "  Ann  of the Hill ", "status_text": "back\u3000soon"})
		if me.DisplayName != "Ann of the Hill" || me.StatusText != "back soon" || me.Name != "ann" || me.ID != ann.ID {
			t.Errorf("changed to %+v", me)
		}
		updated(ann, "Ann of the Hill")
		if seen := harness.Into[client.User](bob.Get("/v1/users/@ann").Want(200)); seen.StatusText != "back soon" || seen.DisplayName != me.DisplayName {
			t.Errorf("bob sees %+v", seen)
		}

		// Only what is given changes, and what does not change is no event.
		if me := change(ann, map[string]any{"status_text": ""}); me.StatusText != "" || me.DisplayName != "Ann of the Hill" {
			t.Errorf("emptied to %+v", me)
		}
		updated(ann, "Ann of the Hill")
		head := ann.Head()
		change(ann, map[string]any{})
		change(ann, map[string]any{"status_text": " "})
		change(ann, map[string]any{"display_name": " Ann of the Hill", "status_text": ""})
		if after := ann.Head(); after != head {
			t.Errorf("nothing changed, and the log went from %d to %d", head, after)
		}
		change(guest, map[string]any{"display_name": "小明 🐟"})
		updated(guest, "小明 🐟")

		// A display name of one's own stays over a rename; an empty one is the name and follows it.
		rename := func(name, display string) {
			t.Helper()
			renamed := harness.Into[client.User](ann.Post("/v1/rename", map[string]any{"name": name}).Want(200))
			if renamed.Name != name || renamed.DisplayName != display {
				t.Errorf("renamed to %+v", renamed)
			}
			own.Want("user.renamed")
			others.Want("user.renamed")
		}
		rename("anna", "Ann of the Hill")
		if me := change(ann, map[string]any{"display_name": ""}); me.DisplayName != "anna" {
			t.Errorf("reset to %+v", me)
		}
		updated(ann, "anna")
		rename("annika", "annika")

		// A form does the same; who comes next is told the new one.
		ann.Do("PATCH", "/v1/me", harness.Form("display_name", "A+B & C", "status_text", "50%")).Want(200)
		updated(ann, "A+B & C")
		if ready := harness.DataOf[client.ReadyData](ann.Stream().Ready); ready.User.DisplayName != "A+B & C" {
			t.Errorf("ready has %+v", ready.User)
		}
		ann.Do("PATCH", "/v1/me", harness.Form("display_name", "")).Want(200)
		updated(ann, "annika")
		s.Restart()
		if me := ann.Now(); me.DisplayName != "annika" || me.StatusText != "50%" {
			t.Errorf("after a restart %+v", me)
		}
	})
}

func TestBadProfiles(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	check := unchanged(t, ann)
	for _, field := range []string{"display_name", "status_text"} {
		for _, bad := range []any{
			"a\nb", "a\x00", "a\u202eb", "\u200b\u200b", strings.Repeat("a", 201), strings.Repeat("é", 500), 7, true, nil, []string{"a"},
		} {
			ann.Patch("/v1/me", map[string]any{field: bad}).Refused("validation_failed", field)
		}
		ann.Do("PATCH", "/v1/me", harness.Raw("application/json", `{"`+field+`":"\ud800"}`)).Refused("validation_failed", field)
		ann.Do("PATCH", "/v1/me", harness.Form(field, "a", field, "b")).Refused("validation_failed", field)
	}
	ann.Patch("/v1/me", map[string]any{"display_name": strings.Repeat("🐟", 65)}).Refused("validation_failed", "display_name")
	// All or nothing.
	ann.Patch("/v1/me", map[string]any{"display_name": "Ann", "status_text": "a\tb"}).Refused("validation_failed", "status_text")
	ann.Patch("/v1/me", map[string]any{"name": "x", "role": "admin"}).Refused("validation_failed", "name", "role")
	ann.Patch("/v1/me", nil).Refused("invalid_request")
	check()
	ann.Patch("/v1/me", map[string]any{"display_name": strings.Repeat("🐟", 64), "status_text": strings.Repeat("🐟", 200)}).Want(200)
}
