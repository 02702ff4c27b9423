package tests

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// Load, then stream after the answer's cursor: nothing is missed and nothing comes twice, while another
// writes all the time.
func TestLoadThenStream(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		const messages = 100
		done := make(chan error, 1)
		go func() { done <- chatter(t.Context(), s, ann, messages) }()
		var histories []client.MessageList
		var lists []client.RoomList
		for {
			h := harness.Into[client.MessageList](bob.Get("/v1/rooms/lobby/messages?limit=200").Want(200))
			list := harness.Into[client.RoomList](bob.Get("/v1/rooms?scope=public&limit=200").Want(200))
			who := harness.Into[client.WhoList](bob.Get("/v1/who").Want(200))
			if list.Cursor < h.Cursor || who.Cursor < list.Cursor {
				t.Errorf("cursors go back: %d, %d, %d", h.Cursor, list.Cursor, who.Cursor)
			}
			histories, lists = append(histories, h), append(lists, list)
			if len(h.Messages) > 0 {
				checkFollows(t, bob, h, messages)
			}
			if len(h.Messages) == messages {
				break
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		rooms := roomIDs(harness.Into[client.RoomList](bob.Get("/v1/rooms?scope=public&limit=200").Want(200)))
		for i, h := range histories {
			got := roomIDs(lists[i])
			count := len(h.Messages)
			for _, e := range bob.Events(lists[i].Cursor) {
				if e.Type == "room.created" {
					got = append(got, e.RoomID)
				}
			}
			if !slices.Equal(got, rooms) {
				t.Errorf("rooms loaded at %d and streamed from there: %v, want %v", lists[i].Cursor, got, rooms)
			}
			for _, e := range bob.Events(h.Cursor) {
				if e.Type == "message.created" {
					count++
				}
			}
			if count != messages {
				t.Errorf("%d messages loaded at %d, %d with those after it", len(h.Messages), h.Cursor, count)
			}
		}
	})
}

// chatter says the numbers in the lobby and makes channels between them.
func chatter(ctx context.Context, s *harness.Server, u *harness.User, messages int) error {
	post := func(path string, with harness.With) error {
		a, err := s.Try(ctx, "POST", path, u.Bearer(), with)
		if err == nil && a.Status != 201 {
			err = fmt.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		return err
	}
	for i := range messages {
		if i%10 == 0 {
			if err := post("/v1/rooms", harness.Form("name", fmt.Sprint("room", i))); err != nil {
				return err
			}
		}
		if err := post("/v1/send", harness.Form("text", fmt.Sprint(i))); err != nil {
			return err
		}
	}
	return nil
}

// checkFollows demands that the history's messages, and those of a stream from there, are the numbers in
// order.
func checkFollows(t *testing.T, u *harness.User, h client.MessageList, messages int) {
	t.Helper()
	for i, m := range h.Messages {
		if m.Text != fmt.Sprint(i) || m.ID > h.Cursor {
			t.Fatalf("message %d of the history at %d is %+v", i, h.Cursor, m)
		}
	}
	stream := u.Stream(harness.After(h.Cursor), harness.Query("types", "message.created"))
	defer stream.Close()
	for i := len(h.Messages); i < min(len(h.Messages)+5, messages); i++ {
		if e := stream.Next(); e.Text() != fmt.Sprint(i) || e.ID <= h.Cursor {
			t.Fatalf("after %d messages at %d comes %s", i, h.Cursor, e)
		}
	}
}

func roomIDs(list client.RoomList) []int64 {
	ids := make([]int64, 0, len(list.Rooms))
	for _, r := range list.Rooms {
		ids = append(ids, r.ID)
	}
	return ids
}
