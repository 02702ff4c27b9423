package chat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"parley/models"
)

// NonceLife is how long a nonce is remembered.
const NonceLife = 30 * 24 * time.Hour

// sent is what a command that says something gives.
type sent struct {
	message  models.Message
	repeated bool
}

// Send says something. It is durable when Send returns. With a nonce that the actor has used
// before, the first message is given again, repeated is true and nothing is sent.
func (s *Service) Send(ctx context.Context, a Actor, d models.Draft) (m models.Message, repeated bool, err error) {
	if err := d.Check(s.maxText); err != nil {
		return m, false, err
	}
	to, err := models.ParseTo(d.To)
	if err != nil {
		return m, false, err
	}
	return s.sendTo(ctx, a, d, to)
}

// SendToUser says something to somebody who was looked up before: their name may be another's meanwhile, their id never is.
func (s *Service) SendToUser(ctx context.Context, a Actor, userID int64, text string) (models.Message, error) {
	d := models.Draft{Text: text}
	if err := d.Check(s.maxText); err != nil {
		return models.Message{}, err
	}
	m, _, err := s.sendTo(ctx, a, d, models.RoomRef{UserID: userID})
	return m, err
}

func (s *Service) sendTo(ctx context.Context, a Actor, d models.Draft, to models.RoomRef) (m models.Message, repeated bool, err error) {
	places, err := s.placesIn(ctx, d.Text)
	if err != nil {
		return m, false, err
	}
	digest := digestOf(d)
	out, err := do(ctx, s, func(tx Tx) (out sent, err error) {
		out.message, out.repeated, err = s.send(tx, a, d, to, digest, places)
		return out, err
	})
	return out.message, out.repeated, err
}

func (s *Service) send(tx Tx, a Actor, d models.Draft, to models.RoomRef, digest []byte, places []models.Mention,
) (models.Message, bool, error) {
	user, err := acting(tx, a)
	if err != nil {
		return models.Message{}, false, err
	}
	if d.Nonce != "" {
		// Before any right is looked at: a repeat is answered whatever became of it.
		if m, err := s.repeat(tx, user, d, to, digest); err != nil || m.ID != 0 {
			return m, m.ID != 0, err
		}
	}
	if d.Announcement {
		m, err := announce(tx, a, user, d, digest, places)
		return m, false, err
	}
	t, err := s.openFor(tx, user, to)
	if err != nil {
		return models.Message{}, false, err
	}
	m, err := post(tx, t, d, digest, places)
	if err != nil {
		return m, false, err
	}
	return m, false, saidInSupport(tx, t)
}

// openFor finds the room to send to, or makes the direct conversation.
func (s *Service) openFor(tx Tx, user models.User, to models.RoomRef) (target, error) {
	t, err := s.resolve(tx, user, to)
	if errors.Is(err, errNoDirect) {
		room, err := openDirect(tx, user, to)
		return target{room: room, user: user, rank: Member, role: models.RoomMember, from: room.ID}, err
	}
	if err != nil {
		return t, err
	}
	if err := mayTakePart(tx, t, SendMessage); err != nil {
		return t, err
	}
	return t, keepsPace(tx, t)
}

// mayTakePart refuses what puts something into the room where the actor may read but not write: the role does not
// let them, the room is archived, they are banned or muted there, the other one of the two is gone, or one blocks the
// other. Every command that adds to a room or changes what it says asks it.
func mayTakePart(r Reader, t target, action Action) error {
	if err := allow(action, t.room, t.rank); err != nil {
		return orBanned(r, t, err)
	}
	if t.rank == Outsider { // who may do it without being in the room
		if err := notBanned(r, t); err != nil {
			return err
		}
	}
	if err := notArchived(t.room); err != nil {
		return err
	}
	if err := notMuted(r, t); err != nil {
		return err
	}
	if err := otherLives(r, t.room, t.user); err != nil {
		return err
	}
	if t.room.Kind == models.KindDirect {
		return notBlocked(r, t.room.DirectA, t.room.DirectB)
	}
	return nil
}

