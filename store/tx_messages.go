package store

import (
	"errors"
	"fmt"

	"parley/models"
)

// InsertMessage implements chat.Tx.
func (t *tx) InsertMessage(m models.Message) error {
	t.messages = append(t.messages, m)
	return nil
}

// InsertEdit implements chat.Tx.
func (t *tx) InsertEdit(m models.Message, entry int64, textStays bool) error {
	var body any = m.Text
	if textStays {
		body = nil
	}
	_, err := t.write("insert edit", "INSERT INTO edits (id, message_id, body, created_at) VALUES (?, ?, ?, ?)",
		entry, m.ID, body, millis(t.now))
	return err
}

// InsertNonce implements chat.Tx. A nonce that an earlier command of the batch took is refused here:
// found later, in the database, it would cost the whole batch.
func (t *tx) InsertNonce(n models.Nonce) error {
	if t.buffered(n.UserID, n.Nonce) != nil {
		return fmt.Errorf("insert nonce: %w", errNonceTaken)
	}
	n.Digest = append([]byte{}, n.Digest...)          // not nil, which would be NULL
	delete(t.nonceKnown, nonceKey{n.UserID, n.Nonce}) // from here on the buffer knows better, then the database
	t.nonces = append(t.nonces, n)
	return nil
}

// errNonceTaken is a mistake of a command, which looks for the nonce first.
var errNonceTaken = errors.New("the user has used it before")

// DeleteNonce implements chat.Tx.
func (t *tx) DeleteNonce(userID int64, nonce string) error {
	delete(t.nonceKnown, nonceKey{userID, storable(nonce)})
	if err := t.show(); err != nil {
		return err
	}
	_, err := t.write("delete nonce", "DELETE FROM nonces WHERE user_id = ? AND nonce = ?", userID, storable(nonce))
	return err
}

// DeleteNonces implements chat.Tx.
func (t *tx) DeleteNonces(before models.Time, limit int) (int, error) {
	clear(t.nonceKnown)
	if err := t.show(); err != nil {
		return 0, err
	}
	n, err := t.write("delete old nonces", "DELETE FROM nonces WHERE (user_id, nonce) IN ("+
		"SELECT user_id, nonce FROM nonces WHERE created_at < ? ORDER BY created_at LIMIT ?)", millis(before), limit)
	return int(n), err
}
