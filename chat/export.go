package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/models"
)

const (
	// exportsAtOnce is how many exports the server makes at the same time.
	exportsAtOnce = 4
	// exportPage is how many rows an export reads in one snapshot: of the longest messages that is
	// some 3 MiB.
	exportPage = 200
)

// exportDesk counts the exports that are being made.
type exportDesk struct {
	mu   sync.Mutex
	open map[int64]bool // by user id
}

func newExportDesk() *exportDesk { return &exportDesk{open: map[int64]bool{}} }

func (d *exportDesk) take(userID int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.open[userID]:
		return &models.Error{
			Code: models.CodeRateLimited, RetryAfter: 10 * time.Second,
			Detail: "an export of this account is being made already",
		}
	case len(d.open) >= exportsAtOnce:
		return &models.Error{
			Code: models.CodeRateLimited, RetryAfter: 10 * time.Second,
			Detail: "the server is busy with other exports: come again in a moment",
		}
	}
	d.open[userID] = true
	return nil
}

func (d *exportDesk) give(userID int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, userID)
}

// Export reads everything of an account up to the entry Head, page by page. Each page is a snapshot of its
// own, so that nothing is held in the database while the pages are written. It must be closed.
type Export struct {
	Account Profile
	Head    int64
	At      models.Time

	service *Service
	actor   Actor
}

// Export begins an export of the actor's account; rate_limited while another one is open.
func (s *Service) Export(ctx context.Context, a Actor) (*Export, error) {
	if err := s.exports.take(a.User.ID); err != nil {
		return nil, err
	}
	e := &Export{At: models.At(s.now()), service: s, actor: a}
	begun := false
	defer func() { // also when the store panics
		if !begun {
			e.Close()
		}
	}()
	err := s.store.View(ctx, func(r Reader) error {
		user, err := acting(r, a)
		if err != nil {
			return err
		}
		e.Account = s.profile(user)
		if e.Head, err = r.Head(); err != nil {
			return fmt.Errorf("read head: %w", err)
		}
		return nil
	})
	begun = err == nil
	return e, err
}

// Close lets the account make another export.
func (e *Export) Close() { e.service.exports.give(e.actor.User.ID) }

// Actor is whose export it is.
func (e *Export) Actor() Actor { return e.actor }

// Sessions gives the account's sessions.
func (e *Export) Sessions(ctx context.Context, yield func(models.Session) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Session) ([]models.Session, error) {
		if last != nil {
			return nil, nil // they were one page
		}
		return r.SessionsOf(e.actor.User.ID)
	})
}

// Blocks gives whom the account blocks.
func (e *Export) Blocks(ctx context.Context, yield func(models.Block) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Block) ([]models.Block, error) {
		var after int64
		if last != nil {
			after = last.User.ID
		}
		return r.Blocks(e.actor.User.ID, after, exportPage)
	})
}

// Details gives what the account told before a chat with support; nothing where it came otherwise.
func (e *Export) Details(ctx context.Context) (models.VisitorDetails, error) {
	return view(ctx, e.service, func(r Reader) (d models.VisitorDetails, err error) {
		if _, err := acting(r, e.actor); err != nil {
			return d, err
		}
		if d, err = r.Visitor(e.actor.User.ID); errors.Is(err, ErrNotFound) {
			return d, nil
		}
		return d, err
	})
}

// Conversations gives what the account has asked support, the newest first, without the agents' notes.
func (e *Export) Conversations(ctx context.Context, yield func(models.Conversation) error) error {
	return pages(ctx, e, func(c models.Conversation) error {
		c.NotesRoom = 0
		return yield(c)
	}, e.asked)
}

// asked reads a page of the conversations that were opened up to Head.
func (e *Export) asked(r Reader, last *models.Conversation) ([]models.Conversation, error) {
	page := models.ConversationPage{VisitorID: e.actor.User.ID, Before: e.Head + 1, Limit: exportPage}
	if last != nil {
		page.Before = last.ID
	}
	return r.Conversations(page)
}

