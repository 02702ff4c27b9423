package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// Notes are messages of a room of their own, which has no members: its events go to the agents. Nothing of it is in
// the conversation's room, so that there is nothing to be kept from the visitor.

// NoteList is a page of a conversation's notes, oldest first. Next is the id to go on from, 0 at the end.
type NoteList struct {
	Notes []models.Message
	Next  int64
}

// Notes gives what the agents noted of a conversation, with id > after.
func (s *Service) Notes(ctx context.Context, a Actor, conversationID, after int64, limit int) (NoteList, error) {
	return view(ctx, s, func(r Reader) (NoteList, error) {
		p, err := s.served(r, a, conversationID)
		if err != nil || p.c.NotesRoom == 0 {
			return NoteList{}, err
		}
		h, err := r.Messages(p.c.NotesRoom, models.Page{After: after, HasAfter: true, Limit: limit})
		if err != nil {
			return NoteList{}, fmt.Errorf("read notes: %w", err)
		}
		out := NoteList{Notes: h.Messages}
		if h.HasAfter {
			out.Next = h.Messages[len(h.Messages)-1].ID
		}
		return out, r.Fill(out.Notes, p.user.ID)
	})
}

// AddNote notes something of a conversation, open or closed. The nonce is as Send has it.
func (s *Service) AddNote(ctx context.Context, a Actor, conversationID int64, text, nonce string) (m models.Message, repeated bool, err error) {
	d := models.Draft{Text: text, Nonce: nonce, NotesOf: conversationID}
	if err := d.Check(s.maxText); err != nil {
		return m, false, err
	}
	places, err := s.placesIn(ctx, d.Text)
	if err != nil {
		return m, false, err
	}
	out, err := do(ctx, s, func(tx Tx) (out sent, err error) {
		out.message, out.repeated, err = s.addNote(tx, a, d, places)
		return out, err
	})
	return out.message, out.repeated, err
}

func (s *Service) addNote(tx Tx, a Actor, d models.Draft, places []models.Mention) (models.Message, bool, error) {
	user, err := serving(tx, a)
	if err != nil {
		return models.Message{}, false, err
	}
	c, err := tx.Conversation(d.NotesOf)
	if err != nil {
		return models.Message{}, false, found(err, "conversation")
	}
	digest := digestOf(d)
	if d.Nonce != "" {
		if m, err := s.repeat(tx, user, d, models.RoomRef{}, digest); err != nil || m.ID != 0 {
			return m, m.ID != 0, err
		}
	}
	room, err := notesRoom(tx, c)
	if err != nil {
		return models.Message{}, false, err
	}
	t := target{room: room, user: user, rank: rankInSupport(room, user, models.NoRole), now: tx.Now()}
	m, err := post(tx, t, d, digest, places)
	return m, false, err
}

// notesRoom gives the room of a conversation's notes, which the first one makes. It has the id of the support.updated that
// tells the agents of it.
func notesRoom(tx Tx, c models.Conversation) (models.Room, error) {
	if c.NotesRoom != 0 {
		room, err := tx.Room(c.NotesRoom)
		if err != nil {
			err = fmt.Errorf("read the room for notes: %w", err)
		}
		return room, err
	}
	room := models.Room{
		ID: tx.NextID(), Kind: models.KindSupport, Visibility: models.Private, History: models.HistoryAll, NotesOf: c.ID, CreatedAt: tx.Now(),
	}
	if err := tx.InsertRoom(room); err != nil {
		return room, fmt.Errorf("insert the room for notes: %w", err)
	}
	c.NotesRoom = room.ID
	_, err := tellSupport(tx, c)
	return room, err
}
