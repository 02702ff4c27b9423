package chat

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"parley/client"
	"parley/internal/terminal/session"
)

// opened is a model in the chat. Its calls are commands that nobody runs.
func opened(t *testing.T) *model {
	t.Helper()
	o := Options{Server: "http://127.0.0.1:1", Store: session.In(t.TempDir()), Clock: func() time.Time { return noon }}
	m := newModel(t.Context(), o)
	c, err := client.New(o.Server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	close(done)
	m.conn = &connection{c, ctx, cancel, make(chan any), done}
	b := newTable(t)
	m.board = b.board
	b.asked()
	b.history(m.board.here, client.MessageList{Cursor: 100, Messages: []client.Message{message(90, lobbyID, bob, "before")}}, 0)
	m.online = true
	return m
}

func (m *model) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if screen := m.View().Content; !strings.Contains(screen, text) {
			t.Errorf("%q is not on the screen\n%s", text, screen)
		}
	}
}

// A reset means that something was missed: nothing of before is trusted, an answer that was under way neither.
func TestResetLoadsEverythingAnew(t *testing.T) {
	t.Parallel()
	m := opened(t)
	lobby := m.board.here
	m.has(t, "before")
	m.loadHistory(lobby, 90)
	stale := m.board.epoch
	if cmd := m.event(client.Event{Type: client.EventTypeReset, Cursor: 500}); cmd == nil || !m.listing {
		t.Error("nothing is asked for")
	}
	m.gotHistory(stale, lobby, 90, client.MessageList{Cursor: 100, Messages: []client.Message{message(80, lobbyID, bob, "stale")}}, nil)
	m.has(t, "loading …", "was missed")
	m.gotRooms(m.board.epoch, []client.Room{channel(lobbyID, "lobby")}, 500, nil)
	if !lobby.line.loading || m.board.room(2) != nil {
		t.Error("the history is not asked for again, or a room is left over")
	}
	m.gotHistory(m.board.epoch, lobby, 0, client.MessageList{Cursor: 500, Messages: []client.Message{message(400, lobbyID, bob, "after")}}, nil)
	if screen := m.View().Content; strings.Contains(screen, "before") || strings.Contains(screen, "stale") {
		t.Errorf("what was before is shown\n%s", screen)
	}
	m.has(t, "after")
}

// The state of the connection is seen, and a failed answer is asked for again rather than given up.
func TestTroubleIsSeen(t *testing.T) {
	t.Parallel()
	m := opened(t)
	m.stream(streamMsg{m.conn, []any{trouble{context.DeadlineExceeded, time.Now().Add(time.Hour)}}})
	m.has(t, "offline, trying again in 3600 s")
	m.stream(streamMsg{m.conn, []any{client.Event{Type: client.EventTypeReady, Data: []byte(`{"user":{"id":10,"name":"anna"}}`)}}})
	m.has(t, "anna", "online")
	m.listing = true
	if cmd := m.gotRooms(m.board.epoch, nil, 0, context.DeadlineExceeded); cmd == nil {
		t.Error("the rooms are not asked for again")
	}
	// What belongs to a connection that is over is dropped.
	old := m.conn
	m.conn = &connection{}
	m.Update(answerMsg{old, func(*model) tea.Cmd {
		t.Error("an answer of an old connection is taken")
		return nil
	}})
	m.conn = old
	m.stream(streamMsg{m.conn, []any{ended{&client.Error{Problem: client.Problem{Status: 401}}}}})
	m.has(t, "The session is over", "Log in")
}

// Typing to a terminal of any size neither panics nor leaves it.
func TestEverySizeFits(t *testing.T) {
	t.Parallel()
	m := opened(t)
	m.board.here.line.tell("a note of some length, 你好", 100, noon)
	for _, open := range []dialog{nil, m.chatMenu(), newForm("Form", "Name", "Password")} {
		m.dialog = open
		for width := 1; width < 120; width += 3 {
			for height := 1; height < 40; height += 5 {
				m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				lines := strings.Split(m.View().Content, "\n")
				if len(lines) > height {
					t.Fatalf("%d lines at %d×%d", len(lines), width, height)
				}
				for _, line := range lines {
					if m.ruler.width(line) > width {
						t.Fatalf("%q at %d×%d", line, width, height)
					}
				}
			}
		}
	}
}
