package store

import (
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// rules are the service over a database of the test's own.
func rules(t *testing.T, o Options) *chat.Service {
	t.Helper()
	return chat.New(chat.Options{
		Store: mustOpen(t, o), Guests: true, Clock: o.Clock,
		Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1}),
	})
}

// A message whose request came in before its sender was banned does not follow the ban.
func TestNothingFollowsABan(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		o.Clock = func() time.Time { return now }
		s, ctx := rules(t, o), t.Context()
		register := func(name string) chat.Actor {
			login, err := s.Register(ctx, name, "correct horse", chat.Device{})
			if err != nil {
				t.Fatal(err)
			}
			return login.Actor
		}
		root, ann := register("root"), register("ann")
		send := func() models.Code {
			_, _, err := s.Send(ctx, ann, models.Draft{Text: "hello"})
			if err == nil {
				return ""
			}
			return models.CodeOf(err)
		}
		if got := send(); got != "" {
			t.Fatalf("before the ban: %s", got)
		}
		for _, until := range []models.Time{{}, models.At(now.Add(time.Hour))} {
			if _, err := s.BanUser(ctx, root, "@ann", chat.NewBan{Until: until}); err != nil {
				t.Fatal(err)
			}
			if got := send(); got != models.CodeUnauthorized {
				t.Errorf("after a ban until %v: %q", until, got)
			}
			if _, err := s.Rename(ctx, ann, "anna"); models.CodeOf(err) != models.CodeUnauthorized {
				t.Errorf("after a ban until %v: rename: %v", until, err)
			}
		}
		now = now.Add(time.Hour) // by which it is over
		if got := send(); got != "" {
			t.Errorf("after the end of the ban: %s", got)
		}
		if _, err := s.BanUser(ctx, root, "@ann", chat.NewBan{}); err != nil {
			t.Fatal(err)
		}
		if err := s.UnbanUser(ctx, root, "@ann"); err != nil {
			t.Fatal(err)
		}
		if got := send(); got != "" {
			t.Errorf("after the ban was lifted: %s", got)
		}
	})
}
