package broker

import (
	"fmt"
	"slices"
	"time"

	"parley/models"
)

const (
	// typingLife is how long a typing lasts that is not renewed: no stream is told later.
	typingLife = 6 * time.Second
	// typingAgain is how long one that was told stands for further ones of the same user in that room.
	typingAgain = 3 * time.Second
	// readLife is how long a stream that takes nothing is owed a read mark.
	readLife = time.Minute
)

// Typing tells the others who are in the room that the user is writing there. It waits for nobody. What
// comes within 3 s of what was told says nothing new; a message of the user, or their leaving, ends it. Nobody is
// told where more than Options.TypingMost streams would be.
func (b *Broker) Typing(roomID int64, user models.EventUser) {
	now := b.opt.Clock()
	if b.whispers.typed(roomID, user.ID, now.Add(-typingAgain)) {
		return
	}
	ends := now.Add(typingLife)
	b.whisper(models.InRoom(roomID), moment{about: user.ID, at: now, ends: ends}, models.Event{
		Type: models.Typing, RoomID: roomID, At: models.At(now),
	}, models.TypingData{User: user, Until: models.At(ends)})
}

// ReadMoved tells the user's own streams how far they have read the room. It waits for nobody, and what comes
// late is not told after what is newer.
func (b *Broker) ReadMoved(userID, roomID, messageID int64) {
	now := b.opt.Clock()
	b.whisper(models.ForUser(userID), moment{about: roomID, rank: messageID, at: now, ends: now.Add(readLife)}, models.Event{
		Type: models.ReadUpdated, RoomID: roomID, At: models.At(now),
	}, models.ReadData{MessageID: messageID})
}

// Position tells a visitor the place of their conversation in the queue. It waits for nobody.
func (b *Broker) Position(userID, conversationID int64, position int) {
	now := b.opt.Clock()
	b.whisper(models.ForUser(userID), moment{about: conversationID, at: now, ends: now.Add(readLife)}, models.Event{
		Type: models.SupportPosition, At: models.At(now),
	}, models.SupportPositionData{ConversationID: conversationID, Position: position})
}

// whisper encodes the moment once for all and leaves it to the crier.
func (b *Broker) whisper(to models.Audience, m moment, e models.Event, data any) {
	if err := e.Encode(data); err != nil {
		b.opt.Logger.Error("an ephemeral event was not told", "error", fmt.Errorf("whisper: %w", err))
		return
	}
	m.entry = newFrame(e, false)
	b.whispers.post(to, m)
}

// tellAside wakes those for whom there are whispers since the last time. Where too many stand in a room, what was
// whispered there is dropped before anybody is woken.
func (b *Broker) tellAside(pace func()) {
	fresh, upTo := b.whispers.takeFresh()
	var ears []*subscriber
	for _, to := range fresh {
		from := len(ears)
		ears = b.index.ears(ears, to, b.opt.TypingMost)
		if to.Kind == models.ToRoom && len(ears)-from > b.opt.TypingMost {
			clear(ears[from:])
			ears = ears[:from]
			b.whispers.drop(to)
		}
	}
	b.whispers.open(upTo)
	for _, s := range ears {
		if !s.stirred.Swap(true) {
			s.nudge()
			pace()
		}
	}
}

// ears appends the streams that want what is whispered to the audience. Of a room it stops above `most`.
func (x *index) ears(to []*subscriber, aud models.Audience, most int) []*subscriber {
	x.mu.Lock()
	defer x.mu.Unlock()
	if aud.Kind == models.ToUser {
		if a := x.accounts[aud.ID]; a != nil {
			to = a.ears(to, models.ReadUpdated, models.SupportPosition)
		}
		return to
	}
	from := len(to)
	for a := range x.topics[aud] {
		if to = a.ears(to, models.Typing); len(to)-from > most {
			break
		}
	}
	return to
}

func (a *account) ears(to []*subscriber, kinds ...models.EventType) []*subscriber {
	for _, s := range a.subs {
		if !s.waiter && slices.ContainsFunc(kinds, s.filter.wants) {
			to = append(to, s)
		}
	}
	return to
}

// tellWhispers writes what was whispered to the user, and, unless the stream reads the log, what was to their
// rooms: only then is its view of these good.
func (s *Stream) tellWhispers() error {
	if !s.stirred.Load() {
		return nil
	}
	s.stirred.Store(s.behind)
	now := s.broker.opt.Clock()
	var found []moment
	found, s.heard.own = s.broker.whispers.forUser(found, s.view.userID, s.heard.own, now)
	if !s.behind {
		found, s.heard.rooms = s.broker.whispers.inRooms(found, s.ownRooms(), s.heard.rooms, now)
	}
	told := int64(0)
	for _, m := range found {
		if m.Type == models.Typing && m.about == s.view.userID || !s.filter.Passes(&m.Event) {
			continue
		}
		if err := s.send(m.bytes(s.format)); err != nil {
			return err
		}
		told++
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.given.whispers.Add(told)
	return nil
}
