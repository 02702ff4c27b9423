package chat

import (
	"errors"
	"fmt"
	"time"

	"parley/models"
)

// What keeps somebody from writing in a room whose role would let them: it is archived, they are muted or banned, or
// they sent just now. All of it is judged by the clock of the command.

// notArchived refuses what adds to a room or changes it.
func notArchived(room models.Room) error {
	if room.Archived {
		return models.Refuse(models.CodeConflict, "the room is archived")
	}
	return nil
}

// inForce gives the restriction that holds for the user in the room, and a zero one where there is none. Admins have
// none: who was muted or banned before becoming one no longer is.
func inForce(r Reader, room models.Room, kind models.RestrictionKind, user models.User, now models.Time) (models.Restriction, error) {
	if user.Role == models.RoleAdmin || kind == models.MuteKind && room.Mutes == 0 {
		return models.Restriction{}, nil
	}
	return restrictionOf(r, room.ID, kind, user.ID, now)
}

// restrictionOf is inForce for whoever it is.
func restrictionOf(r Reader, roomID int64, kind models.RestrictionKind, userID int64, now models.Time) (models.Restriction, error) {
	x, err := r.Restriction(roomID, kind, userID)
	switch {
	case err == nil && x.InForce(now.Time):
		return x, nil
	case err == nil || errors.Is(err, ErrNotFound):
		return models.Restriction{}, nil
	default:
		return x, fmt.Errorf("read %s: %w", kind, err)
	}
}

// notMuted refuses what a muted one would add.
func notMuted(r Reader, t target) error {
	mute, err := inForce(r, t.room, models.MuteKind, t.user, t.now)
	if err == nil && mute.Kind != "" {
		err = models.Refuse(models.CodeMuted, "you are muted in this room%s", untilWhen(mute.Until, mute.Reason))
	}
	return err
}

// notBanned refuses to let somebody into the room who is banned from it.
func notBanned(r Reader, t target) error {
	ban, err := inForce(r, t.room, models.BanKind, t.user, t.now)
	if err == nil && ban.Kind != "" {
		err = models.Refuse(models.CodeBanned, "you are banned from this room%s", untilWhen(ban.Until, ban.Reason))
	}
	return err
}

// mayEnter refuses to make the actor a member of a room that is archived, or that they are banned from.
func mayEnter(r Reader, t target) error {
	if err := notBanned(r, t); err != nil {
		return err
	}
	return notArchived(t.room)
}

// mayBeAdded refuses to let anybody make other a member of a room that is archived, or that other is banned from.
func mayBeAdded(r Reader, t target, other models.User) error {
	ban, err := inForce(r, t.room, models.BanKind, other, t.now)
	if err != nil {
		return err
	}
	if ban.Kind != "" {
		return models.Refuse(models.CodeConflict, "%s is banned from the room: lift the ban first", other.Name)
	}
	return notArchived(t.room)
}

// orBanned is why somebody may not do what only members may: err, unless they are banned, which ended their
// membership.
func orBanned(r Reader, t target, err error) error {
	if t.rank != Outsider || models.CodeOf(err) != models.CodeForbidden {
		return err
	}
	if banned := notBanned(r, t); banned != nil {
		return banned
	}
	return err
}

// keepsPace refuses to send where the room is in slow mode and the actor's last message there is too young. Two sent
// at once are told apart by the order of their commands.
func keepsPace(tx Tx, t target) error {
	if t.room.SlowMode == 0 || t.rank >= Moderator {
		return nil
	}
	last, err := tx.LastSent(t.room.ID, t.user.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the last message: %w", err)
	}
	pace := time.Duration(t.room.SlowMode) * time.Second
	wait := min(pace-t.now.Sub(last.Time), pace) // the clock may have been put back
	if wait <= 0 {
		return nil
	}
	return &models.Error{
		Code: models.CodeSlowMode, RetryAfter: wait, Limit: 1, Reset: wait,
		Detail: fmt.Sprintf("the room is in slow mode: one message every %d seconds", t.room.SlowMode),
	}
}
