package store

import (
	"database/sql/driver"

	"parley/models"
)

const sessionQuery = "SELECT id, user_id, token_hash, created_at, last_used_at, expires_at, agent, address FROM sessions WHERE "

type sessionRow struct {
	ID         int64
	UserID     int64
	TokenHash  []byte
	CreatedAt  int64
	LastUsedAt int64
	ExpiresAt  int64
	Agent      string
	Address    string
}

func (s sessionRow) model() models.Session {
	return models.Session{
		ID: s.ID, UserID: s.UserID, TokenHash: s.TokenHash, CreatedAt: moment(s.CreatedAt),
		LastUsedAt: moment(s.LastUsedAt), ExpiresAt: moment(s.ExpiresAt), Agent: s.Agent, Address: s.Address,
	}
}

type ticketRow struct {
	Hash      []byte
	SessionID int64
	UserID    int64
	CreatedAt int64
	UsedAt    int64
	ClosedAt  int64
}

func (t ticketRow) model() models.Ticket {
	return models.Ticket{
		Hash: t.Hash, SessionID: t.SessionID, UserID: t.UserID, CreatedAt: moment(t.CreatedAt),
		UsedAt: moment(t.UsedAt), ClosedAt: moment(t.ClosedAt),
	}
}

// SessionByHash implements chat.SessionReader.
func (r *reader) SessionByHash(hash []byte) (models.Session, error) {
	row, err := one[sessionRow](r, "read session by token", sessionQuery+"token_hash = ?", blob(hash))
	return row.model(), err
}

// Session implements chat.SessionReader.
func (r *reader) Session(id int64) (models.Session, error) {
	row, err := one[sessionRow](r, "read session", sessionQuery+"id = ?", id)
	return row.model(), err
}

// SessionsOf implements chat.SessionReader.
func (r *reader) SessionsOf(userID int64) ([]models.Session, error) {
	return modelsOf[models.Session](many[sessionRow](r, "list sessions", sessionQuery+"user_id = ? ORDER BY id", userID))
}

// LiveSessions implements chat.SessionReader.
func (r *reader) LiveSessions(userID, before int64, now models.Time, limit int) ([]models.Session, error) {
	if before <= 0 {
		before = models.MaxID
	}
	return modelsOf[models.Session](many[sessionRow](r, "list live sessions",
		sessionQuery+"user_id = ? AND id < ? AND expires_at >= ? ORDER BY id DESC LIMIT ?",
		userID, before, millis(now), max(limit, 0)))
}

// SessionAddresses implements chat.SessionReader.
func (r *reader) SessionAddresses() ([]string, error) {
	return many[string](r, "list the sessions' addresses", "SELECT DISTINCT address FROM sessions")
}

// SessionsFrom implements chat.SessionReader.
func (r *reader) SessionsFrom(address string) ([]models.Session, error) {
	return modelsOf[models.Session](many[sessionRow](r, "list sessions of an address",
		sessionQuery+"address = ? ORDER BY id", storable(address)))
}

// ExpiredSessions implements chat.SessionReader. 0 is no end.
func (r *reader) ExpiredSessions(before models.Time, limit int) ([]models.Session, error) {
	return modelsOf[models.Session](many[sessionRow](r, "find expired sessions",
		sessionQuery+"expires_at > 0 AND expires_at < ? ORDER BY expires_at, id LIMIT ?", millis(before), limit))
}

// SessionsAfter implements chat.SessionReader.
func (r *reader) SessionsAfter(after int64, limit int) ([]models.Session, error) {
	return modelsOf[models.Session](many[sessionRow](r, "list sessions", sessionQuery+"id > ? ORDER BY id LIMIT ?", after, limit))
}

// Ticket implements chat.SessionReader.
func (r *reader) Ticket(hash []byte) (models.Ticket, error) {
	row, err := one[ticketRow](r, "read ticket",
		"SELECT hash, session_id, user_id, created_at, used_at, closed_at FROM tickets WHERE hash = ?", blob(hash))
	return row.model(), err
}

// blob is bytes as a parameter. GORM would take a plain slice for a list of values, and nil for
// NULL.
type blob []byte

// Value implements driver.Valuer.
func (b blob) Value() (driver.Value, error) { return append([]byte{}, b...), nil }
