package chat

import (
	"fmt"
	"slices"

	"parley/client"
)

// apply takes one event.
func (b *board) apply(e client.Event) (w wish) {
	if e.ID > 0 {
		b.at = e.ID
		if b.loads > 0 {
			b.journal = append(b.journal, e)
		}
	}
	switch e.Type {
	case client.EventTypeReset:
		b.reset()
		w.everything = true
	case client.EventTypeMessageCreated, client.EventTypeMessageUpdated, client.EventTypeMessageDeleted,
		client.EventTypeReactionAdded, client.EventTypeReactionRemoved:
		w = b.said(e)
	case client.EventTypeReadUpdated:
		w = b.readElsewhere(e)
	case client.EventTypeTyping:
		b.typing(e)
	case client.EventTypePresenceChanged:
		if data, err := client.DataOf[client.PresenceData](e); err == nil {
			b.people.changed(data.Users)
			w.who = b.unknownHere(data.Users)
		}
	case client.EventTypeUserRenamed, client.EventTypeUserDeleted:
		b.user(e)
	case client.EventTypeRoomCreated, client.EventTypeRoomUpdated, client.EventTypeRoomDeleted:
		w = b.roomEvent(e)
	case client.EventTypeMemberJoined, client.EventTypeMemberLeft:
		w = b.member(e)
	}
	return w
}

// said takes an event about a message.
func (b *board) said(e client.Event) (w wish) {
	r := b.room(e.RoomID)
	if r == nil {
		return w
	}
	b.message(r, e)
	switch e.Type {
	case client.EventTypeMessageCreated:
		w.called = b.countEvent(e)
	case client.EventTypeMessageDeleted:
		data, err := client.DataOf[client.MessageDeletedData](e)
		w.counts = err == nil && data.MessageID > r.readID && r.unread > 0
	}
	return w
}

// message puts an event about a message into the room's timeline.
func (b *board) message(r *room, e client.Event) {
	switch e.Type {
	case client.EventTypeMessageCreated:
		if data, err := client.DataOf[client.MessageData](e); err == nil {
			b.people.mentioned(data.Message.Sender.ID, data.Message.Sender.Name)
			delete(r.typing, data.Message.Sender.ID)
			r.line.arrived(data.Message, data.Message.Sender.ID == b.me)
		}
	case client.EventTypeMessageUpdated:
		if data, err := client.DataOf[client.MessageData](e); err == nil {
			r.line.change(data.Message.ID, e.ID, func(m *client.Message) {
				m.Text, m.EditedAt, m.Pinned = data.Message.Text, data.Message.EditedAt, data.Message.Pinned
				m.Mentions, m.MentionsRoom = data.Message.Mentions, data.Message.MentionsRoom
			})
			r.line.redraw() // answers quote it
		}
	case client.EventTypeMessageDeleted:
		if data, err := client.DataOf[client.MessageDeletedData](e); err == nil {
			r.line.change(data.MessageID, e.ID, func(m *client.Message) { bury(m, e) })
			r.line.redraw()
		}
	case client.EventTypeReactionAdded, client.EventTypeReactionRemoved:
		if data, err := client.DataOf[client.ReactionData](e); err == nil {
			by := 1
			if e.Type == client.EventTypeReactionRemoved {
				by = -1
			}
			r.line.change(data.MessageID, e.ID, func(m *client.Message) { react(m, data.Emoji, by, data.User.ID == b.me) })
		}
	}
}

// bury makes a message a tombstone.
func bury(m *client.Message, e client.Event) {
	m.Text, m.DeletedAt, m.Reactions, m.Attachments = "", &e.At, nil, nil
	m.Mentions, m.MentionsRoom = nil, nil
}

// react counts a reaction in or out.
func react(m *client.Message, emoji string, by int, mine bool) {
	m.Reactions = slices.Clone(m.Reactions)
	i := slices.IndexFunc(m.Reactions, func(r client.Reaction) bool { return r.Emoji == emoji })
	if i < 0 {
		m.Reactions = append(m.Reactions, client.Reaction{Emoji: emoji})
		i = len(m.Reactions) - 1
	}
	m.Reactions[i].Count += by
	if mine {
		added := by > 0
		m.Reactions[i].Me = &added
	}
	m.Reactions = slices.DeleteFunc(m.Reactions, func(r client.Reaction) bool { return r.Count <= 0 })
}

// countEvent counts a message that is new, and says whether it calls for attention.
func (b *board) countEvent(e client.Event) (called bool) {
	r := b.room(e.RoomID)
	data, err := client.DataOf[client.MessageData](e)
	if err != nil || r == nil || e.ID <= r.countedAt || e.ID <= r.readID || data.Message.Sender.ID == b.me {
		return false
	}
	r.countedAt = e.ID
	r.unread++
	if b.mentioned(data.Message) {
		r.mentions++
		return true
	}
	return r.kind == client.RoomKindDirect
}

// mentioned says whether a message means oneself.
func (b *board) mentioned(m client.Message) bool {
	return m.Sender.ID != b.me && (slices.Contains(m.Mentions, b.me) || value(m.MentionsRoom))
}

// readElsewhere takes what another device of the account has read.
func (b *board) readElsewhere(e client.Event) (w wish) {
	r := b.room(e.RoomID)
	data, err := client.DataOf[client.ReadData](e)
	if err != nil || r == nil || data.MessageID <= r.readID {
		return w
	}
	r.readID = data.MessageID
	w.counts = r.unread > 0
	return w
}

