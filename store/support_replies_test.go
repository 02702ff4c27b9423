package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

func TestCannedReplies(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleAgent)
		now := models.At(fixedClock())
		made := map[string]models.SupportReply{}
		for _, r := range []models.SupportReply{
			{Title: "Hello"}, {Title: "hell"}, {Title: "Help", QueueID: models.GeneralQueue}, {Title: "Bye", QueueID: 7}, {Title: "你好"}, {Title: "100% _"},
		} {
			r.Key, r.Text, r.ByID, r.ByName, r.CreatedAt, r.UpdatedAt = models.NameKey(r.Title), "text of "+r.Title, ann.ID, "ann", now, now
			do(t, s, func(tx chat.Tx) (err error) {
				r, err = tx.InsertCannedReply(r)
				return err
			})
			if r.QueueID == models.GeneralQueue {
				r.Queue = "general"
			}
			made[r.Title] = r
		}
		for _, tt := range []struct {
			page models.ReplyPage
			want string
		}{
			{models.ReplyPage{}, "[100% _ Bye hell Hello Help 你好]"},
			{models.ReplyPage{Prefix: "hel"}, "[hell Hello Help]"},
			{models.ReplyPage{Prefix: "hello"}, "[Hello]"},
			{models.ReplyPage{Prefix: "你"}, "[你好]"},
			{models.ReplyPage{Prefix: "100%"}, "[100% _]"},
			{models.ReplyPage{Prefix: "%"}, "[]"},
			{models.ReplyPage{Prefix: "_"}, "[]"},
			{models.ReplyPage{Prefix: "a\x00"}, "[]"},
			{models.ReplyPage{Prefix: "\xff"}, "[]"},
			{models.ReplyPage{Prefix: "hel", After: "hell"}, "[Hello Help]"},
			{models.ReplyPage{Prefix: "hel", After: "hell", Limit: 1}, "[Hello]"},
			{models.ReplyPage{After: "\xff"}, "[]"},
			{models.ReplyPage{QueueID: models.GeneralQueue}, "[100% _ hell Hello Help 你好]"},
			{models.ReplyPage{QueueID: 7, Limit: 2}, "[100% _ Bye]"},
		} {
			if tt.page.Limit == 0 {
				tt.page.Limit = 50
			}
			var titles []string
			view(t, s, func(r chat.Reader) error {
				list, err := r.CannedReplies(tt.page)
				for _, reply := range list {
					titles = append(titles, reply.Title)
					if reply != made[reply.Title] {
						t.Errorf("%+v, want %+v", reply, made[reply.Title])
					}
				}
				return err
			})
			if got := fmt.Sprint(titles); got != tt.want {
				t.Errorf("%+v gives %s, want %s", tt.page, got, tt.want)
			}
		}

		bye := made["Bye"]
		bye.Title, bye.Key, bye.Text, bye.QueueID, bye.UpdatedAt = "BYE!", "bye!", "so long", 0, models.At(now.Add(time.Second))
		do(t, s, func(tx chat.Tx) error { return tx.UpdateCannedReply(bye) })
		do(t, s, func(tx chat.Tx) error { return tx.DeleteCannedReply(made["Help"].ID) })
		view(t, s, func(r chat.Reader) error {
			byID, err := r.CannedReply(bye.ID)
			byKey, err2 := r.CannedReplyByKey("bye!")
			n, err3 := r.CannedReplyCount()
			if byID != bye || byKey != bye || n != 5 || errors.Join(err, err2, err3) != nil {
				t.Errorf("%+v and %+v of %d, want %+v; %v, %v, %v", byID, byKey, n, bye, err, err2, err3)
			}
			_, err = r.CannedReply(made["Help"].ID)
			if _, err2 := r.CannedReplyByKey("bye"); !errors.Is(err, chat.ErrNotFound) || !errors.Is(err2, chat.ErrNotFound) {
				t.Errorf("what is not there: %v, %v", err, err2)
			}
			return nil
		})
		for name, cmd := range map[string]chat.Command{
			"update": func(tx chat.Tx) error { return tx.UpdateCannedReply(made["Help"]) },
			"delete": func(tx chat.Tx) error { return tx.DeleteCannedReply(made["Help"].ID) },
		} {
			if err := s.Do(t.Context(), cmd); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s one that is gone: %v", name, err)
			}
		}
	})
}
