package store

import (
	"errors"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

// helpdesk fills a database with some of everything that support has: root (2) is admin, amy (3) an agent from 4 to 5 and from 6
// on, and vic (7), wil (8) and xia (9) are visitors. Conversation 10 of vic is closed and was amy's by 13, 17 of wil is amy's by 20
// and has notes in room 23, and 24 of xia is queued.
func helpdesk(tb testing.TB, s *Store) {
	tb.Helper()
	newUser(tb, s, "root", models.RoleAdmin)
	amy := newUser(tb, s, "amy", models.RoleMember)
	for _, role := range []models.Role{models.RoleAgent, models.RoleMember, models.RoleAgent} {
		amy.Role = role
		do(tb, s, func(tx chat.Tx) error {
			return errors.Join(note(tx, models.UserUpdated, models.Everyone(), 0), tx.UpdateUser(amy))
		})
	}
	vic, wil, xia := newUser(tb, s, "vic", models.RoleVisitor), newUser(tb, s, "wil", models.RoleVisitor), newUser(tb, s, "xia", models.RoleVisitor)
	do(tb, s, func(tx chat.Tx) error {
		first, err := openConversation(tx, vic)
		err = errors.Join(err, assign(tx, &first, amy))
		return errors.Join(err, shut(tx, &first, amy))
	})
	do(tb, s, func(tx chat.Tx) error {
		second, err := openConversation(tx, wil)
		err = errors.Join(err, assign(tx, &second, amy))
		second.NotesRoom = tx.NextID()
		notes := models.Room{ID: second.NotesRoom, Kind: models.KindSupport, Visibility: models.Private, NotesOf: second.ID, CreatedAt: tx.Now()}
		return errors.Join(err, note(tx, models.MessageCreated, models.Agents(), notes.ID), tx.InsertRoom(notes), tx.UpdateConversation(second))
	})
	do(tb, s, func(tx chat.Tx) error {
		_, err := openConversation(tx, xia)
		return errors.Join(err, tx.SaveSupportAgent(models.SupportAgent{User: amy, Available: true, Capacity: 2, IdleSince: tx.Now()}))
	})
	write, _ := s.engine.pools()
	for _, query := range []string{
		"INSERT INTO ratings (conversation_id, score, comment, created_at) VALUES (10, 5, 'good', 1)",
		"INSERT INTO support_queues (id, name, name_key, assignment, hours, created_at) VALUES (2, 'sales', 'sales', 'auto', '', 0)",
		"INSERT INTO support_agent_queues (user_id, queue_id) VALUES (3, 2)",
		"INSERT INTO support_replies (title, title_key, text, queue_id, by_id, created_at, updated_at) VALUES ('a', 'a', 'x', 2, 3, 1, 1), ('b', 'b', 'x', 0, 3, 1, 1)",
	} {
		if _, err := write.Exec(query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
}

func note(tx chat.Tx, kind models.EventType, a models.Audience, room int64) error {
	_, err := tx.Append(models.Event{Type: kind, Audience: a, RoomID: room}, struct{}{})
	return err
}

func told(tx chat.Tx, c models.Conversation) error {
	for _, whom := range []models.Audience{models.Agents(), models.ForUser(c.VisitorID)} {
		_, err := tx.Append(models.Event{Type: models.SupportUpdated, Audience: whom},
			models.SupportData{Conversation: c.ForEvent(whom.Kind == models.ToAgents)})
		if err != nil {
			return err
		}
	}
	return tx.UpdateConversation(c)
}

func openConversation(tx chat.Tx, visitor models.User) (models.Conversation, error) {
	c := models.Conversation{
		ID: tx.NextID(), VisitorID: visitor.ID, Visitor: visitor, QueueID: models.GeneralQueue, Subject: "about tea", State: models.Queued,
		Place: tx.NextID(), OpenedAt: tx.Now(), QueuedAt: tx.Now(),
	}
	room := models.Room{ID: c.ID, Kind: models.KindSupport, Visibility: models.Private, CreatedAt: tx.Now()}
	return c, errors.Join(
		note(tx, models.RoomCreated, models.ForUser(visitor.ID), c.ID), tx.InsertRoom(room), tx.InsertVisitor(visitor.ID, models.VisitorDetails{Page: "/x"}),
		tx.StartSpell(models.Membership{RoomID: c.ID, UserID: visitor.ID, Role: models.RoomMember, From: c.ID, JoinedAt: tx.Now()}),
		tx.InsertConversation(c), told(tx, c))
}

func assign(tx chat.Tx, c *models.Conversation, agent models.User) error {
	c.State, c.AgentID, c.Agent, c.AssignedAt, c.FirstAssignedAt = models.Assigned, agent.ID, agent, tx.Now(), tx.Now()
	id := tx.NextID()
	return errors.Join(told(tx, *c), tx.InsertAssignment(id, *c), join(tx, c.ID, agent, models.RoomModerator))
}

func shut(tx chat.Tx, c *models.Conversation, agent models.User) error {
	c.State, c.ClosedAt, c.Reason = models.Closed, tx.Now(), models.ClosedByAgent
	room, err := tx.Room(c.ID)
	room.Archived = true
	return errors.Join(err, tx.EndAssignment(c.ID), leave(tx, c.ID, agent, false), tx.UpdateRoom(room), tx.UpdateConversation(*c))
}

// Each relation of support is broken in a database of its own, and found, and nothing besides it unless it is wrong too.
func TestCheckFindsWhatIsWrongInSupport(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		query, want string
		findings    int
	}{
		"well":                  {"SELECT 1", "", 0},
		"no room":               {"UPDATE rooms SET kind = 'channel', name_key = 'k' WHERE id = 24", "conversation 24 has no room", 1},
		"no conversation":       {"UPDATE rooms SET notes_of = 0 WHERE id = 23", "room 23 is of a conversation that is not there", 2},
		"not archived":          {"UPDATE rooms SET archived = x.archived FROM rooms AS x WHERE x.id = 1 AND rooms.id = 10", "conversation 10 is closed, but its room says otherwise", 1},
		"archived":              {"UPDATE rooms SET archived = x.archived FROM rooms AS x WHERE x.id = 10 AND rooms.id = 24", "conversation 24 is queued, but its room says otherwise", 1},
		"closed never":          {"UPDATE conversations SET closed_at = 0", "conversation 10 is closed and was closed at 0", 1},
		"closed and queued":     {"UPDATE conversations SET closed_at = 7 WHERE id = 24", "conversation 24 is queued and was closed at 7", 1},
		"two open":              {"UPDATE conversations SET visitor_id = 8 WHERE id = 24; UPDATE memberships SET user_id = 8 WHERE room_id = 24", "visitor 8 has 2 open conversations", 1},
		"visitor not in it":     {"UPDATE memberships SET to_id = 25 WHERE room_id = 24; UPDATE rooms SET member_count = 0 WHERE id = 24", "conversation 24 is that of user 9, who is not in its room", 1},
		"visitor unknown":       {"UPDATE conversations SET visitor_id = 99 WHERE id = 24", "conversation 24 is that of user 99, who is not in its room", 2},
		"agent not in it":       {"UPDATE memberships SET to_id = 26 WHERE room_id = 17 AND user_id = 3; UPDATE rooms SET member_count = 1 WHERE id = 17", "conversation 17 is assigned to user 3, who is not in its room", 1},
		"another in it":         {"UPDATE memberships SET user_id = 2 WHERE room_id = 17 AND user_id = 3", "user 2 is in room 17 of support and has nothing to do there", 2},
		"agent still in it":     {"UPDATE memberships SET to_id = NULL WHERE room_id = 10; UPDATE rooms SET member_count = 2 WHERE id = 10", "user 3 is in room 10 of support", 1},
		"somebody in the notes": {"UPDATE memberships SET room_id = 23 WHERE room_id = 10 AND user_id = 3; UPDATE memberships SET to_id = NULL WHERE room_id = 23; UPDATE rooms SET member_count = 1 WHERE id = 23", "user 3 is in room 23 of support", 1},
		"no agent":              {"UPDATE users SET role = 'member' WHERE id = 3; UPDATE agent_spells SET to_id = 26 WHERE user_id = 3 AND to_id IS NULL; UPDATE log SET type = 'user.updated' WHERE id = 26", "conversation 17 is assigned to user 3, who is no agent", 1},
		"no assignment":         {"UPDATE assignments SET to_at = 7 WHERE conversation_id = 17", "conversation 17 is assigned and has 0 assignments that last", 1},
		"assigned too long":     {"UPDATE assignments SET to_at = 0 WHERE conversation_id = 10", "conversation 10 is closed and has 1 assignments that last", 1},
		"assigned to another":   {"UPDATE assignments SET agent_id = 2 WHERE conversation_id = 17", "assignment 20 of conversation 17 is to user 2, the conversation to 3", 1},
		"assignment of none":    {"UPDATE assignments SET conversation_id = 11 WHERE id = 13", "assignment 13 is of conversation 11, which is not there", 1},
		"rating of none":        {"UPDATE ratings SET conversation_id = 11", "there is a rating of conversation 11, which is not there", 1},
		"notes nowhere":         {"UPDATE conversations SET notes_room = 22 WHERE id = 17", "conversation 17 has its notes in room 22, which is not for them", 2},
		"notes not wanted":      {"UPDATE conversations SET notes_room = 0 WHERE id = 17", "room 23 is for the notes of conversation 17, which has them elsewhere", 1},
		"notes of another":      {"UPDATE conversations SET notes_room = 23 WHERE id = 24", "conversation 24 has its notes in room 23, which is not for them", 1},
		"no general":            {"UPDATE support_queues SET id = 9 WHERE id = 1; UPDATE conversations SET queue_id = 9", "there is no department for what is for none of the others", 1},
		"no department":         {"UPDATE conversations SET queue_id = 7 WHERE id = 24", "conversation 24 is for department 7, which is not there", 1},
		"agent of none":         {"UPDATE support_agent_queues SET queue_id = 7", "agent 3 takes from department 7, which is not there", 1},
		"reply of none":         {"UPDATE support_replies SET queue_id = 7 WHERE title = 'a'", "reply 1 is of department 7, which is not there", 1},
		"agent who is nobody":   {"INSERT INTO support_agents (user_id, available, capacity, idle_since) SELECT 99, available, 1, 0 FROM support_agents", "there is an agent 99, who is not there", 1},
		"details of nobody":     {"UPDATE visitors SET user_id = 99 WHERE user_id = 7", "there are details of visitor 99, who is not there", 1},
		"agent without spell":   {"DELETE FROM agent_spells WHERE user_id = 2", "user 2 is admin and has 0 spells as agent that last", 1},
		"visitor with spell":    {"INSERT INTO agent_spells (user_id, from_id) VALUES (8, 8)", "user 8 is visitor and has 1 spells as agent that last", 1},
		"two spells":            {"UPDATE agent_spells SET to_id = NULL", "user 3 has a spell as agent from 4 that cannot be", 2},
		"spell of nobody":       {"UPDATE log SET type = 'user.updated' WHERE id = 26; INSERT INTO agent_spells (user_id, from_id, to_id) VALUES (1, 4, 26)", "user 1 has a spell as agent from 4 that cannot be", 1},
		"spell before them":     {"UPDATE agent_spells SET from_id = 2 WHERE to_id = 5", "user 3 has a spell as agent from 2 that cannot be", 2},
		"spell backwards":       {"UPDATE agent_spells SET to_id = from_id WHERE to_id = 5", "user 3 has a spell as agent from 4 that cannot be", 1},
		"spells overlap":        {"UPDATE agent_spells SET to_id = 6 WHERE to_id = 5", "user 3 has a spell as agent from 4 that cannot be", 1},
		"spell in the future":   {"UPDATE agent_spells SET from_id = 27 WHERE user_id = 2", "user 2 has a spell as agent from 27 that cannot be", 1},
		"spell begins anywhere": {"UPDATE agent_spells SET from_id = 3 WHERE user_id = 2", "user 2 has a spell as agent from 3, which does not say so", 1},
		"spell ends anywhere":   {"UPDATE log SET type = 'user.renamed' WHERE id = 5", "user 3 has a spell as agent up to 5, which does not say so", 1},
	}
	onCopies(t, helpdesk, func(t *testing.T, another func(tb testing.TB) Options) {
		for name, tt := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				found := spoilt(t, another(t), tt.query).Findings
				if len(found) != tt.findings || !strings.Contains(strings.Join(found, "\n"), tt.want) {
					t.Errorf("found %q, want %d with %q", found, tt.findings, tt.want)
				}
			})
		}
	})
}

