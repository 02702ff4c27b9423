package store

import (
	"time"

	"parley/models"
)

// figuredQuery reads each conversation with the first of its assignments and the length of all. Of a department that
// is gone they are the general one's.
const figuredQuery = "SELECT COALESCE(q.id, ?) AS queue, c.state = 'closed', c.opened_at, COALESCE(a.queued_at, 0), COALESCE(a.from_at, 0), " +
	"c.responded_at, " + servedQuery + "c.id), COALESCE(r.score, 0) " +
	"FROM conversations c LEFT JOIN support_queues q ON q.id = c.opened_queue LEFT JOIN ratings r ON r.conversation_id = c.id " +
	"LEFT JOIN assignments a ON a.id = (SELECT MIN(f.id) FROM assignments f WHERE f.conversation_id = c.id) " +
	"WHERE c.opened_at >= ? AND c.opened_at < ? AND (? = 0 OR COALESCE(q.id, ?) = ?)"

// servedQuery is how long agents had a conversation, in ms, as far as that is over.
const servedQuery = "(SELECT CAST(COALESCE(SUM(s.to_at - s.from_at), 0) AS BIGINT) FROM assignments s WHERE s.to_at <> 0 AND s.conversation_id = "

// FiguredConversations implements chat.SupportStatsReader.
func (r *reader) FiguredConversations(from, to models.Time, queueID int64, add func(models.FiguredConversation)) error {
	return r.each("read conversations for figures", func(row scanner) error {
		var c models.FiguredConversation
		var opened, queued, assigned, responded, served int64
		if err := row.Scan(&c.QueueID, &c.Closed, &opened, &queued, &assigned, &responded, &served, &c.Score); err != nil {
			return err
		}
		c.OpenedAt, c.QueuedAt, c.AssignedAt, c.RespondedAt = moment(opened), moment(queued), moment(assigned), moment(responded)
		c.Served = time.Duration(served) * time.Millisecond
		add(c)
		return nil
	}, figuredQuery, models.GeneralQueue, from.UnixMilli(), to.UnixMilli(), queueID, models.GeneralQueue, queueID)
}

const figuredAssignments = "SELECT a.conversation_id, a.agent_id, a.from_at, a.to_at, c.responded_at, " +
	"CASE WHEN c.state = 'closed' AND c.agent_id = a.agent_id AND NOT EXISTS (SELECT 1 FROM assignments l " +
	"WHERE l.conversation_id = a.conversation_id AND l.id > a.id) THEN c.closed_at ELSE 0 END, COALESCE(r.score, 0) " +
	"FROM assignments a JOIN conversations c ON c.id = a.conversation_id LEFT JOIN support_queues q ON q.id = a.queue_id " +
	"LEFT JOIN ratings r ON r.conversation_id = a.conversation_id " +
	"WHERE (a.to_at = 0 OR a.to_at >= ?) AND a.from_at < ? AND (? = 0 OR COALESCE(q.id, ?) = ?) ORDER BY a.from_at, a.id"

// FiguredAssignments implements chat.SupportStatsReader.
func (r *reader) FiguredAssignments(from, to models.Time, queueID int64, add func(models.FiguredAssignment)) error {
	return r.each("read assignments for figures", func(row scanner) error {
		var a models.FiguredAssignment
		var begun, ended, responded, closed int64
		if err := row.Scan(&a.ConversationID, &a.AgentID, &begun, &ended, &responded, &closed, &a.Score); err != nil {
			return err
		}
		a.From, a.To, a.RespondedAt, a.ClosedAt = moment(begun), moment(ended), moment(responded), moment(closed)
		add(a)
		return nil
	}, figuredAssignments, from.UnixMilli(), to.UnixMilli(), queueID, models.GeneralQueue, queueID)
}

// QueueLoads implements chat.SupportStatsReader.
func (r *reader) QueueLoads() ([]models.QueueLoad, error) {
	return modelsOf[models.QueueLoad](many[queueLoadRow](r, "count the open conversations",
		"SELECT queue_id, state, COUNT(*) AS count, MIN(queued_at) AS queued_since FROM conversations "+
			"WHERE state IN ('queued', 'assigned') GROUP BY queue_id, state"))
}

type queueLoadRow struct {
	QueueID     int64
	State       string
	Count       int
	QueuedSince int64
}

func (q queueLoadRow) model() models.QueueLoad {
	return models.QueueLoad{
		QueueID: q.QueueID, State: models.ConversationState(q.State), Count: q.Count, QueuedSince: moment(q.QueuedSince),
	}
}

// Served implements chat.SupportStatsReader.
func (r *reader) Served(conversationID int64) (time.Duration, error) {
	ms, err := one[int64](r, "read how long agents had a conversation", "SELECT "+servedQuery+"?)", conversationID)
	return time.Duration(ms) * time.Millisecond, err
}
