package chat

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// open looks at a room. What was being typed stays with the room it was for.
func (m *model) open(r *room) tea.Cmd {
	here := m.board.here
	if here == r {
		return nil
	}
	if here != nil {
		here.draft = m.input.text()
		here.line.newFrom, here.newAfter = 0, 0
	}
	m.board.here = r
	m.input.set(r.draft)
	return m.opened()
}

// opened asks for what a room needs to be looked at.
func (m *model) opened() tea.Cmd {
	m.tab = completion{}
	r := m.board.here
	if r == nil {
		return nil
	}
	if r.unread > 0 {
		r.newAfter = max(r.readID, 1)
		r.line.markNew(m.board.me, r.newAfter)
	}
	cmd := m.loadHistory(r, 0)
	if r.present == nil {
		return tea.Batch(cmd, m.loadPresent(r))
	}
	return cmd
}

// step looks at the next room of the list, or by -1 at the one before.
func (m *model) step(by int) tea.Cmd {
	n := len(m.board.rooms)
	if n == 0 {
		return nil
	}
	i := max(0, slices.Index(m.board.rooms, m.board.here))
	return m.open(m.board.rooms[(i+by+n)%n])
}

// nextUnread looks at the next room in which something is unread, those that call for attention first.
func (m *model) nextUnread() tea.Cmd {
	n, i := len(m.board.rooms), max(0, slices.Index(m.board.rooms, m.board.here))
	var found *room
	for by := 1; by < n; by++ {
		r := m.board.rooms[(i+by)%n]
		if r.mentions > 0 || r.unread > 0 && r.kind == client.RoomKindDirect {
			found = r
			break
		}
		if r.unread > 0 && found == nil {
			found = r
		}
	}
	if found == nil {
		m.say("nothing is unread")
		return nil
	}
	return m.open(found)
}

// openDirect looks at the conversation with somebody and says something there, if it is not empty. Whether there is somebody of
// the name is asked first where one has heard of none.
func (m *model) openDirect(name, text string) tea.Cmd {
	name = strings.TrimPrefix(name, "@")
	if id := m.board.people.named(name); id != 0 && m.board.with(id) != nil {
		return m.talkTo(m.board.with(id), text)
	}
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		user, err := c.User(ctx, "@"+name)
		return func(m *model) tea.Cmd {
			if err != nil {
				m.giveBack(name, text)
				m.say("@" + cleanLine(name) + ": " + why(err))
				return nil
			}
			if user.ID == m.board.me {
				m.say("that is you")
				return nil
			}
			m.board.people.met(user.ID, user.Name)
			m.board.people[user.ID].status = user.Status
			return m.talkTo(m.board.direct(user.ID), text)
		}
	})
}

func (m *model) talkTo(r *room, text string) tea.Cmd {
	cmd := m.open(r)
	if text == "" {
		return cmd
	}
	return tea.Batch(cmd, m.send(r, text))
}

// giveBack puts a text that could not be sent into the line again, where that is empty; with whom it is for, or it would be said
// to others by the next Enter.
func (m *model) giveBack(name, text string) {
	if text != "" && m.input.text() == "" {
		m.input.set("/msg " + name + " " + text)
	}
}

// direct gives the conversation with a user, an empty one where there is none yet.
func (b *board) direct(user int64) *room {
	if r := b.with(user); r != nil {
		return r
	}
	r := &room{kind: client.RoomKindDirect, peer: user, typing: writing{}}
	b.rooms = append(b.rooms, r)
	b.sortRooms()
	return r
}
