package store

import (
	"encoding/json"
	"fmt"

	"parley/models"
)

// QueueInUse implements chat.QueueReader.
func (r *reader) QueueInUse(queueID int64) (bool, error) {
	return one[bool](r, "look for open conversations of a department",
		"SELECT EXISTS (SELECT 1 FROM conversations WHERE state IN ('queued', 'assigned') AND queue_id = ?)", queueID)
}

// InsertQueue implements chat.QueueWriter.
func (t *tx) InsertQueue(q models.SupportQueue) (models.SupportQueue, error) {
	hours, err := storedHours(q)
	if err != nil {
		return q, err
	}
	if err := t.save(); err != nil {
		return q, err
	}
	if err := t.fault(OpInsert); err != nil {
		return q, t.fail("insert department", injected{err})
	}
	id, err := one[int64](&t.reader, "insert department",
		"INSERT INTO support_queues (name, name_key, assignment, hours, created_at, deleted) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
		q.Name, q.Key, string(q.Assignment), hours, millis(q.CreatedAt), false)
	t.dirty = true
	q.ID = id
	return q, err
}

// UpdateQueue implements chat.QueueWriter.
func (t *tx) UpdateQueue(q models.SupportQueue) error {
	hours, err := storedHours(q)
	if err != nil {
		return err
	}
	return t.update("update department", "UPDATE support_queues SET name = ?, name_key = ?, assignment = ?, hours = ? WHERE id = ? AND NOT deleted",
		q.Name, q.Key, string(q.Assignment), hours, q.ID)
}

// DeleteQueue implements chat.QueueWriter.
func (t *tx) DeleteQueue(id int64) error {
	if err := t.update("delete department", "UPDATE support_queues SET deleted = ? WHERE id = ? AND NOT deleted", true, id); err != nil {
		return err
	}
	_, err := t.write("give its canned replies to all", "UPDATE support_replies SET queue_id = 0 WHERE queue_id = ?", id)
	if err != nil {
		return err
	}
	_, err = t.write("give agents of a deleted department the general one",
		"INSERT INTO support_agent_queues (user_id, queue_id) SELECT s.user_id, ? FROM support_agent_queues s WHERE s.queue_id = ? "+
			"AND NOT EXISTS (SELECT 1 FROM support_agent_queues o WHERE o.user_id = s.user_id AND o.queue_id <> s.queue_id)",
		models.GeneralQueue, id)
	if err != nil {
		return err
	}
	_, err = t.write("take agents from a deleted department", "DELETE FROM support_agent_queues WHERE queue_id = ?", id)
	return err
}

// storedHours are the hours as JSON, empty for a department that is always open.
func storedHours(q models.SupportQueue) (string, error) {
	if q.Hours == nil {
		return "", nil
	}
	b, err := json.Marshal(q.Hours)
	if err != nil {
		return "", fmt.Errorf("write the hours of department %q: %w", q.Name, err)
	}
	return string(b), nil
}

// hoursOf is the inverse of storedHours. What it cannot read closes nothing: who lists the departments is told of it.
func hoursOf(stored string) *models.OpeningHours {
	var hours *models.OpeningHours
	if stored == "" || json.Unmarshal([]byte(stored), &hours) != nil {
		return nil
	}
	return hours
}
