package store

import "parley/models"

type reactedRow struct {
	ReactionID int64
	MessageID  int64
	Emoji      string
	User       userRow `gorm:"embedded"`
}

func (r reactedRow) model() models.Reacted {
	return models.Reacted{ID: r.ReactionID, MessageID: r.MessageID, Emoji: r.Emoji, User: r.User.model()}
}

// Reacted implements chat.ReactionReader.
func (r *reader) Reacted(messageID, userID int64, emoji string) (own, known bool, err error) {
	row, err := one[struct{ Own, Known bool }](r, "look for a reaction",
		"SELECT EXISTS (SELECT 1 FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?) AS own, "+
			"EXISTS (SELECT 1 FROM reactions WHERE message_id = ? AND emoji = ?) AS known",
		messageID, emoji, userID, messageID, emoji)
	return row.Own, row.Known, err
}

// EmojiOf implements chat.ReactionReader.
func (r *reader) EmojiOf(messageID int64) (int, error) {
	return one[int](r, "count emoji", "SELECT COUNT(DISTINCT emoji) FROM reactions WHERE message_id = ?", messageID)
}

// Reactions implements chat.ReactionReader.
func (r *reader) Reactions(messageID int64, emoji string, after int64, limit int) ([]models.Reacted, error) {
	where, args := "x.message_id = ? AND x.id > ?", []any{messageID, after}
	if emoji != "" {
		where, args = where+" AND x.emoji = ?", append(args, emoji)
	}
	return modelsOf[models.Reacted](many[reactedRow](r, "list reactions",
		"SELECT x.id AS reaction_id, x.message_id, x.emoji, u.id, u.name, u.name_key, u.display_name, u.role, u.status_text, "+
			"u.created_at, u.last_seen_at FROM reactions x JOIN users u ON u.id = x.user_id "+
			"WHERE "+where+" ORDER BY x.id LIMIT ?", append(args, max(limit, 0))...))
}

// ReactionsOf implements chat.ReactionReader.
func (r *reader) ReactionsOf(userID, after, upTo int64, limit int) ([]models.Reacted, error) {
	return modelsOf[models.Reacted](many[reactedRow](r, "read a user's reactions",
		"SELECT id AS reaction_id, message_id, emoji FROM reactions "+
			"WHERE user_id = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?", userID, after, upTo, limit))
}

// InsertReaction implements chat.ReactionWriter.
func (t *tx) InsertReaction(r models.Reacted) error {
	_, err := t.write("insert reaction", "INSERT INTO reactions (message_id, emoji, user_id, id) VALUES (?, ?, ?, ?)",
		r.MessageID, r.Emoji, r.User.ID, r.ID)
	return err
}

// DeleteReaction implements chat.ReactionWriter.
func (t *tx) DeleteReaction(messageID, userID int64, emoji string) (bool, error) {
	n, err := t.write("delete reaction",
		"DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?", messageID, emoji, userID)
	return n > 0, err
}

// DeleteReactionsOf implements chat.ReactionWriter.
func (t *tx) DeleteReactionsOf(userID int64, limit int) (more bool, err error) {
	n, err := t.write("delete a user's reactions", "DELETE FROM reactions WHERE user_id = ? AND id IN ("+
		"SELECT id FROM reactions WHERE user_id = ? ORDER BY id LIMIT ?)", userID, userID, limit)
	return n == int64(limit), err
}
