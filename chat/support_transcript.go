package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// transcriptPage is how many messages a transcript reads in one snapshot.
const transcriptPage = 200

// AttendanceReader reads who had a conversation.
type AttendanceReader interface {
	// Attendances gives a conversation's agents from the first on; one who had it twice is in it twice.
	Attendances(conversationID int64) ([]models.Attendance, error)
}

// Transcript reads what was said in a conversation up to the entry Head, page by page. Each page is a snapshot of its
// own, so that nothing is held in the database, and no more than a page in memory, while it is written.
type Transcript struct {
	Conversation models.Conversation
	Attendances  []models.Attendance
	Head         int64

	service *Service
	actor   Actor
}

// Transcript begins the transcript of a conversation that the actor may see. The agents' notes are no part of it.
func (s *Service) Transcript(ctx context.Context, a Actor, conversationID int64) (*Transcript, error) {
	return view(ctx, s, func(r Reader) (*Transcript, error) {
		p, err := s.conversation(r, a, conversationID)
		if err != nil {
			return nil, err
		}
		t := &Transcript{Conversation: p.shown(), service: s, actor: a}
		if t.Attendances, err = r.Attendances(p.c.ID); err != nil {
			return nil, fmt.Errorf("read who had the conversation: %w", err)
		}
		if t.Head, err = r.Head(); err != nil {
			return nil, fmt.Errorf("read head: %w", err)
		}
		return t, nil
	})
}

// Messages gives all that was said, oldest first. It ends with an error when the actor loses the right to see it.
func (t *Transcript) Messages(ctx context.Context, yield func(models.Message) error) error {
	page := models.Page{HasAfter: true, Before: t.Head + 1, HasBefore: true, Limit: transcriptPage}
	for more := true; more; {
		h, err := view(ctx, t.service, func(r Reader) (h models.History, err error) {
			p, err := t.service.conversation(r, t.actor, t.Conversation.ID)
			if err != nil {
				return h, err
			}
			if h, err = r.Messages(p.c.ID, page); err != nil {
				return h, fmt.Errorf("read messages: %w", err)
			}
			return h, r.Fill(h.Messages, p.user.ID)
		})
		if err != nil {
			return fmt.Errorf("transcript: %w", err)
		}
		for _, m := range h.Messages {
			if err := yield(m); err != nil {
				return err
			}
			page.After = m.ID
		}
		more = len(h.Messages) == transcriptPage
	}
	return nil
}
