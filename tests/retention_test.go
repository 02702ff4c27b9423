package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/internal/pgtest"
	"parley/tests/harness"
)

// hasty makes the janitor come at once again.
func hasty() harness.Option {
	return harness.Tune(func(o *app.Options) { o.Tidy = 5 * time.Millisecond })
}

func TestRetention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		retention(t, "--data", dir)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		retention(t, "--database", pgtest.DSN(t))
	})
}

// retention: what is older than --retention cannot be resumed from, and whoever tries is told. All else stays.
func retention(t *testing.T, place ...string) {
	s := harness.Start(t, harness.Flags(append(place, "--retention", "1h")...), harness.OwnClock(), hasty())
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	bob.Post("/v1/rooms/tea/join", nil).Want(200)
	nonce := map[string]any{"to": "tea", "text": "once", "nonce": "n"}
	once := harness.Into[client.Message](ann.Post("/v1/send", nonce).Want(201))
	middle := ann.Send("tea", "old").ID
	ann.Send("tea", "old too")
	live := bob.Stream()
	head := ann.Head()

	s.Advance(2 * time.Hour)
	harness.Eventually(t, "the log is pruned", func() bool {
		return bob.Get("/v1/events", harness.After(middle), harness.Query("wait", "0")).Status == 410
	})
	fresh := ann.Send("tea", "new").ID
	if fresh != head+1 {
		t.Errorf("message %d after head %d", fresh, head)
	}
	// Who was there all the time, and who had seen all of it, has missed nothing.
	if e := live.Want("message.created")[0]; e.ID != fresh {
		t.Errorf("the live stream has %s", e)
	}
	if e := bob.Stream(harness.After(head)).Want("message.created")[0]; e.ID != fresh {
		t.Errorf("a resume from the last position has %s", e)
	}
	if all := bob.Events(0); len(all) != 1 || all[0].ID != fresh {
		t.Errorf("all that is kept: %v", all)
	}
	for _, open := range []func(...harness.With) *harness.Stream{bob.Stream, bob.NDJSON} {
		st := open(harness.After(middle))
		reset := harness.DataOf[client.ResetData](st.Next())
		if head := bob.Head(); reset.Oldest != fresh || reset.Cursor != head {
			t.Errorf("the reset says %+v, want %d and %d", reset, fresh, head)
		}
		next := ann.Send("tea", "and on")
		if e := st.Want("message.created")[0]; e.ID != next.ID {
			t.Errorf("after the reset comes %s", e)
		}
	}
	if p := bob.Get("/v1/events", harness.After(middle)).Refused("cursor_expired"); *p.Oldest != fresh {
		t.Errorf("a poll is told of %d", *p.Oldest)
	}
	if got := bob.History("tea"); len(got) != 6 || got[0].ID != once.ID {
		t.Errorf("history has %d messages from %d on", len(got), got[0].ID)
	}
	if m := harness.Into[client.Message](ann.Post("/v1/send", nonce).Want(200)); m.ID != once.ID {
		t.Errorf("the nonce stands for %d", m.ID)
	}
	s.Restart()
	bob.Get("/v1/events", harness.After(middle)).Refused("cursor_expired")
	must(t, append([]string{"check"}, place...)...)
}

// Pruning that the database refuses harms nobody, and goes on when the database does.
func TestRetentionWhileTheDatabaseCannotWrite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		old := ann.Send("lobby", "old").ID
		ann.Send("lobby", "old too")
		failing := s.Failing(harness.Insert)
		s.Advance(2 * time.Hour)
		<-failing // the janitor tried
		if got := ann.Events(old); len(got) != 1 {
			t.Errorf("nothing could be pruned, and %v is left", got)
		}
		ann.Post("/v1/send", map[string]any{"text": "no"}).Refused("unavailable")
		s.Mend()
		harness.Eventually(t, "the log is pruned", func() bool {
			return ann.Get("/v1/events", harness.After(old), harness.Query("wait", "0")).Status == 410
		})
		ann.Send("lobby", "well again")
	}, harness.Flags("--retention", "1h"), harness.OwnClock(), hasty())
}

// A session that nobody uses ends after 30 days: its streams are told. Without --retention nothing is pruned.
func TestJanitor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		first := ann.Send("lobby", "for ever").ID
		st := ann.Stream()
		s.Advance(30*24*time.Hour + 2*time.Hour)
		ended := harness.DataOf[struct{ Reason, Detail string }](st.Want("session.ended")[0])
		if ended.Reason != "idle" || !strings.Contains(ended.Detail, "30 days") {
			t.Errorf("the session ended for %+v", ended)
		}
		ann.Get("/v1/me").Refused("unauthorized")
		ann = s.Login("ann")
		if all := ann.Events(0); len(all) == 0 || all[0].ID > first {
			t.Errorf("the log begins with %v", all)
		}
	}, harness.OwnClock(), hasty())
}