// A visitor's account that is deleted leaves nothing of what it told, and one that is erased no subjects and comments.
func TestEraseConversations(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		helpdesk(t, s)
		see := func(id int64, want models.VisitorDetails, subject, comment string) {
			t.Helper()
			view(t, s, func(r chat.Reader) error {
				c, err := r.Conversation(id)
				if err != nil || c.Details != want || c.Subject != subject || c.Rating != nil && c.Rating.Comment != comment {
					t.Errorf("%d is %+v, %+v, %v", id, c, c.Rating, err)
				}
				d, err := r.Visitor(c.VisitorID)
				if d != want || errors.Is(err, chat.ErrNotFound) != (want == models.VisitorDetails{}) {
					t.Errorf("the visitor of %d told %+v, %v", id, d, err)
				}
				return nil
			})
		}
		told := models.VisitorDetails{Page: "/x"}
		see(10, told, "about tea", "good")
		do(t, s, func(tx chat.Tx) error {
			vic, err := tx.User(7)
			if err != nil {
				return err
			}
			at := tx.NextID()
			return errors.Join(note(tx, models.UserDeleted, models.Everyone(), 0), tx.LeaveAll(7, at, at), tx.DeleteUser(vic, at, true))
		})
		see(10, models.VisitorDetails{}, "about tea", "good")
		do(t, s, func(tx chat.Tx) error { return tx.EraseConversations(7) })
		see(10, models.VisitorDetails{}, "", "")
		see(17, told, "about tea", "")
		do(t, s, func(tx chat.Tx) error { return tx.EraseConversations(7) }) // once more, as after a crash
		see(10, models.VisitorDetails{}, "", "")
		if h := check(t, o); len(h.Findings) > 0 {
			t.Errorf("found %q", h.Findings)
		}
	})
}
