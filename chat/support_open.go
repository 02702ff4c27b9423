package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"parley/models"
)

// Bounds of what visitors tell.
const (
	MaxSubject  = 200 // characters
	maxEmail    = 254 // bytes, as in SMTP
	maxPage     = 2048
	maxLanguage = 35 // bytes, the longest tag that BCP 47 asks software to take
)

// reopenWithin is how long after its end a visitor can go on with a conversation.
const reopenWithin = 24 * time.Hour

// NewVisitor is what a visitor tells before the chat. Nothing of it must be told.
type NewVisitor struct{ Name, Email, Page, Language string }

func (n NewVisitor) check() (display string, d models.VisitorDetails, err error) {
	if err := models.CheckText("name", n.Name, 16*models.MaxDisplayName); err != nil {
		return "", d, err
	}
	// Any characters are taken: what would not stay on its line becomes a space.
	display, err = models.DisplayName(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, n.Name))
	if refused, ok := errors.AsType[*models.Error](err); ok && len(refused.Fields) > 0 {
		return "", d, models.Invalid("name", "%s", refused.Fields[0].Detail)
	}
	d = models.VisitorDetails{Email: strings.TrimSpace(n.Email), Page: n.Page, Language: n.Language}
	if err := models.CheckText("email", d.Email, maxEmail); err != nil {
		return "", d, err
	}
	if at := strings.LastIndexByte(d.Email, '@'); d.Email != "" && (at < 1 || at == len(d.Email)-1 || strings.ContainsFunc(d.Email, unreadable)) {
		return "", d, models.Invalid("email", "must be an e-mail address")
	}
	if err := checkPlain("page", d.Page, maxPage); err != nil {
		return "", d, err
	}
	return display, d, checkPlain("language", d.Language, maxLanguage)
}

// checkPlain is models.CheckText for what has no spaces and cannot hide anything.
func checkPlain(field, s string, most int) error {
	if strings.ContainsFunc(s, unreadable) {
		return models.Invalid(field, "must have no spaces and no control characters")
	}
	return models.CheckText(field, s, most)
}

func unreadable(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }

// CreateVisitor makes the account of somebody who seeks support, and logs it in.
func (s *Service) CreateVisitor(ctx context.Context, n NewVisitor, d Device) (Login, error) {
	display, details, err := n.check()
	if err != nil {
		return Login{}, err
	}
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	return s.logIn(ctx, func(tx Tx) (Login, error) {
		user, err := addVisitor(tx, display, details)
		if err != nil {
			return Login{}, err
		}
		return s.openSession(tx, user, d)
	})
}

// NewConversation is what a conversation is opened with.
type NewConversation struct {
	Subject string
	Text    string // the first message; empty: none
	Queue   string // a department's name; empty: the general one
	Wait    bool   // whether to wait where no agent is free
}

// OpenConversation opens a conversation of the actor's with support. It is assigned at once where an agent is free; where
// none is, it is queued, or with no Wait no_agent_available, and nothing is done.
func (s *Service) OpenConversation(ctx context.Context, a Actor, n NewConversation) (models.Conversation, error) {
	subject, err := models.OneLine("subject", n.Subject, MaxSubject)
	if err != nil {
		return models.Conversation{}, err
	}
	n.Subject = subject
	if n.Text != "" {
		if err := models.CheckMessageText(n.Text, s.maxText); err != nil {
			return models.Conversation{}, err
		}
	}
	s.desk.watch(a.User.ID)
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		user, err := seeking(tx, a)
		if err != nil {
			return models.Conversation{}, err
		}
		queue, err := departmentFor(tx, n.Queue)
		if err != nil {
			return models.Conversation{}, err
		}
		c, err := s.open(tx, user, queue, n)
		if err != nil {
			return c, err
		}
		if err := s.assignWaiting(tx); err != nil {
			return c, err
		}
		if c, err = tx.Conversation(c.ID); err != nil {
			return c, fmt.Errorf("read conversation: %w", err)
		}
		if !n.Wait && c.State == models.Queued {
			return models.Conversation{}, errNoAgent(queue, tx.Now())
		}
		return party{user: user, c: c, now: tx.Now()}.shown(), nil
	})
}

