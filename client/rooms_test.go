package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
)

func TestRoomCalls(t *testing.T) {
	t.Parallel()
	var marked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch next := "p2"; {
		case r.Method == http.MethodPut:
			var body MarkReadRequest
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			if marked = append(marked, r.URL.Path); body.MessageID == 0 {
				answer(w, http.StatusUnprocessableEntity, Problem{Code: "validation_failed"})
				return
			}
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/rooms/kitchen/join":
			answer(w, 200, Room{ID: 7})
		case r.Method == http.MethodPost:
			answer(w, http.StatusForbidden, Problem{Code: "banned"})
		case r.URL.Query().Get("page") == next:
			answer(w, 200, RoomList{Rooms: []Room{{ID: 9}}, Cursor: 80})
		default:
			answer(w, 200, RoomList{Rooms: []Room{{ID: 1, Unread: new(3)}, {ID: 5}}, Cursor: 70, NextPage: &next})
		}
	})
	rooms, cursor, err := c.Rooms(t.Context())
	if err != nil || len(rooms) != 3 || *rooms[0].Unread != 3 || rooms[2].ID != 9 || cursor != 70 {
		t.Errorf("rooms %+v, cursor %d, %v", rooms, cursor, err)
	}
	if room, err := c.Join(t.Context(), "kitchen"); err != nil || room.ID != 7 {
		t.Errorf("joined %+v, %v", room, err)
	}
	if _, err := c.Join(t.Context(), "attic"); !errors.Is(err, ErrorCodeBanned) {
		t.Errorf("joined a room with %v", err)
	}
	if err := c.MarkRead(t.Context(), "@ann", 57); err != nil {
		t.Error(err)
	}
	if err := c.MarkRead(t.Context(), "lobby", 0); err == nil {
		t.Error("a refusal passes for done")
	}
	if !slices.Equal(marked, []string{"/v1/rooms/@ann/read", "/v1/rooms/lobby/read"}) {
		t.Errorf("marked %v", marked)
	}
}
