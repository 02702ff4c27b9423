package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func rateTalk(u *harness.User, conversation int64, body map[string]any) *harness.Answer {
	return u.Put(ofTalk(conversation, "rating"), body)
}

// wantRating compares what a conversation says of its rating; score 0 is none.
func wantRating(t *testing.T, what string, c client.Conversation, score int, comment string) {
	t.Helper()
	switch r := c.Rating; {
	case (r != nil) != (score != 0):
		t.Errorf("%s: the rating is %+v, want %d", what, r, score)
	case r == nil:
	case r.Score != score || (r.Comment != nil) != (comment != "") || r.Comment != nil && *r.Comment != comment || r.CreatedAt.IsZero():
		t.Errorf("%s: the rating is %+v, want %d %q", what, r, score, comment)
	}
}

func TestRating(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve := s.Agent(root, "eve")
		li, bob, guest, stranger := s.Visitor("Li Wei"), s.User("bob"), s.Guest("guest"), s.User("stranger")
		for _, u := range []*harness.User{li, bob, guest} {
			c := u.Open(map[string]any{"text": "hello"})
			wantRating(t, "before", c, 0, "")
			note(eve, c.ID, "a note") // its room is told to agents only
			mine, agents := u.Stream(), eve.Stream()
			told := func(score int, comment string) {
				t.Helper()
				for who, st := range map[string]*harness.Stream{u.Name: mine, "eve": agents} {
					e := st.Until("support.updated")
					got := harness.DataOf[client.SupportData](e[len(e)-1]).Conversation
					wantRating(t, "told to "+who, got, score, comment)
					if got.ID != c.ID || (got.NotesRoomID != nil) != (who == "eve") {
						t.Errorf("%s is told %+v", who, got)
					}
				}
			}
			before := root.Head()
			rateTalk(eve, c.ID, map[string]any{"score": 5}).Refused("forbidden")
			rateTalk(root, c.ID, map[string]any{"score": 5}).Refused("forbidden")
			rateTalk(stranger, c.ID, map[string]any{"score": 5}).Refused("not_found")
			for _, body := range []map[string]any{
				{"score": 0}, {"score": 6}, {"score": -1}, {"score": "good"}, {"score": 4.5}, {},
			} {
				rateTalk(u, c.ID, body).Refused("validation_failed", "score")
			}
			for _, comment := range []any{strings.Repeat("好", 1001), "a\x00b", 7} {
				rateTalk(u, c.ID, map[string]any{"score": 1, "comment": comment}).Refused("validation_failed", "comment")
			}
			if after := root.Head(); after != before {
				t.Errorf("the log went from %d to %d", before, after)
			}

			long := strings.Repeat("好", 1000)
			got := harness.Into[client.Conversation](rateTalk(u, c.ID, map[string]any{"score": 2, "comment": long}).Want(200))
			wantRating(t, "rated", got, 2, long)
			if got.NotesRoomID != nil {
				t.Errorf("%s is answered where the notes are: %+v", u.Name, got)
			}
			told(2, long)
			at := got.Rating.CreatedAt
			act(eve, c.ID, "close").Want(200)
			mine.Until("support.updated")
			agents.Until("support.updated")
			got = harness.Into[client.Conversation](u.Do("PUT", ofTalk(c.ID, "rating"), harness.Form("score", "5")).Want(200))
			wantRating(t, "rated anew", got, 5, "")
			if got.State != "closed" || !got.Rating.CreatedAt.Equal(at) {
				t.Errorf("rated anew: %+v, first at %v", got, at)
			}
			told(5, "")
			before = root.Head()
			rateTalk(u, c.ID, map[string]any{"score": 5, "comment": ""}).Want(200)
			if after := root.Head(); after != before {
				t.Errorf("the same again: the log went from %d to %d", before, after)
			}
			wantRating(t, "to the agents", conversation(eve, c.ID), 5, "")
		}
		// What there is not is like what is another's.
		bo := s.Visitor("Bo").Open(nil)
		for _, path := range []string{ofTalk(1<<50, "rating"), "/v1/support/conversations/x/rating", ofTalk(bo.ID, "rating")} {
			li.Put(path, map[string]any{"score": 5}).Refused("forbidden")
			bob.Put(path, map[string]any{"score": 5}).Refused("not_found")
		}
	})
}

// A week after its end a conversation is not rated any more.
func TestRatingHasAnEnd(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	root := s.User("root")
	li := s.Visitor("Li Wei")
	c := li.Open(nil)
	act(root, c.ID, "close").Want(200)
	s.Advance(6 * 24 * time.Hour)
	rateTalk(li, c.ID, map[string]any{"score": 3}).Want(200)
	s.Advance(24*time.Hour + time.Second)
	rateTalk(li, c.ID, map[string]any{"score": 4}).Refused("conflict")
	wantRating(t, "after a week", conversation(li, c.ID), 3, "")
}