// post writes the message and remembers its nonce.
func post(tx Tx, t target, d models.Draft, digest []byte, places []models.Mention) (models.Message, error) {
	m := models.Message{
		ID: tx.NextID(), RoomID: t.room.ID, SenderID: t.user.ID, SenderName: t.user.Name,
		Text: d.Text, CreatedAt: tx.Now(), Nonce: d.Nonce, Version: tx.NextID(), ReplyTo: d.ReplyTo,
		Announcement: d.Announcement,
	}
	var err error
	if m.ThreadID, err = threadOf(tx, t, d.ReplyTo); err != nil {
		return m, err
	}
	if m.Mentions, m.MentionsRoom, err = mentionsIn(tx, t, places); err != nil {
		return m, err
	}
	_, err = tx.Append(models.Event{
		Type: models.MessageCreated, RoomID: m.RoomID, Audience: t.room.Audience(),
		Change: models.Change{UserID: t.user.ID},
	}, models.MessageData{Message: m.ForEvent()})
	if err != nil {
		return m, fmt.Errorf("append message.created: %w", err)
	}
	if err := tx.InsertMessage(m); err != nil {
		return m, fmt.Errorf("insert message: %w", err)
	}
	if d.Nonce == "" {
		return m, nil
	}
	err = tx.InsertNonce(models.Nonce{
		UserID: t.user.ID, Nonce: d.Nonce, MessageID: m.ID, To: d.To, Digest: digest, CreatedAt: m.CreatedAt,
	})
	if err != nil {
		return m, fmt.Errorf("insert nonce: %w", err)
	}
	return m, nil
}

// repeat gives the message that the nonce was first used for, a zero one where it was not, and
// nonce_reused where that was another request.
func (s *Service) repeat(tx Tx, user models.User, d models.Draft, to models.RoomRef, digest []byte) (models.Message, error) {
	n, err := tx.Nonce(user.ID, d.Nonce)
	if errors.Is(err, ErrNotFound) {
		return models.Message{}, nil
	}
	if err != nil {
		return models.Message{}, fmt.Errorf("look up nonce: %w", err)
	}
	if oldest := models.At(tx.Now().Add(-NonceLife)); n.CreatedAt.Before(oldest.Time) {
		if err := tx.DeleteNonce(user.ID, d.Nonce); err != nil {
			return models.Message{}, fmt.Errorf("delete the old nonce: %w", err)
		}
		return models.Message{}, nil
	}
	m, err := tx.Message(n.MessageID)
	if err != nil {
		return m, fmt.Errorf("read the nonce's message: %w", err)
	}
	same, err := s.sameRequest(tx, user, n, m, d, to, digest)
	if err != nil {
		return models.Message{}, err
	}
	if !same {
		return models.Message{}, models.Refuse(models.CodeNonceReused, "this nonce was used for another message")
	}
	return filled(tx, m, user.ID)
}

// sameRequest compares with the first request. Its `to` is the same if written the same, which a
// rename of the room does not change, or if it names the same room.
func (s *Service) sameRequest(tx Tx, user models.User, n models.Nonce, m models.Message,
	d models.Draft, to models.RoomRef, digest []byte,
) (bool, error) {
	if !bytes.Equal(n.Digest, digest) {
		return false, nil
	}
	if n.To == d.To || to.ID == m.RoomID {
		return true, nil
	}
	room, err := findRoom(tx, user, to)
	if models.CodeOf(err) == models.CodeNotFound {
		return false, nil
	}
	return err == nil && room.ID == m.RoomID, err
}

// digestOf stands for all of the request but `to`, which is compared by what it means. That of a message that answers
// nothing is made of its text alone, as it always was: nonces outlive the program. No text holds a NUL.
func digestOf(d models.Draft) []byte {
	whole := d.Text
	if d.Announcement {
		whole = "announcement\x00" + whole
	}
	if d.NotesOf != 0 {
		whole = fmt.Sprintf("note\x00%d\x00", d.NotesOf) + whole
	}
	if d.ReplyTo != 0 {
		whole += fmt.Sprintf("\x00reply_to=%d", d.ReplyTo)
	}
	sum := sha256.Sum256([]byte(whole))
	return sum[:]
}
