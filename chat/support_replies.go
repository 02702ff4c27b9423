package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"parley/models"
)

// MaxCannedReplies is how many a server has.
const MaxCannedReplies = 1000

// CannedReplyReader reads the canned replies.
type CannedReplyReader interface {
	CannedReply(id int64) (models.SupportReply, error)
	// CannedReplyByKey finds one by its title's key.
	CannedReplyByKey(key string) (models.SupportReply, error)
	// CannedReplies gives a page of them, by key.
	CannedReplies(page models.ReplyPage) ([]models.SupportReply, error)
	// CannedReplyCount says how many there are.
	CannedReplyCount() (int, error)
}

// CannedReplyWriter writes them.
type CannedReplyWriter interface {
	// InsertCannedReply gives the reply its id.
	InsertCannedReply(r models.SupportReply) (models.SupportReply, error)
	// UpdateCannedReply writes title, key, text, department and when that was.
	UpdateCannedReply(r models.SupportReply) error
	DeleteCannedReply(id int64) error
}

// CannedReplyFilter says which canned replies are wanted.
type CannedReplyFilter struct {
	Query        string // the beginning of the title
	Queue        string // those of this department and those of all; empty: of any
	Conversation int64  // fills the texts in for it; 0: they stay as they are
}

// CannedReplyList is one page of canned replies, by title. Next is the key to go on from, empty at the end.
type CannedReplyList struct {
	Replies []models.SupportReply
	Next    string
}

// CannedReplies gives the canned replies whose titles' keys are greater than after.
func (s *Service) CannedReplies(ctx context.Context, a Actor, f CannedReplyFilter, after string, limit int) (CannedReplyList, error) {
	return view(ctx, s, func(r Reader) (CannedReplyList, error) {
		user, err := serving(r, a)
		if err != nil {
			return CannedReplyList{}, err
		}
		page := models.ReplyPage{Prefix: models.NameKey(f.Query), After: after, Limit: limit + 1}
		if f.Queue != "" {
			q, err := queueNamed(r, f.Queue)
			if err != nil {
				return CannedReplyList{}, err
			}
			page.QueueID = q.ID
		}
		list, err := r.CannedReplies(page)
		if err != nil {
			return CannedReplyList{}, fmt.Errorf("list canned replies: %w", err)
		}
		out := CannedReplyList{Replies: list}
		if len(list) > limit {
			out.Replies = list[:limit]
			out.Next = list[limit-1].Key
		}
		if f.Conversation == 0 {
			return out, nil
		}
		return out, fillIn(r, user, f.Conversation, out.Replies)
	})
}

// fillIn fills the texts of canned replies in for a conversation that the agent looks at.
func fillIn(r Reader, agent models.User, conversationID int64, replies []models.SupportReply) error {
	c, err := r.Conversation(conversationID)
	if errors.Is(err, ErrNotFound) {
		return models.Invalid("conversation", "there is no such conversation")
	}
	if err != nil {
		return fmt.Errorf("read conversation: %w", err)
	}
	values := map[models.Placeholder]string{
		models.VisitorName:         visitorName(c.Visitor),
		models.VisitorEmail:        c.Details.Email,
		models.AgentName:           cmp.Or(agent.DisplayName, agent.Name),
		models.ConversationID:      strconv.FormatInt(c.ID, 10),
		models.ConversationSubject: c.Subject,
		models.QueueName:           c.Queue,
	}
	for i := range replies {
		replies[i].Rendered = replies[i].Text
		if template, err := models.ParseTemplate(replies[i].Text); err == nil {
			replies[i].Rendered = template.Fill(values)
		}
	}
	return nil
}

// visitorName is what a visitor is called, empty for one who gave no name: their account's is a number.
func visitorName(u models.User) string {
	if u.Role == models.RoleVisitor && u.DisplayName == u.Name {
		return ""
	}
	return cmp.Or(u.DisplayName, u.Name)
}

// CannedReplyChange is what becomes of a canned reply; nil leaves what is there.
type CannedReplyChange struct {
	Title *string
	Text  *string
	Queue *string // a department's name; empty: of all
}

