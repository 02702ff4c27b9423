package chat

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/models"
)

// A stream's use is written down when it opens and closes, unless that was done a moment ago, and once an hour
// while it is open; with it the session's end moves.
func TestStreamSlidesItsSession(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ann := m.add(t, s, "ann", models.RoleMember, "")
	ctx := t.Context()
	written := func(what string, want bool, do func()) {
		t.Helper()
		before := m.commands
		do()
		if got := m.commands - before; got != 0 && !want || got != 1 && want {
			t.Errorf("%s: %d commands, want one: %v", what, got, want)
		}
		if want {
			if now := m.now(); !m.sessions[1].LastUsedAt.Equal(now) || !m.sessions[1].ExpiresAt.Equal(now.Add(SessionLife)) {
				t.Errorf("%s: %+v", what, m.sessions[1])
			}
		}
	}
	slide := func() { s.SlideHeld(ctx) }
	var first, second func(context.Context)
	written("opened right after the login", false, func() { first = s.Hold(ctx, ann) })
	m.advance(10 * time.Minute)
	written("a second one opened", true, func() { second = s.Hold(ctx, ann) })
	m.advance(time.Hour)
	written("an hour later", false, slide)
	m.advance(time.Millisecond)
	written("more than that", true, slide)
	written("at once again", false, slide)
	m.advance(10 * time.Minute)
	written("one closed, one still open", false, func() { first(ctx) })
	written("the last one closed", true, func() { second(ctx) })
	m.advance(2 * time.Hour)
	written("none is open", false, slide)
	written("opened after the idle time", true, func() { first = s.Hold(ctx, ann) })
	m.advance(4 * time.Minute)
	written("closed a moment later", false, func() { first(ctx) })
}

func TestStreamUseIsTriedAgain(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ann, bob := m.add(t, s, "ann", models.RoleMember, ""), m.add(t, s, "bob", models.RoleMember, "")
	for _, a := range []Actor{ann, bob} {
		defer s.Hold(t.Context(), a)(t.Context())
	}
	m.advance(2 * time.Hour)
	m.fail(errors.New("the disk is full"))
	s.SlideHeld(t.Context())
	m.fail(nil)
	// A session that has ended meanwhile does not keep others from theirs.
	delete(m.sessions, ann.Session.ID)
	s.SlideHeld(t.Context())
	if used := m.sessions[bob.Session.ID].LastUsedAt; !used.Equal(m.now()) {
		t.Errorf("the last use is %v after all", used)
	}
	if len(m.sessions) != 1 {
		t.Errorf("sessions %v", m.sessions)
	}
}

// Requests and streams write the same use down, and neither does it again for the other.
func TestRequestsAndStreamsShareTheirUse(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	m.add(t, s, "ann", models.RoleMember, "correct horse")
	ctx := t.Context()
	login, err := s.Login(ctx, "ann", "correct horse", Device{})
	if err != nil {
		t.Fatal(err)
	}
	use := func() (slid bool) {
		t.Helper()
		_, slid, err := s.Authenticate(ctx, login.Token)
		if err != nil {
			t.Error(err)
		}
		return slid
	}
	use()
	defer s.Hold(ctx, login.Actor)(ctx)
	m.advance(50 * time.Minute)
	if !use() {
		t.Error("a request's use is not written down")
	}
	m.advance(50 * time.Minute)
	before := m.commands
	s.SlideHeld(ctx)
	if m.commands != before {
		t.Error("50 minutes after a request the stream's use is written down again")
	}
	m.advance(20 * time.Minute)
	s.SlideHeld(ctx)
	if m.commands != before+1 {
		t.Error("the stream's use is not written down")
	}
	if use() {
		t.Error("right after the stream's use a request's is written down again")
	}
	// The request counts for the end of the session, whatever was written last.
	for range 3 {
		m.advance(29 * 24 * time.Hour)
		s.SlideHeld(ctx)
	}
	m.advance(29 * 24 * time.Hour)
	use()
}