// Spells gives the account's memberships, present and past. What the account may not see any more is without
// everything but its id.
func (e *Export) Spells(ctx context.Context, yield func(models.Spell) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Spell) ([]models.Spell, error) {
		var room, from int64
		if last != nil {
			room, from = last.RoomID, last.From
		}
		spells, err := r.Spells(e.actor.User.ID, room, from, e.Head, exportPage)
		if err != nil {
			return nil, fmt.Errorf("read memberships: %w", err)
		}
		for i := range spells {
			if err := e.cover(r, &spells[i]); err != nil {
				return nil, err
			}
		}
		return spells, nil
	})
}

// cover takes away what the account may not know of the room.
func (e *Export) cover(r Reader, spell *models.Spell) error {
	if !spell.RoomDeleted {
		room, err := r.Room(spell.RoomID) // with Members
		if err != nil {
			return fmt.Errorf("read room: %w", err)
		}
		rank, _, err := rankIn(r, room, e.Account.User)
		if err != nil {
			return err
		}
		if allow(SeeRoom, room, rank) == nil {
			spell.Room = room
			return nil
		}
	}
	spell.Room = models.Room{ID: spell.RoomID, Kind: spell.Room.Kind}
	return nil
}

// ReadMarks gives how far the account has read each room where it has read anything.
func (e *Export) ReadMarks(ctx context.Context, yield func(models.ReadMark) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.ReadMark) ([]models.ReadMark, error) {
		var after int64
		if last != nil {
			after = last.RoomID
		}
		return r.ReadMarks(e.actor.User.ID, after, exportPage)
	})
}

// Messages gives all that the account has said, wherever it was, by room and id.
func (e *Export) Messages(ctx context.Context, yield func(models.Message) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Message) ([]models.Message, error) {
		var after MessageKey
		if last != nil {
			after = MessageKey{last.RoomID, last.ID}
		}
		messages, err := r.MessagesFrom(e.actor.User.ID, after, e.Head, exportPage)
		if err != nil {
			return nil, err
		}
		return messages, r.Fill(messages, e.actor.User.ID)
	})
}

// Edits gives the texts that the account's messages had before their present ones, by room and message.
func (e *Export) Edits(ctx context.Context, yield func(models.Edit) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Edit) ([]models.Edit, error) {
		var message MessageKey
		var id int64
		if last != nil {
			message, id = MessageKey{last.RoomID, last.MessageID}, last.ID
		}
		return r.EditsFrom(e.actor.User.ID, message, id, e.Head, exportPage)
	})
}

// Support gives what was said in the account's conversations with support, by both, conversation by conversation and by id.
func (e *Export) Support(ctx context.Context, yield func(models.Message) error) error {
	return pages(ctx, e, func(c models.Conversation) error { return e.conversation(ctx, c.ID, yield) }, e.asked)
}

// Direct gives what both have said in the account's direct conversations, by room and id.
func (e *Export) Direct(ctx context.Context, yield func(models.Message) error) error {
	rooms := func(r Reader, last *models.JoinedRoom) ([]models.JoinedRoom, error) {
		var after int64
		if last != nil {
			after = last.ID
		}
		return r.JoinedRooms(e.actor.User.ID, after, exportPage)
	}
	return pages(ctx, e, func(room models.JoinedRoom) error {
		if room.Kind != models.KindDirect {
			return nil
		}
		return e.conversation(ctx, room.ID, yield)
	}, rooms)
}

func (e *Export) conversation(ctx context.Context, roomID int64, yield func(models.Message) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Message) ([]models.Message, error) {
		page := models.Page{HasAfter: true, Before: e.Head + 1, HasBefore: true, Limit: exportPage}
		if last != nil {
			page.After = last.ID
		}
		h, err := r.Messages(roomID, page)
		if err != nil {
			return nil, err
		}
		return h.Messages, r.Fill(h.Messages, e.actor.User.ID)
	})
}

// pages reads page after page, each beyond the last row of the one before, and yields every row while no
// snapshot is open. It ends with an empty page, and when the account is deleted meanwhile.
func pages[T any](ctx context.Context, e *Export, yield func(T) error, read func(r Reader, last *T) ([]T, error)) error {
	var last *T
	for {
		rows, err := view(ctx, e.service, func(r Reader) ([]T, error) {
			if _, err := acting(r, e.actor); err != nil {
				return nil, err
			}
			return read(r, last)
		})
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
		last = &rows[len(rows)-1]
	}
}
