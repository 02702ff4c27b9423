package store

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"parley/chat"
	"parley/models"
)

func TestQueues(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		hours := &models.OpeningHours{
			Timezone: "Europe/Berlin", Weekly: []models.OpeningTime{{Day: "monday", From: "09:00", To: "24:00"}}, Closed: []string{"2025-12-25"},
		}
		now := models.At(fixedClock())
		sales := models.SupportQueue{Name: "Sales", Key: "sales", Assignment: models.ManualAssignment, Hours: hours, CreatedAt: now}
		care := models.SupportQueue{Name: "care", Key: "care", Assignment: models.AutoAssignment, CreatedAt: now}
		insert := func(q models.SupportQueue) models.SupportQueue {
			do(t, s, func(tx chat.Tx) (err error) {
				q, err = tx.InsertQueue(q)
				return err
			})
			return q
		}
		sales, care = insert(sales), insert(care)
		if sales.ID == models.GeneralQueue || sales.ID == 0 || care.ID == sales.ID {
			t.Errorf("the ids are %d and %d", sales.ID, care.ID)
		}
		want := func(queues ...models.SupportQueue) {
			t.Helper()
			view(t, s, func(r chat.Reader) error {
				all, err := r.SupportQueues()
				var made []models.SupportQueue
				for _, q := range all {
					byID, err := r.SupportQueue(q.ID)
					byKey, err2 := r.SupportQueueByKey(q.Key)
					if !reflect.DeepEqual(byID, q) || !reflect.DeepEqual(byKey, q) || errors.Join(err, err2) != nil {
						t.Errorf("%+v, by id %+v, by key %+v, %v, %v", q, byID, byKey, err, err2)
					}
					if q.ID != models.GeneralQueue {
						made = append(made, q)
					}
				}
				if !reflect.DeepEqual(made, queues) || len(all) != len(made)+1 {
					t.Errorf("all are %+v, want %+v besides the general one", all, queues)
				}
				return err
			})
		}
		want(care, sales)
		sales.Name, sales.Key, sales.Hours, sales.Assignment = "shop", "shop", nil, models.AutoAssignment
		care.Hours = hours
		do(t, s, func(tx chat.Tx) error { return errors.Join(tx.UpdateQueue(sales), tx.UpdateQueue(care)) })
		want(care, sales)

		// Two of a name there cannot be, but one after the other.
		twin := models.SupportQueue{Name: "Care", Key: "care", Assignment: models.AutoAssignment, CreatedAt: now}
		if err := s.Do(t.Context(), func(tx chat.Tx) error {
			_, err := tx.InsertQueue(twin)
			return err
		}); err == nil {
			t.Error("two departments of one name")
		}
		do(t, s, func(tx chat.Tx) error { return tx.DeleteQueue(care.ID) })
		twin = insert(twin)
		do(t, s, func(tx chat.Tx) error { return tx.DeleteQueue(twin.ID) }) // its name is free twice then
		want(sales)
		for name, cmd := range map[string]chat.Command{
			"update": func(tx chat.Tx) error { return tx.UpdateQueue(care) },
			"delete": func(tx chat.Tx) error { return tx.DeleteQueue(care.ID) },
			"read": func(tx chat.Tx) error {
				_, err := tx.SupportQueue(care.ID)
				return err
			},
			"find": func(tx chat.Tx) error {
				_, err := tx.SupportQueueByKey("care")
				return err
			},
		} {
			if err := s.Do(t.Context(), cmd); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s one that is gone: %v", name, err)
			}
		}
	})
}

// What a department has to do with agents and conversations.
func TestQueueDeletion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		hours := &models.OpeningHours{Timezone: "UTC", Weekly: []models.OpeningTime{}}
		var queues [2]models.SupportQueue
		for i, name := range []string{"sales", "care"} {
			do(t, s, func(tx chat.Tx) (err error) {
				queues[i], err = tx.InsertQueue(models.SupportQueue{Name: name, Key: name, Assignment: models.AutoAssignment, Hours: hours})
				return err
			})
		}
		sales, care := queues[0].ID, queues[1].ID
		for name, ids := range map[string][]int64{"alone": {sales}, "both": {sales, care}, "other": {care}, "all": {}, "general": {sales, models.GeneralQueue}} {
			agent := newUser(t, s, name, models.RoleAgent)
			do(t, s, func(tx chat.Tx) error {
				return errors.Join(tx.SaveSupportAgent(models.SupportAgent{User: agent, Available: true, Capacity: 1}), tx.SetAgentQueues(agent.ID, ids))
			})
		}
		ann := newUser(t, s, "ann", models.RoleMember)
		c := models.Conversation{ID: newChannel(t, s, "talk", ann).ID, VisitorID: ann.ID, QueueID: sales, State: models.Queued, Place: 1}
		do(t, s, func(tx chat.Tx) error { return tx.InsertConversation(c) })
		inUse := func() (in [2]bool) {
			view(t, s, func(r chat.Reader) (err error) {
				for i, q := range queues {
					in[i], err = r.QueueInUse(q.ID)
					if err != nil {
						return err
					}
				}
				return nil
			})
			return in
		}
		for _, state := range []models.ConversationState{models.Queued, models.Assigned, models.Closed} {
			c.State = state
			do(t, s, func(tx chat.Tx) error { return tx.UpdateConversation(c) })
			if got, want := inUse(), [2]bool{state != models.Closed, false}; got != want {
				t.Errorf("while one is %s: %v", state, got)
			}
		}
		do(t, s, func(tx chat.Tx) error { return tx.DeleteQueue(sales) })
		view(t, s, func(r chat.Reader) error {
			agents, err := r.SupportAgents(0, 10)
			got := map[string]string{}
			for _, a := range agents {
				got[a.User.Name] = fmt.Sprint(a.Queues)
			}
			want := map[string]string{"alone": "[general]", "both": "[care]", "other": "[care]", "all": "[]", "general": "[general]"}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the agents take from %v, want %v", got, want)
			}
			kept, err2 := r.Conversation(c.ID)
			if kept.Queue != "sales" {
				t.Errorf("the closed conversation: %+v", kept)
			}
			return errors.Join(err, err2)
		})
		c.State, c.QueueID = models.Queued, care
		do(t, s, func(tx chat.Tx) error { return tx.UpdateConversation(c) })
		view(t, s, func(r chat.Reader) error {
			heads, err := r.QueueHeads()
			kept, err2 := r.Conversation(c.ID)
			if len(heads) != 1 || !reflect.DeepEqual(heads[0].Hours, hours) || !reflect.DeepEqual(kept.Hours, hours) {
				t.Errorf("the head %+v, the conversation %+v: want the hours %v", heads, kept, hours)
			}
			return errors.Join(err, err2)
		})
	})
}
