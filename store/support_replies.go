package store

import "parley/models"

const replyQuery = "SELECT r.id, r.title, r.title_key, r.text, r.queue_id, COALESCE(q.name, '') AS queue, r.by_id, u.name AS by_name, " +
	"r.created_at, r.updated_at FROM support_replies r JOIN users u ON u.id = r.by_id LEFT JOIN support_queues q ON q.id = r.queue_id WHERE "

type cannedReplyRow struct {
	ID        int64
	Title     string
	TitleKey  string
	Text      string
	QueueID   int64
	Queue     string
	ByID      int64
	ByName    string
	CreatedAt int64
	UpdatedAt int64
}

func (r cannedReplyRow) model() models.SupportReply {
	return models.SupportReply{
		ID: r.ID, Title: r.Title, Key: r.TitleKey, Text: r.Text, QueueID: r.QueueID, Queue: r.Queue, ByID: r.ByID, ByName: r.ByName,
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
}

// CannedReply implements chat.CannedReplyReader.
func (r *reader) CannedReply(id int64) (models.SupportReply, error) {
	row, err := one[cannedReplyRow](r, "read canned reply", replyQuery+"r.id = ?", id)
	return row.model(), err
}

// CannedReplyByKey implements chat.CannedReplyReader.
func (r *reader) CannedReplyByKey(key string) (models.SupportReply, error) {
	row, err := one[cannedReplyRow](r, "read canned reply by title", replyQuery+"r.title_key = ?", storable(key))
	return row.model(), err
}

// CannedReplies implements chat.CannedReplyReader. Like UsersByPrefix it is a range of the index.
func (r *reader) CannedReplies(page models.ReplyPage) ([]models.SupportReply, error) {
	if storable(page.Prefix) != page.Prefix {
		return nil, nil // no key begins with it
	}
	query, args := replyQuery+"r.title_key >= ? AND r.title_key > ?", []any{page.Prefix, storable(page.After)}
	if end := successor(page.Prefix); end != "" {
		query, args = query+" AND r.title_key < ?", append(args, end)
	}
	if page.QueueID != 0 {
		query, args = query+" AND r.queue_id IN (0, ?)", append(args, page.QueueID)
	}
	return modelsOf[models.SupportReply](many[cannedReplyRow](r, "list canned replies",
		query+" ORDER BY r.title_key LIMIT ?", append(args, max(page.Limit, 0))...))
}

// CannedReplyCount implements chat.CannedReplyReader.
func (r *reader) CannedReplyCount() (int, error) {
	return one[int](r, "count canned replies", "SELECT COUNT(*) FROM support_replies")
}

// InsertCannedReply implements chat.CannedReplyWriter.
func (t *tx) InsertCannedReply(r models.SupportReply) (models.SupportReply, error) {
	if err := t.save(); err != nil {
		return r, err
	}
	if err := t.fault(OpInsert); err != nil {
		return r, t.fail("insert canned reply", injected{err})
	}
	id, err := one[int64](&t.reader, "insert canned reply",
		"INSERT INTO support_replies (title, title_key, text, queue_id, by_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
		r.Title, r.Key, r.Text, r.QueueID, r.ByID, millis(r.CreatedAt), millis(r.UpdatedAt))
	t.dirty = true
	r.ID = id
	return r, err
}

// UpdateCannedReply implements chat.CannedReplyWriter.
func (t *tx) UpdateCannedReply(r models.SupportReply) error {
	return t.update("update canned reply",
		"UPDATE support_replies SET title = ?, title_key = ?, text = ?, queue_id = ?, updated_at = ? WHERE id = ?",
		r.Title, r.Key, r.Text, r.QueueID, millis(r.UpdatedAt), r.ID)
}

// DeleteCannedReply implements chat.CannedReplyWriter.
func (t *tx) DeleteCannedReply(id int64) error {
	return t.update("delete canned reply", "DELETE FROM support_replies WHERE id = ?", id)
}