// on gives the reply with the change.
func (c CannedReplyChange) on(r Reader, reply models.SupportReply) (_ models.SupportReply, err error) {
	if c.Title != nil {
		if reply.Title, reply.Key, err = models.ReplyTitle(*c.Title); err != nil {
			return reply, err
		}
	}
	if c.Text != nil {
		if err := models.CheckReplyText(*c.Text); err != nil {
			return reply, err
		}
		reply.Text = *c.Text
	}
	if c.Queue == nil {
		return reply, nil
	}
	reply.QueueID, reply.Queue = 0, ""
	if *c.Queue != "" {
		q, err := queueNamed(r, *c.Queue)
		if err != nil {
			return reply, err
		}
		reply.QueueID, reply.Queue = q.ID, q.Name
	}
	return reply, nil
}

// CreateCannedReply makes one. Titles differ by more than case.
func (s *Service) CreateCannedReply(ctx context.Context, a Actor, title, text, queue string) (models.SupportReply, error) {
	return do(ctx, s, func(tx Tx) (models.SupportReply, error) {
		user, err := serving(tx, a)
		if err != nil {
			return models.SupportReply{}, err
		}
		reply, err := CannedReplyChange{&title, &text, &queue}.on(tx, models.SupportReply{
			ByID: user.ID, ByName: user.Name, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		})
		if err != nil {
			return reply, err
		}
		if err := takesAnotherReply(tx); err != nil {
			return reply, err
		}
		if err := titleIsFree(tx, reply); err != nil {
			return reply, err
		}
		if reply, err = tx.InsertCannedReply(reply); err != nil {
			return reply, fmt.Errorf("insert canned reply: %w", err)
		}
		return reply, nil
	})
}

func takesAnotherReply(r Reader) error {
	n, err := r.CannedReplyCount()
	if err != nil {
		return fmt.Errorf("count canned replies: %w", err)
	}
	if n >= MaxCannedReplies {
		return models.Refuse(models.CodeConflict, "there are %d canned replies, which is as many as there can be: delete one first", n)
	}
	return nil
}

// titleIsFree refuses a title that another reply has.
func titleIsFree(r Reader, reply models.SupportReply) error {
	other, err := r.CannedReplyByKey(reply.Key)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && other.ID == reply.ID:
		return nil
	case err != nil:
		return fmt.Errorf("look for the title: %w", err)
	default:
		return models.Refuse(models.CodeConflict, "there is a canned reply with the title %q already", other.Title)
	}
}

// UpdateCannedReply changes one. What changes nothing leaves it as it is.
func (s *Service) UpdateCannedReply(ctx context.Context, a Actor, ref string, change CannedReplyChange) (models.SupportReply, error) {
	return do(ctx, s, func(tx Tx) (models.SupportReply, error) {
		before, err := cannedReply(tx, a, ref)
		if err != nil {
			return before, err
		}
		reply, err := change.on(tx, before)
		if err != nil || reply == before {
			return reply, err
		}
		if err := titleIsFree(tx, reply); err != nil {
			return reply, err
		}
		reply.UpdatedAt = tx.Now()
		if err := tx.UpdateCannedReply(reply); err != nil {
			return reply, fmt.Errorf("update canned reply: %w", err)
		}
		return reply, nil
	})
}

// DeleteCannedReply removes one.
func (s *Service) DeleteCannedReply(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		reply, err := cannedReply(tx, a, ref)
		if err != nil {
			return err
		}
		if err := tx.DeleteCannedReply(reply.ID); err != nil {
			return fmt.Errorf("delete canned reply: %w", err)
		}
		return nil
	})
}

// cannedReply finds the reply of a path for an agent.
func cannedReply(r Reader, a Actor, ref string) (models.SupportReply, error) {
	if _, err := serving(r, a); err != nil {
		return models.SupportReply{}, err
	}
	id, ok := models.ParseID(ref)
	if !ok {
		return models.SupportReply{}, models.NotFound("canned reply")
	}
	reply, err := r.CannedReply(id)
	return reply, found(err, "canned reply")
}
