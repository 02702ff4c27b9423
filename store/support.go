package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"parley/models"
)

// conversationQuery reads conversations with all that readers fill. A place in the queue is counted for those that
// are in it only.
const conversationQuery = "SELECT c.*, v.name AS visitor_name, v.display_name AS visitor_display, v.role AS visitor_role, " +
	"COALESCE(a.name, '') AS agent_name, COALESCE(a.display_name, '') AS agent_display, COALESCE(a.role, '') AS agent_role, " +
	"q.name AS queue, q.hours, COALESCE(d.email, '') AS email, COALESCE(d.page, '') AS page, COALESCE(d.language, '') AS language, " +
	"COALESCE(r.score, 0) AS score, COALESCE(r.comment, '') AS comment, COALESCE(r.created_at, 0) AS rated_at, " +
	"CASE WHEN c.state = 'queued' THEN (SELECT COUNT(*) FROM conversations o WHERE o.state = 'queued' AND o.queue_id = c.queue_id " +
	"AND (o.front > c.front OR o.front = c.front AND o.place <= c.place)) ELSE 0 END AS position " +
	"FROM conversations c JOIN users v ON v.id = c.visitor_id LEFT JOIN users a ON a.id = c.agent_id " +
	"JOIN support_queues q ON q.id = c.queue_id LEFT JOIN visitors d ON d.user_id = c.visitor_id " +
	"LEFT JOIN ratings r ON r.conversation_id = c.id WHERE "

type conversationRow struct {
	ID              int64
	NotesRoom       int64
	VisitorID       int64
	VisitorName     string
	VisitorDisplay  string
	VisitorRole     string
	Email           string
	Page            string
	Language        string
	QueueID         int64
	Queue           string
	Hours           string
	Subject         string
	State           string
	AgentID         int64
	AgentName       string
	AgentDisplay    string
	AgentRole       string
	Front           bool
	Place           int64
	Position        int
	Offline         bool
	OpenedAt        int64
	QueuedAt        int64
	AssignedAt      int64
	FirstAssignedAt int64
	RespondedAt     int64
	ClosedAt        int64
	Reason          string
	ClosedBy        int64
	Score           int
	Comment         string
	RatedAt         int64
}

// unblank gives a text as it is, and nothing where it was erased: that leaves spaces. None ends with one by itself.
func unblank(text string) string { return strings.TrimRight(text, " ") }

func (c conversationRow) model() models.Conversation {
	m := models.Conversation{
		ID: c.ID, NotesRoom: c.NotesRoom, VisitorID: c.VisitorID,
		Visitor: models.User{ID: c.VisitorID, Name: c.VisitorName, DisplayName: c.VisitorDisplay, Role: models.Role(c.VisitorRole)},
		Details: models.VisitorDetails{Email: c.Email, Page: c.Page, Language: c.Language},
		QueueID: c.QueueID, Queue: c.Queue, Hours: hoursOf(c.Hours), Subject: unblank(c.Subject),
		State: models.ConversationState(c.State), AgentID: c.AgentID, Front: c.Front, Place: c.Place, Position: c.Position, Offline: c.Offline,
		OpenedAt: moment(c.OpenedAt), QueuedAt: moment(c.QueuedAt), AssignedAt: moment(c.AssignedAt),
		FirstAssignedAt: moment(c.FirstAssignedAt), RespondedAt: moment(c.RespondedAt), ClosedAt: moment(c.ClosedAt),
		Reason: models.CloseReason(c.Reason), ClosedBy: c.ClosedBy,
	}
	if c.AgentID != 0 {
		m.Agent = models.User{ID: c.AgentID, Name: c.AgentName, DisplayName: c.AgentDisplay, Role: models.Role(c.AgentRole)}
	}
	if c.Score != 0 {
		m.Rating = &models.Rating{Score: c.Score, Comment: unblank(c.Comment), CreatedAt: moment(c.RatedAt)}
	}
	return m
}

// Visitor implements chat.SupportReader.
func (r *reader) Visitor(userID int64) (models.VisitorDetails, error) {
	return one[models.VisitorDetails](r, "read visitor", "SELECT email, page, language FROM visitors WHERE user_id = ?", userID)
}

// Conversation implements chat.SupportReader.
func (r *reader) Conversation(id int64) (models.Conversation, error) {
	row, err := one[conversationRow](r, "read conversation", conversationQuery+"c.id = ?", id)
	return row.model(), err
}

// OpenConversation implements chat.SupportReader.
func (r *reader) OpenConversation(visitorID int64) (models.Conversation, error) {
	row, err := one[conversationRow](r, "read a visitor's open conversation",
		conversationQuery+"c.visitor_id = ? AND c.state <> 'closed' ORDER BY c.id DESC LIMIT 1", visitorID)
	return row.model(), err
}

