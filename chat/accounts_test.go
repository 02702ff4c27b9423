package chat

import (
	"strings"
	"testing"

	"parley/models"
)

// However a login ends, it computes one hash: its time does not tell which names there are.
func TestLoginComputesOneHash(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	m.add(t, s, "ann", models.RoleMember, "correct horse")
	m.add(t, s, "passer-by", models.RoleGuest, "")
	long := strings.Repeat("é", 200)
	for _, tt := range []struct {
		name, password string
		ok             bool
	}{
		{"ann", "correct horse", true},
		{"ANN", "correct horse", true},
		{"ann", "wrong horse", false},
		{"ann", "", false},
		{"ann", long, false},
		{"passer-by", "correct horse", false},
		{"passer-by", "", false},
		{"passer-by", long, false},
		{"nobody", "correct horse", false},
		{"nobody", "", false},
		{"nobody", long, false},
		{"no/name", "correct horse", false},
		{"", "", false},
		{strings.Repeat("a", 2000), "correct horse", false},
	} {
		before := s.hasher.Computed()
		_, err := s.Login(t.Context(), tt.name, tt.password, Device{})
		if n := s.hasher.Computed() - before; n != 1 {
			t.Errorf("%.20s with %.20q: %d computations", tt.name, tt.password, n)
		}
		if tt.ok != (err == nil) || err != nil && models.CodeOf(err) != models.CodeInvalidCredentials {
			t.Errorf("%.20s with %.20q: %v", tt.name, tt.password, err)
		}
	}
}

// A hash that cost another amount of work is replaced by the next login, and by none after it.
func TestLoginRenewsAnOldHash(t *testing.T) {
	t.Parallel()
	m := newMemory()
	old := m.service()
	ann := m.add(t, old, "ann", models.RoleMember, "correct horse").User.ID
	s := New(Options{Store: m, Hasher: NewHasher(HashCost{MemoryKiB: 16, Passes: 1}), Clock: m.now})
	before := m.hashes[ann]
	for _, step := range []struct {
		password string
		computed int64
		renewed  bool
	}{{"wrong horse", 1, false}, {"correct horse", 2, true}, {"correct horse", 1, false}, {"wrong horse", 1, false}} {
		computed := s.hasher.Computed()
		_, err := s.Login(t.Context(), "ann", step.password, Device{})
		if (err == nil) != (step.password == "correct horse") {
			t.Errorf("%s: %v", step.password, err)
		}
		if n := s.hasher.Computed() - computed; n != step.computed {
			t.Errorf("%s: %d computations, want %d", step.password, n, step.computed)
		}
		if renewed := m.hashes[ann] != before; renewed != step.renewed {
			t.Errorf("%s: renewed %v", step.password, renewed)
		}
		before = m.hashes[ann]
	}
}

// Two logins at once both find the old hash. The one that comes second compares with the new one.
func TestLoginsRenewTogether(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.add(t, m.service(), "ann", models.RoleMember, "correct horse")
	s := New(Options{Store: m, Hasher: NewHasher(HashCost{MemoryKiB: 16, Passes: 1}), Clock: m.now})
	const logins = 8
	errs := make(chan error, logins)
	for range logins {
		go func() {
			_, err := s.Login(t.Context(), "ann", "correct horse", Device{})
			errs <- err
		}()
	}
	for range logins {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestVisitorsHaveTheirOwnAccountOnly(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ann := m.add(t, s, "ann", models.RoleAdmin, "")
	visitor := m.add(t, s, "visitor-7", models.RoleVisitor, "")
	ctx := t.Context()

	// Everyone would hear of somebody whom they do not know of.
	me, err := s.UpdateMe(ctx, visitor, ProfileChange{DisplayName: new("小明"), StatusText: new("waiting")})
	if err != nil || me.DisplayName != "小明" || me.StatusText != "waiting" {
		t.Errorf("a visitor's profile: %+v, %v", me, err)
	}
	if _, err := s.Rename(ctx, visitor, "visitor-8"); err != nil {
		t.Error(err)
	}
	if _, err := s.UpdateMe(ctx, ann, ProfileChange{StatusText: new("here")}); err != nil {
		t.Error(err)
	}
	var got []models.Audience
	for _, e := range m.events {
		if e.Type == models.UserUpdated || e.Type == models.UserRenamed {
			got = append(got, e.Audience)
		}
	}
	own := models.ForUser(visitor.User.ID)
	if len(got) != 3 || got[0] != own || got[1] != own || got[2] != models.Everyone() {
		t.Errorf("audiences %v", got)
	}

	_, listed := s.Blocks(ctx, visitor, 0, 50)
	for what, refusal := range map[string]struct {
		err  error
		want models.Code
	}{
		"a visitor blocks":           {s.Block(ctx, visitor, "@ann"), models.CodeForbidden},
		"a visitor lifts a block":    {s.Unblock(ctx, visitor, "@ann"), models.CodeForbidden},
		"a visitor lists blocks":     {listed, models.CodeForbidden},
		"a visitor is blocked":       {s.Block(ctx, ann, "@visitor-8"), models.CodeNotFound},
		"a visitor's block is ended": {s.Unblock(ctx, ann, "@visitor-8"), models.CodeNotFound},
		"a visitor has no password":  {s.ChangePassword(ctx, visitor, "", "correct horse"), models.CodeForbidden},
	} {
		if refusal.err == nil || models.CodeOf(refusal.err) != refusal.want {
			t.Errorf("%s: %v, want %s", what, refusal.err, refusal.want)
		}
	}
	if _, err := s.EndSession(ctx, visitor, "2"); err != nil {
		t.Errorf("a visitor ends the own session: %v", err)
	}
	if len(m.blocks) > 0 {
		t.Errorf("blocks %v", m.blocks)
	}
}