func (b *board) typing(e client.Event) {
	r := b.room(e.RoomID)
	data, err := client.DataOf[client.TypingData](e)
	if err != nil || r == nil || data.Until == nil || data.User.ID == b.me {
		return
	}
	b.people.mentioned(data.User.ID, data.User.Name)
	// By the own clock: the server's may be another.
	r.typing[data.User.ID] = b.now().Add(data.Until.Sub(e.At))
}

// unknownHere says whether somebody came of whom it is not known if they are in the room that one looks at.
func (b *board) unknownHere(users []client.PresenceUser) bool {
	if b.here == nil || b.here.present == nil {
		return false
	}
	return slices.ContainsFunc(users, func(u client.PresenceUser) bool {
		return u.Status != client.UserStatusOffline && !b.here.present[u.ID]
	})
}

// user takes another name of somebody, or their end.
func (b *board) user(e client.Event) {
	if e.Type == client.EventTypeUserDeleted {
		data, err := client.DataOf[client.UserDeletedData](e)
		if err != nil {
			return
		}
		if known := b.people[data.UserID]; known != nil {
			known.status = client.UserStatusOffline
		}
		if value(data.Erased) {
			b.erase(data.UserID, e)
		}
		return
	}
	data, err := client.DataOf[client.UserRenamedData](e)
	if err != nil {
		return
	}
	b.people.met(data.User.ID, data.User.Name)
	for _, r := range b.rooms {
		r.line.redraw()
		if r == b.here || r.peer == data.User.ID {
			r.line.tell(fmt.Sprintf("%s is called %s now", cleanLine(data.OldName), cleanLine(data.User.Name)), e.ID, e.At)
		}
	}
	b.sortRooms()
}

// erase takes the texts away of somebody whose messages go with the account.
func (b *board) erase(user int64, e client.Event) {
	for _, r := range b.rooms {
		for _, entry := range r.line.entries {
			if entry.note == "" && entry.message.Sender.ID == user {
				bury(&entry.message, e)
			}
		}
		r.line.redraw()
	}
}

func (b *board) roomEvent(e client.Event) (w wish) {
	if e.Type == client.EventTypeRoomDeleted {
		if r := b.room(e.RoomID); r != nil && e.ID > b.listed {
			w.gone = b.title(r) + " was deleted"
			b.remove(r)
		}
		delete(b.known, e.RoomID)
		return w
	}
	data, err := client.DataOf[client.RoomData](e)
	if err != nil {
		return w
	}
	b.known[e.RoomID] = data.Room
	from := roomOf(data.Room)
	r := b.room(e.RoomID)
	switch {
	case r != nil && e.Type == client.EventTypeRoomUpdated:
		if topic := from.Topic; topic != r.topic && topic != "" {
			r.line.tell("the topic is now: "+cleanLine(topic), e.ID, e.At)
		}
		r.take(from, b.me)
		r.changedAt = e.ID
		b.sortRooms()
	case r == nil && from.Kind == client.RoomKindDirect && e.ID > b.listed:
		b.add(from, e.ID)
	case r == nil && b.public != nil && from.Visibility == client.VisibilityPublic && from.Name != nil:
		b.public = append(b.public, *from.Name) // its old name, where it had one, is refused by the server
	}
	return w
}

// roomOf is a room of an event like one of an answer.
func roomOf(r client.EventRoom) client.Room {
	return client.Room{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Topic: r.Topic, Archived: r.Archived, Members: r.Members,
		MemberCount: r.MemberCount, CreatedAt: r.CreatedAt, Visibility: r.Visibility,
	}
}

// member takes that somebody came into a room or went.
func (b *board) member(e client.Event) (w wish) {
	data, err := client.DataOf[client.MemberData](e)
	if err != nil {
		return w
	}
	b.people.mentioned(data.User.ID, data.User.Name)
	r := b.room(e.RoomID)
	joined := e.Type == client.EventTypeMemberJoined
	switch {
	case data.User.ID == b.me && e.ID <= b.listed: // is in the list already
	case data.User.ID == b.me && joined && r == nil:
		if from, ok := b.known[e.RoomID]; ok {
			b.add(roomOf(from), e.ID)
		}
		w.room = e.RoomID
	case data.User.ID == b.me && !joined && r != nil:
		w.gone = "you left " + b.title(r)
		if reason := value(data.Reason); reason != "" {
			w.gone = "you are not in " + b.title(r) + " any more: " + cleanLine(reason)
		}
		b.remove(r)
	case r != nil && data.User.ID != b.me:
		b.tellMember(r, e, data)
	}
	return w
}

func (b *board) tellMember(r *room, e client.Event, data client.MemberData) {
	what := "left"
	switch reason := value(data.Reason); {
	case e.Type == client.EventTypeMemberJoined:
		what = "joined"
		if r.present != nil && b.people.status(data.User.ID) != client.UserStatusOffline {
			r.present[data.User.ID] = true
		}
	case reason != "":
		what = "left (" + cleanLine(reason) + ")"
		fallthrough
	default:
		delete(r.present, data.User.ID)
	}
	r.line.tell(b.people.name(data.User.ID)+" "+what, e.ID, e.At)
}