// LastConversation implements chat.SupportReader.
func (r *reader) LastConversation(visitorID int64) (models.Conversation, error) {
	row, err := one[conversationRow](r, "read a visitor's last conversation",
		conversationQuery+"c.visitor_id = ? ORDER BY c.id DESC LIMIT 1", visitorID)
	return row.model(), err
}

// ConversationsOf implements chat.SupportReader.
func (r *reader) ConversationsOf(agentID int64) ([]models.Conversation, error) {
	return modelsOf[models.Conversation](many[conversationRow](r, "list an agent's conversations",
		conversationQuery+"c.agent_id = ? AND c.state = 'assigned' ORDER BY c.id", agentID))
}

// Conversations implements chat.SupportReader.
func (r *reader) Conversations(page models.ConversationPage) ([]models.Conversation, error) {
	query, args := conversationQuery+"c.id < ?", []any{page.Before}
	if page.Before == 0 {
		args[0] = int64(models.MaxID)
	}
	for _, c := range []struct {
		on    bool
		where string
		value any
	}{
		{page.VisitorID != 0, " AND c.visitor_id = ?", page.VisitorID},
		{page.AgentID != 0, " AND c.agent_id = ?", page.AgentID},
		{page.QueueID != 0, " AND c.queue_id = ?", page.QueueID},
		{page.State != "", " AND c.state = ?", string(page.State)},
	} {
		if c.on {
			query, args = query+c.where, append(args, c.value)
		}
	}
	return modelsOf[models.Conversation](many[conversationRow](r, "list conversations",
		query+" ORDER BY c.id DESC LIMIT ?", append(args, max(page.Limit, 0))...))
}

// Waiting implements chat.SupportReader.
func (r *reader) Waiting(queueID int64) ([]models.Conversation, error) {
	return modelsOf[models.Conversation](many[conversationRow](r, "read a queue",
		conversationQuery+"c.queue_id = ? AND c.state = 'queued' ORDER BY c.front DESC, c.place", queueID))
}

type queueHeadRow struct {
	ConversationID int64
	QueueID        int64
	VisitorID      int64
	Front          bool
	Place          int64
	Hours          string
}

func (h queueHeadRow) model() models.QueueHead {
	return models.QueueHead{
		ConversationID: h.ConversationID, QueueID: h.QueueID, VisitorID: h.VisitorID, Front: h.Front, Place: h.Place, Hours: hoursOf(h.Hours),
	}
}

// QueueHeads implements chat.SupportReader.
func (r *reader) QueueHeads() ([]models.QueueHead, error) {
	return modelsOf[models.QueueHead](many[queueHeadRow](r, "read the heads of the queues",
		"SELECT c.id AS conversation_id, c.queue_id, c.visitor_id, c.front, c.place, q.hours FROM support_queues q JOIN conversations c ON c.id = ("+
			"SELECT w.id FROM conversations w WHERE w.state = 'queued' AND w.queue_id = q.id ORDER BY w.front DESC, w.place LIMIT 1) "+
			"WHERE q.assignment = 'auto' ORDER BY c.front DESC, c.place"))
}

const placesQuery = "SELECT id AS conversation_id, visitor_id, queue_id FROM conversations WHERE state = 'queued' ORDER BY queue_id, front DESC, place"

// QueuePlaces implements chat.SupportReader.
func (r *reader) QueuePlaces() ([]models.QueuePlace, error) {
	return many[models.QueuePlace](r, "read the places in the queues", placesQuery)
}

const openQuery = "SELECT id, visitor_id, CASE WHEN state = 'assigned' THEN agent_id ELSE 0 END AS agent_id, offline FROM conversations " +
	"WHERE state IN ('queued', 'assigned') ORDER BY id"

// OpenConversations implements chat.SupportReader.
func (r *reader) OpenConversations() ([]models.OpenConversation, error) {
	return many[models.OpenConversation](r, "read the open conversations", openQuery)
}

// leftQuery is asked every second: it has an index of its own, which holds only what was left. What is
// open again has no reason. By the id as a value: SQLite would go through the table in its order.
const leftQuery = "SELECT id, visitor_id, 0 AS agent_id, offline FROM conversations WHERE reason = 'visitor_left' AND closed_at > ? ORDER BY +id"

// LeftConversations implements chat.SupportReader.
func (r *reader) LeftConversations(since models.Time) ([]models.OpenConversation, error) {
	return many[models.OpenConversation](r, "read the conversations that were left", leftQuery, millis(since))
}