// seeking reads who acts anew and refuses who seeks no support, or is in a conversation already.
func seeking(tx Tx, a Actor) (models.User, error) {
	user, err := acting(tx, a)
	if err != nil {
		return user, err
	}
	switch user.Role {
	case models.RoleVisitor, models.RoleGuest, models.RoleMember:
	default:
		return user, models.Refuse(models.CodeForbidden, "conversations with support are for visitors, guests and members")
	}
	return user, noneOpen(tx, user)
}

func noneOpen(tx Tx, user models.User) error {
	switch c, err := tx.OpenConversation(user.ID); {
	case err == nil:
		return models.Refuse(models.CodeConflict, "conversation %d is open already", c.ID)
	case errors.Is(err, ErrNotFound):
		return nil
	default:
		return fmt.Errorf("look for an open conversation: %w", err)
	}
}

func departmentFor(r Reader, name string) (models.SupportQueue, error) {
	if name != "" {
		return queueNamed(r, name)
	}
	q, err := r.SupportQueue(models.GeneralQueue)
	if err != nil {
		return q, fmt.Errorf("read the general department: %w", err)
	}
	return q, nil
}

// errNoAgent refuses who does not want to wait, and says when to come again where it is the hour.
func errNoAgent(queue models.SupportQueue, now models.Time) error {
	open, next := queue.OpenAt(now.Time)
	if open {
		return models.Refuse(models.CodeNoAgentAvailable, "no agent is free just now")
	}
	e := models.Refuse(models.CodeNoAgentAvailable, "%s is closed just now", queue.Name)
	e.NextOpening = next
	return e
}

// open makes the room and puts the conversation into its queue.
func (s *Service) open(tx Tx, user models.User, queue models.SupportQueue, n NewConversation) (models.Conversation, error) {
	room := models.Room{
		ID: tx.NextID(), Kind: models.KindSupport, Visibility: models.Private, History: models.HistoryAll, CreatedAt: tx.Now(),
	}
	if err := tx.InsertRoom(room); err != nil {
		return models.Conversation{}, fmt.Errorf("insert the conversation's room: %w", err)
	}
	if _, err := welcome(tx, room, user, models.RoomMember); err != nil {
		return models.Conversation{}, err
	}
	open, _ := queue.OpenAt(tx.Now().Time)
	err := tx.InsertConversation(models.Conversation{
		ID: room.ID, VisitorID: user.ID, QueueID: queue.ID, Subject: n.Subject, State: models.Queued, Place: room.ID,
		Offline: !open, OpenedAt: tx.Now(), QueuedAt: tx.Now(),
	})
	if err != nil {
		return models.Conversation{}, fmt.Errorf("insert conversation: %w", err)
	}
	if n.Text != "" {
		d := models.Draft{Text: n.Text}
		t := target{room: room, user: user, rank: Member, role: models.RoomMember, from: room.ID}
		if _, err := post(tx, t, d, digestOf(d), nil); err != nil {
			return models.Conversation{}, err
		}
	}
	c, err := tx.Conversation(room.ID)
	if err != nil {
		return c, fmt.Errorf("read conversation: %w", err)
	}
	_, err = tellStep(tx, c, &models.SupportStep{Kind: models.StepOpened})
	return c, err
}

// CloseConversation ends a conversation: its agent may, an admin, and the visitor. One that is closed stays so.
func (s *Service) CloseConversation(ctx context.Context, a Actor, id int64) (models.Conversation, error) {
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		p, err := s.conversation(tx, a, id)
		if err != nil || !p.c.Open() {
			return p.shown(), err
		}
		reason := models.ClosedByAgent
		switch {
		case p.isVisitor():
			reason = models.ClosedByVisitor
		case p.c.State == models.Assigned && !p.has() && p.user.Role != models.RoleAdmin:
			return p.c, errNotYours()
		}
		if err := closeConversation(tx, p.c, reason, p.user.ID); err != nil {
			return p.c, err
		}
		return s.settled(tx, p)
	})
}

// errNotYours refuses an agent what the one who has the conversation may do.
func errNotYours() error {
	return models.Refuse(models.CodeForbidden, "the conversation is with another agent: take it over by a transfer, or ask an admin")
}

