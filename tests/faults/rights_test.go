package faults

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

// TestRights has memberships change as fast as they can, direct conversations begin, and accounts be banned from the server and come
// back, all against messages: who has the right at a message's id gets it, and nobody else.
func TestRights(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 4)
		for i := range 3 {
			s.open(fmt.Sprintf("hall%d", i), s.owners[i], i == 0)
		}
		victim := s.newcomer("victim")
		s.guests = append(s.guests, victim)
		s.crowd()
		bans := more(3)
		for range bans {
			s.must(s.rec.grow(s.ctx, 100))
			s.must(s.exile(s.ctx, victim))
		}
		s.must(s.rec.grow(s.ctx, 100))
		end := s.finish()
		if n := s.rec.counted("sessions ended: banned"); n < bans {
			t.Errorf("%d streams were told of %d bans", n, bans)
		}
		s.verify(end)
	})
}

// exile bans somebody from the server, and lets them come back by a new session. Their streams are told, and resume later.
func (s *scene) exile(ctx context.Context, p *person) error {
	told := s.rec.counted("sessions ended: banned")
	old, _ := p.bearer()
	p.banish()
	path := fmt.Sprintf("/v1/users/%d/ban", p.id)
	if err := s.admin.want(ctx, http.MethodPut, path, map[string]string{}, nil, http.StatusOK, http.StatusCreated); err != nil {
		return err
	}
	if err := s.rec.await(ctx, "the streams to be told", func() bool { return s.rec.counts["sessions ended: banned"] > told }); err != nil {
		return err
	}
	stranger := &person{rec: s.rec, url: p.url, http: p.http}
	body := map[string]string{"name": p.name, "password": password}
	if err := stranger.want(ctx, http.MethodPost, "/v1/login", body, nil, http.StatusForbidden); err != nil {
		return err
	}
	stranger.token = old
	if err := stranger.want(ctx, http.MethodGet, "/v1/me", nil, nil, http.StatusUnauthorized); err != nil {
		return err
	}
	if err := s.rec.grow(ctx, 30); err != nil {
		return err
	}
	if err := s.admin.want(ctx, http.MethodDelete, path, nil, nil, http.StatusNoContent); err != nil {
		return err
	}
	var got session
	if err := stranger.withoutToken().want(ctx, http.MethodPost, "/v1/login", body, &got, http.StatusOK); err != nil {
		return err
	}
	p.renew(got.Token)
	return nil
}

func (p *person) withoutToken() *person { return &person{rec: p.rec, url: p.url, http: p.http} }
