package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"parley/tests/faults/oracle"
)

// target is where a message goes.
type target struct {
	ref  string
	room int64 // 0: a direct conversation
	with int64 // with whom
}

func roomTarget(room int64) target { return target{ref: fmt.Sprint(room), room: room} }

func directTarget(to *person) target { return target{ref: "@" + to.name, with: to.id} }

type message struct {
	ID     int64
	RoomID int64 `json:"room_id"`
	Text   string
}

// say sends a message until it is answered; the first word of its text is its nonce.
func (p *person) say(ctx context.Context, to target, text string) (id int64, err error) {
	nonce, _, _ := strings.Cut(text, " ")
	return p.send(ctx, oracle.Send{To: to.ref, Room: to.room, With: to.with, Nonce: nonce, Text: text})
}

func (p *person) send(ctx context.Context, s oracle.Send) (id int64, err error) {
	s.By, s.Start, s.Outcome = p.id, p.rec.tick(), oracle.Unknown
	body := map[string]string{"to": s.To, "text": s.Text, "nonce": s.Nonce}
	t, err := p.insist(ctx, http.MethodPost, "/v1/send", body)
	s.End = p.rec.tick()
	defer func() { p.rec.sent(s) }()
	if err != nil {
		return 0, err
	}
	switch t.status {
	case http.StatusCreated, http.StatusOK:
		var m message
		if err := decode(t.body, &m); err != nil {
			return 0, err
		}
		if m.Text != s.Text {
			p.rec.fault("message %d was sent as %q and is answered as %q", m.ID, s.Text, m.Text)
		}
		s.Outcome, s.ID, s.Again = oracle.Answered, m.ID, t.status == http.StatusOK
		if s.Again && !t.unsure && !s.Replay {
			p.rec.fault("message %d is answered 200 at its first try: %+v", m.ID, s)
		}
		return m.ID, nil
	case http.StatusForbidden, http.StatusNotFound:
		if !t.unsure {
			s.Outcome = oracle.Refused
		}
		if s.Room == 0 {
			p.rec.fault("a direct message was refused: %d %s", t.status, t.body)
		}
		return 0, nil
	default:
		return 0, fmt.Errorf("send by user %d: %d %s: %.300s", s.By, t.status, t.body, fmt.Sprintf("%+v", s))
	}
}

// readHistory asks for a part of a room's history and hands the answer to the oracle.
func (p *person) readHistory(ctx context.Context, room, before, after int64, limit int) (r oracle.Read, err error) {
	path := fmt.Sprintf("/v1/rooms/%d/messages?limit=%d", room, limit)
	if before != 0 {
		path += fmt.Sprintf("&before=%d", before)
	}
	if after != 0 {
		path += fmt.Sprintf("&after=%d", after)
	}
	r = oracle.Read{Room: room, Before: before, After: after, Limit: limit, Texts: map[int64]string{}}
	var got struct {
		Messages  []message
		HasBefore bool `json:"has_before"`
		HasAfter  bool `json:"has_after"`
		Cursor    int64
	}
	if err := p.ask(ctx, &r, path, &got); err != nil || r.Outcome == oracle.Refused {
		return r, err
	}
	r.Cursor, r.Less, r.More = got.Cursor, got.HasBefore, got.HasAfter
	for _, m := range got.Messages {
		r.IDs = append(r.IDs, m.ID)
		r.Texts[m.ID] = m.Text
	}
	p.rec.read(r)
	return r, nil
}

// readRooms asks for the rooms that one is in.
func (p *person) readRooms(ctx context.Context) error {
	r := oracle.Read{Texts: map[int64]string{}}
	var got struct {
		Rooms []struct {
			ID   int64
			Last *message `json:"last_message"`
		}
		Cursor int64
		Next   string `json:"next_page"`
	}
	if err := p.ask(ctx, &r, "/v1/rooms?limit=200", &got); err != nil {
		return err
	}
	if got.Next != "" {
		return fmt.Errorf("user %d has more rooms than a page", p.id)
	}
	r.Cursor = got.Cursor
	for _, room := range got.Rooms {
		r.IDs = append(r.IDs, room.ID)
		if room.Last != nil {
			r.Texts[room.Last.ID] = room.Last.Text
		}
	}
	p.rec.read(r)
	return nil
}

// ask makes a read until it is answered. Only the last try counts for the time. A refusal is recorded here.
func (p *person) ask(ctx context.Context, r *oracle.Read, path string, into any) error {
	for {
		r.By, r.Start = p.id, p.rec.tick()
		a, err := p.try(ctx, http.MethodGet, path, nil)
		r.End = p.rec.tick()
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("GET %s: %w", path, context.Cause(ctx))
		case err != nil || a.status == http.StatusServiceUnavailable || a.status == http.StatusUnauthorized && p.banned(a):
			if err := pause(ctx); err != nil {
				return err
			}
		case a.status == http.StatusOK:
			r.Outcome = oracle.Answered
			return decode(a.body, into)
		case r.Room != 0 && (a.status == http.StatusForbidden || a.status == http.StatusNotFound):
			r.Outcome = oracle.Refused
			p.rec.read(*r)
			return nil
		default:
			return fmt.Errorf("GET %s by user %d: %d %s", path, p.id, a.status, a.body)
		}
	}
}
