package store

import "parley/models"

// SaveRating implements chat.RatingWriter.
func (t *tx) SaveRating(conversationID int64, r models.Rating) error {
	_, err := t.write("save rating", "INSERT INTO ratings (conversation_id, score, comment, created_at) VALUES (?, ?, ?, ?) "+
		"ON CONFLICT (conversation_id) DO UPDATE SET score = excluded.score, comment = excluded.comment",
		conversationID, r.Score, r.Comment, millis(r.CreatedAt))
	return err
}
