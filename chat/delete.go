package chat

import (
	"context"
	"fmt"
	"strconv"

	"parley/models"
)

// DeleteMessage makes a message a tombstone: its author may, wherever they can still read it, and who looks after the room. What
// is deleted already stays so. The database's files are cleared of the text soon after: see scrubber.
func (s *Service) DeleteMessage(ctx context.Context, a Actor, id int64) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, m, err := s.message(tx, a, id)
		if err != nil {
			return err
		}
		if !t.isAuthor(m) {
			if err := allow(DeleteMessage, t.room, t.rank); err != nil {
				return err
			}
		}
		if m.IsDeleted() {
			return nil
		}
		if err := bury(tx, []int64{m.ID}, ""); err != nil {
			return err
		}
		_, err = tx.Append(models.Event{
			Type: models.MessageDeleted, RoomID: m.RoomID, Audience: t.room.Audience(),
		}, models.MessageDeletedData{MessageID: m.ID})
		if err != nil {
			return fmt.Errorf("append message.deleted: %w", err)
		}
		if t.isAuthor(m) || !t.byAdminRight(DeleteMessage) {
			return nil
		}
		return recordInRoom(tx, a, t, models.AuditMessageDelete, models.User{ID: m.SenderID, Name: m.SenderName},
			details("message_id", strconv.FormatInt(m.ID, 10)))
	})
}
