package chat

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// again is how long after a failure something is asked for once more. While there is no stream at all, its return asks.
const again = 2 * time.Second

// loadRooms asks for the rooms and what is unread in them. Where that is under way it is asked once more behind it.
func (m *model) loadRooms() tea.Cmd {
	if m.listing {
		m.again = true
		return nil
	}
	m.listing = true
	m.board.asked()
	epoch := m.board.epoch
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		rooms, cursor, err := c.Rooms(ctx)
		return func(m *model) tea.Cmd { return m.gotRooms(epoch, rooms, cursor, err) }
	})
}

func (m *model) gotRooms(epoch int, rooms []client.Room, cursor int64, err error) tea.Cmd {
	oncemore := m.again || epoch != m.board.epoch
	m.listing, m.again = false, false
	var all []tea.Cmd
	switch {
	case epoch != m.board.epoch:
	case err != nil:
		m.board.answered(0, nil)
		all = append(all, m.later(again, (*model).loadRooms))
		oncemore = false
	default:
		before := m.board.here
		m.board.take(rooms, cursor)
		if m.board.here != before || before != nil && !before.line.loaded {
			all = append(all, m.opened())
		}
	}
	if oncemore {
		all = append(all, m.loadRooms())
	}
	return tea.Batch(all...)
}

// loadHistory asks for the newest page of a room, or for the one before an id. What is there or under way is not asked for.
func (m *model) loadHistory(r *room, before int64) tea.Cmd {
	if r.line.loading || before == 0 && r.line.loaded {
		return nil
	}
	r.line.loading = true
	m.board.asked()
	epoch, ref := m.board.epoch, m.board.ref(r)
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		list, err := c.History(ctx, ref, before, pageSize)
		return func(m *model) tea.Cmd { return m.gotHistory(epoch, r, before, list, err) }
	})
}

func (m *model) gotHistory(epoch int, r *room, before int64, list client.MessageList, err error) tea.Cmd {
	if epoch != m.board.epoch {
		return nil
	}
	if err != nil {
		r.line.loading = false
		m.board.answered(0, nil)
		m.say("the history cannot be read: " + why(err))
		if before > 0 { // the next look up asks
			return nil
		}
		return m.later(again, func(m *model) tea.Cmd {
			if m.board.here != r {
				return nil
			}
			return m.loadHistory(r, 0)
		})
	}
	m.board.history(r, list, before)
	if before == 0 {
		r.line.markNew(m.board.me, r.newAfter)
	}
	return nil
}

// loadWho asks who is online.
func (m *model) loadWho() tea.Cmd {
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		users, err := c.Who(ctx, "")
		return func(m *model) tea.Cmd {
			if err == nil {
				m.board.people.online(users)
			}
			return nil
		}
	})
}

// loadPresent asks who of a channel is online.
func (m *model) loadPresent(r *room) tea.Cmd {
	if r == nil || r.asking || r.kind != client.RoomKindChannel {
		return nil
	}
	r.asking = true
	ref := m.board.ref(r)
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		users, err := c.Who(ctx, ref)
		return func(m *model) tea.Cmd {
			r.asking = false
			if err == nil {
				r.present = map[int64]bool{}
				for _, u := range users {
					r.present[u.ID] = true
					m.board.people.met(u.ID, u.Name)
					m.board.people[u.ID].status = u.Status
				}
			}
			return nil
		}
	})
}

// loadPublic asks for the channels that one may join, and then completes one.
func (m *model) loadPublic() tea.Cmd {
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		rooms, err := c.PublicRooms(ctx)
		return func(m *model) tea.Cmd {
			if err != nil {
				m.say("the channels cannot be listed: " + why(err))
				return nil
			}
			m.board.public = []string{}
			for _, r := range rooms {
				m.board.public = append(m.board.public, value(r.Name))
			}
			return m.tabbed()
		}
	})
}

// markRead tells the server what one has seen: the room that is looked at, to its end.
func (m *model) markRead() tea.Cmd {
	if m.conn == nil || m.board.here == nil || m.unfocused || m.dialog != nil {
		return nil
	}
	r := m.board.here
	last := r.line.last()
	if !r.line.loaded || !r.line.atEnd() || r.unread == 0 || last == 0 {
		return nil
	}
	r.seen(last)
	if r.marking > 0 { // it is told behind the one that is under way
		r.marking = last
		return nil
	}
	r.marking = last
	return m.tellRead(r, last)
}

func (m *model) tellRead(r *room, id int64) tea.Cmd {
	ref := m.board.ref(r)
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		err := c.MarkRead(ctx, ref, id)
		return func(m *model) tea.Cmd {
			switch next := r.marking; {
			case next > id:
				return m.tellRead(r, next)
			case err != nil && !refusedFor(err):
				return m.later(again, func(m *model) tea.Cmd { return m.tellRead(r, r.marking) })
			}
			r.marking = 0
			return nil
		}
	})
}
