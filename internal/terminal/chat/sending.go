package chat

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// typingEvery is how often the others are told that one writes: what they are told holds for six seconds.
const typingEvery = 4 * time.Second

// send shows a message as being sent and delivers it behind those of the room that are not delivered yet.
func (m *model) send(r *room, text string) tea.Cmd {
	nonce := rand.Text()
	now := m.board.now()
	e := r.line.write(client.Message{
		Sender: client.Peer{ID: m.board.me, Name: m.board.people[m.board.me].name}, Text: text, Nonce: &nonce, CreatedAt: now,
	})
	r.line.anchor, r.line.newFrom, r.newAfter = nil, 0, 0
	m.typed = time.Time{}
	if r.queue = append(r.queue, e); len(r.queue) > 1 {
		return nil
	}
	return m.deliver(r)
}

// deliver sends the first of a room's queue, for as long as it takes.
func (m *model) deliver(r *room) tea.Cmd {
	e, conn := r.queue[0], m.conn
	request := client.SendRequest{To: client.To(m.board.ref(r)), Text: e.message.Text, Nonce: e.message.Nonce}
	return func() tea.Msg {
		sent, err := conn.Deliver(conn.ctx, request)
		return answerMsg{conn, func(m *model) tea.Cmd { return m.delivered(r, e, sent, err) }}
	}
}

func (m *model) delivered(r *room, e *entry, sent client.Message, err error) tea.Cmd {
	r.queue = r.queue[1:]
	var next tea.Cmd
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		m.board.refuse(r, e, why(err))
	default:
		if r.id == 0 {
			next = m.loadRooms()
		}
		m.board.stored(r, e, sent)
	}
	if len(r.queue) > 0 {
		return tea.Batch(next, m.deliver(r))
	}
	return next
}

// stored takes the answer to a message of one's own. Its event brings the same, before or behind it.
func (b *board) stored(r *room, e *entry, sent client.Message) {
	if r.id == 0 && b.room(sent.RoomID) == nil {
		r.id = sent.RoomID // its room.created is on its way
	}
	sent.Nonce = e.message.Nonce
	sent.Reactions = nil // what came since is counted by its events
	r.line.arrived(sent, true)
}

// refuse leaves a message where it is, as one that the server did not take.
func (b *board) refuse(r *room, e *entry, reason string) {
	seen := r.line.anchor
	r.line.drop(*e.message.Nonce)
	e.fate, e.reason, e.shown = refused, reason, rendering{}
	e.place = max(r.line.last(), b.at)
	r.line.insert(e)
	r.line.anchor = seen
}

// refusedFor tells an answer that no repetition changes.
func refusedFor(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests
}

// tellTyping tells the others that one is writing, now and then.
func (m *model) tellTyping() tea.Cmd {
	text := m.input.text()
	r, now := m.board.here, time.Now()
	if !m.online || r == nil || r.id == 0 || strings.TrimSpace(text) == "" || strings.HasPrefix(text, "/") || now.Sub(m.typed) < typingEvery {
		return nil
	}
	m.typed = now
	ref := m.board.ref(r)
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		_ = c.Typing(ctx, ref) // nobody misses it
		return nil
	})
}
