package store

import (
	"context"
	"fmt"
	"testing"

	"parley/chat"
	"parley/models"
)

// A database of version 6 comes up with those who are agents or admins as such from their registration on, with rooms
// for no notes, and with a department; what is sent to the agents then is theirs.
func TestUpgradeToSupport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		blob := "BLOB"
		if o.URL != "" {
			blob = "bytea"
		}
		people := []string{"admin", "agent", "member", "guest", "bot", "visitor", "agent"} // from 2 on; the last is deleted
		var queries []string
		for i, role := range people {
			id := i + 2
			queries = append(queries,
				fmt.Sprintf("INSERT INTO users (id, name, name_key, display_name, role, status_text, password, created_at, last_seen_at) "+
					"VALUES (%d, 'u%d', 'u%d', 'u%d', '%s', '', '', 1, 1)", id, id, id, id, role),
				fmt.Sprintf("INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json) VALUES (%d, 1, 'user.registered', 0, 0, 0, CAST('{}' AS %s))", id, blob))
		}
		oldDatabase(t, o, 6, append(queries,
			fmt.Sprintf("INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json) VALUES (9, 1, 'user.deleted', 0, 1, 0, CAST('{}' AS %s))", blob),
			"UPDATE users SET deleted_id = 9 WHERE id = 8",
			"UPDATE rooms SET member_count = 5 WHERE id = 1",
			"UPDATE log_head SET head = 9")...)
		s := mustOpen(t, o)
		do(t, s, func(tx chat.Tx) error {
			_, err := tx.Append(models.Event{Type: models.SupportUpdated, Audience: models.Agents()}, 0)
			return err
		})
		for i, role := range people {
			p, err := s.Page(context.Background(), int64(i+2), 9, 0)
			is := i < 2
			if err != nil || p.Agent != is || len(p.Events) == 1 != is {
				t.Errorf("the %s %d: agent %v, %d events, %v", role, i+2, p.Agent, len(p.Events), err)
			}
		}
		view(t, s, func(r chat.Reader) error {
			room, err := r.Room(models.LobbyID)
			if err != nil || room.NotesOf != 0 || room.Audience() != models.InRoom(models.LobbyID) {
				t.Errorf("the lobby is %+v, %v", room, err)
			}
			queues, err := r.SupportQueues()
			if err != nil || len(queues) != 1 || queues[0].ID != models.GeneralQueue || queues[0].Assignment != models.AutoAssignment || queues[0].Hours != nil {
				t.Errorf("departments %+v, %v", queues, err)
			}
			return nil
		})
		var admin models.User
		view(t, s, func(r chat.Reader) (err error) {
			admin, err = r.User(2)
			return err
		})
		admin.Role = models.RoleMember
		do(t, s, func(tx chat.Tx) error {
			if _, err := tx.Append(models.Event{Type: models.UserUpdated, Audience: models.Everyone()}, 0); err != nil {
				return err
			}
			return tx.UpdateUser(admin)
		})
		write, _ := s.engine.pools()
		if _, err := write.Exec("INSERT INTO support_queues (name, name_key, assignment, hours, created_at) VALUES ('sales', 'sales', 'auto', '', 1)"); err != nil {
			t.Errorf("the next department: %v", err)
		}
		if h := check(t, o); len(h.Findings) > 0 {
			t.Errorf("found %q", h.Findings)
		}
	})
}
