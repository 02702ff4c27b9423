package chat

import (
	"context"
	"fmt"
	"strconv"

	"parley/models"
)

// Announce says something to everyone, as an admin: a message of the lobby that clients make stand out. Neither
// slow mode nor a mute holds it up. All else is as Send has it, the nonce too.
func (s *Service) Announce(ctx context.Context, a Actor, text, nonce string) (m models.Message, repeated bool, err error) {
	return s.Send(ctx, a, models.Draft{Text: text, Nonce: nonce, Announcement: true})
}

// announce is the part of Send that is another for announcements.
func announce(tx Tx, a Actor, user models.User, d models.Draft, digest []byte, places []models.Mention,
) (models.Message, error) {
	if user.Role != models.RoleAdmin {
		return models.Message{}, models.Refuse(models.CodeForbidden, "only admins make announcements")
	}
	lobby, err := tx.Room(models.LobbyID)
	if err != nil {
		return models.Message{}, fmt.Errorf("read the lobby: %w", err)
	}
	m, err := post(tx, target{room: lobby, user: user, rank: Admin, role: models.RoomMember, from: user.ID}, d, digest, places)
	if err != nil {
		return m, err
	}
	return m, record(tx, a, user, models.AuditEntry{
		Action: models.AuditAnnounce, RoomID: lobby.ID, RoomName: lobby.Name,
		Detail: details("message_id", strconv.FormatInt(m.ID, 10)),
	})
}
