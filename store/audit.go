package store

import (
	"encoding/json"
	"fmt"

	"parley/models"
)

const auditColumns = "id, at, actor_id, actor_name, action, user_id, user_name, room_id, room_name, network, detail, address, via"

type auditRow struct {
	ID        int64
	At        int64
	ActorID   int64
	ActorName string
	Action    string
	UserID    int64
	UserName  string
	RoomID    int64
	RoomName  string
	Network   string
	Detail    string
	Address   string
	Via       string
}

func (a auditRow) model() (models.AuditEntry, error) {
	e := models.AuditEntry{
		ID: a.ID, At: moment(a.At), ActorID: a.ActorID, ActorName: a.ActorName, Action: models.AuditAction(a.Action),
		UserID: a.UserID, UserName: a.UserName, RoomID: a.RoomID, RoomName: a.RoomName, Network: a.Network,
		Address: a.Address, Via: a.Via,
	}
	if a.Detail == "" {
		return e, nil
	}
	if err := json.Unmarshal([]byte(a.Detail), &e.Detail); err != nil {
		return e, fmt.Errorf("decode the detail of audit entry %d: %w", a.ID, err)
	}
	return e, nil
}

// Audit implements chat.AuditReader. Without conditions, or with one, the order is an index's.
func (r *reader) Audit(page models.AuditPage) ([]models.AuditEntry, error) {
	query, args := "SELECT "+auditColumns+" FROM audit WHERE id < ?", []any{int64(models.MaxID)}
	if page.Before != 0 {
		args[0] = page.Before
	}
	if page.ActorID != 0 {
		query, args = query+" AND actor_id = ?", append(args, page.ActorID)
	}
	if page.Action != "" {
		query, args = query+" AND action = ?", append(args, string(page.Action))
	}
	rows, err := many[auditRow](r, "read the audit log", query+" ORDER BY id DESC LIMIT ?", append(args, max(page.Limit, 0))...)
	if err != nil {
		return nil, err
	}
	entries := make([]models.AuditEntry, len(rows))
	for i, row := range rows {
		if entries[i], err = row.model(); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// InsertAudit implements chat.Tx.
func (t *tx) InsertAudit(e models.AuditEntry) error {
	detail := ""
	if len(e.Detail) > 0 {
		text, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("encode the detail of an audit entry: %w", err)
		}
		detail = string(text)
	}
	_, err := t.write("insert audit entry",
		"INSERT INTO audit (at, actor_id, actor_name, action, user_id, user_name, room_id, room_name, network, detail, address, via) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		millis(e.At), e.ActorID, e.ActorName, string(e.Action), e.UserID, e.UserName, e.RoomID, e.RoomName, e.Network,
		detail, e.Address, e.Via)
	return err
}
