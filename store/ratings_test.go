package store

import (
	"fmt"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// newTalk makes a conversation with its room.
func newTalk(tb testing.TB, s *Store, visitor models.User) (c models.Conversation) {
	tb.Helper()
	do(tb, s, func(tx chat.Tx) error {
		room := models.Room{ID: tx.NextID(), Kind: models.KindSupport, Visibility: models.Private, CreatedAt: tx.Now()}
		if err := tx.InsertRoom(room); err != nil {
			return err
		}
		if err := join(tx, room.ID, visitor, models.RoomMember); err != nil {
			return err
		}
		c = models.Conversation{
			ID: room.ID, VisitorID: visitor.ID, QueueID: models.GeneralQueue, State: models.Queued, Place: room.ID, OpenedAt: tx.Now(), QueuedAt: tx.Now(),
		}
		return tx.InsertConversation(c)
	})
	return c
}

func TestRatings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		visitor := newUser(t, s, "visitor-1", models.RoleVisitor)
		c, other := newTalk(t, s, visitor), newTalk(t, s, newUser(t, s, "visitor-2", models.RoleVisitor))
		first := models.At(time.UnixMilli(1_700_000_000_000))
		for _, r := range []models.Rating{
			{Score: 5, Comment: "very good", CreatedAt: first}, {Score: 1, Comment: "", CreatedAt: models.At(first.Add(time.Hour))},
		} {
			do(t, s, func(tx chat.Tx) error { return tx.SaveRating(c.ID, r) })
			view(t, s, func(reader chat.Reader) error {
				got, err := reader.Conversation(c.ID)
				r.CreatedAt = first
				if got.Rating == nil || *got.Rating != r {
					t.Errorf("the rating is %+v, want %+v", got.Rating, r)
				}
				return err
			})
		}
		view(t, s, func(r chat.Reader) error {
			got, err := r.Conversation(other.ID)
			if got.Rating != nil {
				t.Errorf("nobody has rated this: %+v", got.Rating)
			}
			return err
		})
	})
}

func TestAttendances(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		now := fixedClock()
		o.Clock = func() time.Time { return now }
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleAgent), newUser(t, s, "bob", models.RoleAdmin)
		c, other := newTalk(t, s, newUser(t, s, "visitor-1", models.RoleVisitor)), newTalk(t, s, newUser(t, s, "visitor-2", models.RoleVisitor))
		want := ""
		for i, agent := range []models.User{ann, bob, ann} {
			for _, talk := range []models.Conversation{c, other} {
				talk.AgentID = agent.ID
				do(t, s, func(tx chat.Tx) error {
					ev, err := tx.Append(models.Event{Type: models.SupportUpdated, Audience: models.Agents()}, models.SupportData{})
					if err != nil {
						return err
					}
					return tx.InsertAssignment(ev.ID, talk)
				})
			}
			from := models.At(now)
			now = now.Add(time.Minute)
			to := models.Time{}
			if i < 2 {
				to = models.At(now)
				do(t, s, func(tx chat.Tx) error { return tx.EndAssignment(c.ID) })
			}
			want += fmt.Sprint(agent.Name, " ", agent.Role, " ", from, " ", to, "\n")
			now = now.Add(time.Minute)
		}
		got := ""
		view(t, s, func(r chat.Reader) error {
			list, err := r.Attendances(c.ID)
			for _, a := range list {
				got += fmt.Sprint(a.Agent.Name, " ", a.Agent.Role, " ", a.From, " ", a.To, "\n")
			}
			return err
		})
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}