const agentQuery = "SELECT s.user_id, s.available, s.capacity, s.idle_since, u.name, u.display_name, u.role, " +
	"(SELECT COUNT(*) FROM conversations c WHERE c.agent_id = s.user_id AND c.state = 'assigned') AS load " +
	"FROM support_agents s JOIN users u ON u.id = s.user_id AND u.role IN ('agent', 'admin') AND u.deleted_id IS NULL WHERE "

type agentRow struct {
	UserID      int64
	Available   bool
	Capacity    int
	IdleSince   int64
	Name        string
	DisplayName string
	Role        string
	Load        int
}

func (a agentRow) model() models.SupportAgent {
	return models.SupportAgent{
		User:      models.User{ID: a.UserID, Name: a.Name, DisplayName: a.DisplayName, Role: models.Role(a.Role)},
		Available: a.Available, Capacity: a.Capacity, IdleSince: moment(a.IdleSince), Load: a.Load,
	}
}

// SupportAgent implements chat.SupportReader.
func (r *reader) SupportAgent(userID int64) (models.SupportAgent, error) {
	row, err := one[agentRow](r, "read agent", agentQuery+"s.user_id = ?", userID)
	if err != nil {
		return row.model(), err
	}
	agents := []models.SupportAgent{row.model()}
	return agents[0], r.fillQueues(agents, &agents[0])
}

// SupportAgents implements chat.SupportReader.
func (r *reader) SupportAgents(after int64, limit int) ([]models.SupportAgent, error) {
	agents, err := modelsOf[models.SupportAgent](many[agentRow](r, "list agents",
		agentQuery+"s.user_id > ? ORDER BY s.user_id LIMIT ?", after, max(limit, 0)))
	if err != nil || len(agents) == 0 {
		return agents, err
	}
	return agents, r.fillQueues(agents, nil)
}

// fillQueues adds the departments. one, where it is given, is a copy of the only agent to fill.
func (r *reader) fillQueues(agents []models.SupportAgent, one *models.SupportAgent) error {
	ids := make([]int64, len(agents))
	at := make(map[int64]*models.SupportAgent, len(agents))
	for i := range agents {
		ids[i], at[agents[i].User.ID] = agents[i].User.ID, &agents[i]
	}
	rows, err := many[struct {
		UserID int64
		Name   string
	}](r, "read the agents' departments", "SELECT s.user_id, q.name FROM support_agent_queues s JOIN support_queues q ON q.id = s.queue_id "+
		"WHERE "+r.oneOf("s.user_id")+" ORDER BY q.name_key", r.idList(ids))
	for _, row := range rows {
		a := at[row.UserID]
		a.Queues = append(a.Queues, row.Name)
	}
	if one != nil {
		*one = agents[0]
	}
	return err
}

// AvailableAgents implements chat.SupportReader.
func (r *reader) AvailableAgents() ([]int64, error) {
	return many[int64](r, "read who is available", "SELECT s.user_id FROM support_agents s JOIN users u ON u.id = s.user_id "+
		"WHERE s.available AND u.role IN ('agent', 'admin') ORDER BY s.user_id")
}

// FreeAgents implements chat.SupportReader.
func (r *reader) FreeAgents(queueID int64) ([]models.SupportAgent, error) {
	return modelsOf[models.SupportAgent](many[agentRow](r, "look for free agents",
		"SELECT * FROM ("+agentQuery+"s.available AND (NOT EXISTS (SELECT 1 FROM support_agent_queues n WHERE n.user_id = s.user_id) "+
			"OR EXISTS (SELECT 1 FROM support_agent_queues n WHERE n.user_id = s.user_id AND n.queue_id = ?))) AS f "+
			"WHERE load < capacity ORDER BY load, idle_since, user_id", queueID))
}

const queueQuery = "SELECT q.id, q.name, q.name_key, q.assignment, q.hours, q.created_at, " +
	"(SELECT COUNT(*) FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued') AS waiting FROM support_queues q WHERE "

type queueRow struct {
	ID         int64
	Name       string
	NameKey    string
	Assignment string
	Hours      string
	CreatedAt  int64
	Waiting    int
}

// SupportQueue implements chat.SupportReader.
func (r *reader) SupportQueue(id int64) (models.SupportQueue, error) {
	return queueOf(one[queueRow](r, "read department", queueQuery+"q.id = ? AND NOT q.deleted", id))
}

// SupportQueueByKey implements chat.SupportReader.
func (r *reader) SupportQueueByKey(key string) (models.SupportQueue, error) {
	return queueOf(one[queueRow](r, "read department", queueQuery+"q.name_key = ? AND NOT q.deleted", storable(key)))
}