// has says whether the actor has the conversation assigned.
func (p party) has() bool { return p.c.State == models.Assigned && p.c.AgentID == p.user.ID }

// settled lets go to agents what can, and gives the conversation as it is then.
func (s *Service) settled(tx Tx, p party) (models.Conversation, error) {
	if err := s.assignWaiting(tx); err != nil {
		return p.c, err
	}
	c, err := tx.Conversation(p.c.ID)
	if err != nil {
		return c, fmt.Errorf("read conversation: %w", err)
	}
	return party{user: p.user, c: c, now: tx.Now()}.shown(), nil
}

// closeConversation archives the room, so that it takes no messages, tells of the end and frees the agent.
func closeConversation(tx Tx, c models.Conversation, reason models.CloseReason, by int64) error {
	if err := archive(tx, c.ID, true); err != nil {
		return err
	}
	step, err := closing(tx, c, reason)
	if err != nil {
		return err
	}
	had := c.State == models.Assigned
	c.State, c.ClosedAt, c.Reason, c.ClosedBy, c.Offline, c.Front = models.Closed, tx.Now(), reason, by, false, false
	if _, err := tellStep(tx, c, &step); err != nil {
		return err
	}
	if had {
		return release(tx, c)
	}
	return nil
}

// archive closes the room for messages, or opens it again.
func archive(tx Tx, roomID int64, archived bool) error {
	room, err := tx.Room(roomID)
	if err != nil {
		return fmt.Errorf("read the conversation's room: %w", err)
	}
	room.Archived = archived
	return writeRoom(tx, room)
}

// ReopenConversation goes on with a conversation of the actor's own that was closed less than a day ago. It is queued
// behind those that wait already.
func (s *Service) ReopenConversation(ctx context.Context, a Actor, id int64) (models.Conversation, error) {
	s.desk.watch(a.User.ID)
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		p, err := s.conversation(tx, a, id)
		if err != nil {
			return p.c, err
		}
		if !p.isVisitor() {
			return p.c, models.Refuse(models.CodeForbidden, "only the visitor can reopen a conversation")
		}
		if p.c.Open() {
			return p.shown(), nil
		}
		if tx.Now().Sub(p.c.ClosedAt.Time) >= reopenWithin {
			return p.c, models.Refuse(models.CodeConflict, "the conversation was closed more than a day ago: open another one")
		}
		if _, err := seeking(tx, a); err != nil {
			return p.c, err
		}
		if err := reopen(tx, p.c); err != nil {
			return p.c, err
		}
		return s.settled(tx, p)
	})
}

// reopen queues a closed conversation at the end.
func reopen(tx Tx, c models.Conversation) error {
	queue, err := tx.SupportQueue(c.QueueID)
	if errors.Is(err, ErrNotFound) { // deleted since
		queue, err = departmentFor(tx, "")
	}
	if err != nil {
		return fmt.Errorf("read department: %w", err)
	}
	c.QueueID, c.Queue = queue.ID, queue.Name
	if err := archive(tx, c.ID, false); err != nil {
		return err
	}
	open, _ := queue.OpenAt(tx.Now().Time)
	c.State, c.AgentID, c.Front, c.Place, c.QueuedAt, c.Offline = models.Queued, 0, false, tx.NextID(), tx.Now(), !open
	c.ClosedAt, c.Reason, c.ClosedBy = models.Time{}, "", 0
	_, err = tellStep(tx, c, &models.SupportStep{Kind: models.StepReopened})
	return err
}

// saidInSupport notes what a message in a conversation's room means for it: an agent's first one is the response, and
// a visitor's says that they are back.
func saidInSupport(tx Tx, t target) error {
	if t.room.Kind != models.KindSupport || t.room.NotesOf != 0 {
		return nil
	}
	c, err := tx.Conversation(t.room.ID)
	if err != nil {
		return fmt.Errorf("read conversation: %w", err)
	}
	switch {
	case t.user.ID == c.VisitorID && c.Offline:
		c.Offline = false
		_, err = tellSupport(tx, c)
		return err
	case t.user.ID != c.VisitorID && c.RespondedAt.IsZero():
		return responded(tx, c)
	}
	return nil
}