// SupportQueues implements chat.SupportReader.
func (r *reader) SupportQueues() ([]models.SupportQueue, error) {
	rows, err := many[queueRow](r, "list departments", queueQuery+"NOT q.deleted ORDER BY q.name_key")
	queues := make([]models.SupportQueue, 0, len(rows))
	for _, row := range rows {
		q, failed := queueOf(row, err)
		if failed != nil {
			return nil, failed
		}
		queues = append(queues, q)
	}
	return queues, err
}

// queueOf reads the hours, which are stored as JSON.
func queueOf(row queueRow, err error) (models.SupportQueue, error) {
	q := models.SupportQueue{
		ID: row.ID, Name: row.Name, Key: row.NameKey, Assignment: models.Assignment(row.Assignment),
		CreatedAt: moment(row.CreatedAt), Waiting: row.Waiting,
	}
	if err != nil || row.Hours == "" {
		return q, err
	}
	if err := json.Unmarshal([]byte(row.Hours), &q.Hours); err != nil {
		return q, fmt.Errorf("read the hours of department %d: %w", q.ID, err)
	}
	return q, nil
}

// InsertVisitor implements chat.Tx.
func (t *tx) InsertVisitor(userID int64, d models.VisitorDetails) error {
	_, err := t.write("insert visitor", "INSERT INTO visitors (user_id, email, page, language) VALUES (?, ?, ?, ?)",
		userID, d.Email, d.Page, d.Language)
	return err
}

// InsertConversation implements chat.Tx.
func (t *tx) InsertConversation(c models.Conversation) error {
	_, err := t.write("insert conversation",
		"INSERT INTO conversations (id, notes_room, visitor_id, queue_id, opened_queue, subject, state, agent_id, front, place, offline, opened_at, "+
			"queued_at, assigned_at, first_assigned_at, responded_at, closed_at, reason, closed_by) "+
			"VALUES (?, 0, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 0, 0, 0, 0, '', 0)",
		c.ID, c.VisitorID, c.QueueID, c.QueueID, c.Subject, string(c.State), c.Front, c.Place, c.Offline, millis(c.OpenedAt), millis(c.QueuedAt))
	return err
}

// UpdateConversation implements chat.Tx.
func (t *tx) UpdateConversation(c models.Conversation) error {
	return t.update("update conversation",
		"UPDATE conversations SET notes_room = ?, queue_id = ?, state = ?, agent_id = ?, front = ?, place = ?, offline = ?, queued_at = ?, "+
			"assigned_at = ?, first_assigned_at = ?, responded_at = ?, closed_at = ?, reason = ?, closed_by = ? WHERE id = ?",
		c.NotesRoom, c.QueueID, string(c.State), c.AgentID, c.Front, c.Place, c.Offline, millis(c.QueuedAt), millis(c.AssignedAt),
		millis(c.FirstAssignedAt), millis(c.RespondedAt), millis(c.ClosedAt), string(c.Reason), c.ClosedBy, c.ID)
}

// SaveSupportAgent implements chat.Tx.
func (t *tx) SaveSupportAgent(a models.SupportAgent) error {
	_, err := t.write("save agent",
		"INSERT INTO support_agents (user_id, available, capacity, idle_since) VALUES (?, ?, ?, ?) ON CONFLICT (user_id) "+
			"DO UPDATE SET available = excluded.available, capacity = excluded.capacity, idle_since = excluded.idle_since",
		a.User.ID, a.Available, a.Capacity, millis(a.IdleSince))
	return err
}

// SetAgentQueues implements chat.Tx.
func (t *tx) SetAgentQueues(userID int64, queueIDs []int64) error {
	if _, err := t.write("clear an agent's departments", "DELETE FROM support_agent_queues WHERE user_id = ?", userID); err != nil {
		return err
	}
	for _, id := range queueIDs {
		if _, err := t.write("set an agent's department", "INSERT INTO support_agent_queues (user_id, queue_id) VALUES (?, ?)", userID, id); err != nil {
			return err
		}
	}
	return nil
}

// InsertAssignment implements chat.Tx.
func (t *tx) InsertAssignment(id int64, c models.Conversation) error {
	_, err := t.write("insert assignment",
		"INSERT INTO assignments (id, conversation_id, agent_id, queue_id, queued_at, from_at, to_at) VALUES (?, ?, ?, ?, ?, ?, 0)",
		id, c.ID, c.AgentID, c.QueueID, millis(c.QueuedAt), millis(t.now))
	return err
}

// EndAssignment implements chat.Tx.
func (t *tx) EndAssignment(conversationID int64) error {
	return t.update("end assignment", "UPDATE assignments SET to_at = ? WHERE conversation_id = ? AND to_at = 0", millis(t.now), conversationID)
}
