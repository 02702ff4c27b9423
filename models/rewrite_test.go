package models

import (
	"encoding/json"
	"strings"
	"testing"
)

// conversationEvent is a support.updated of a conversation of which everything is told.
func conversationEvent(t *testing.T) Event {
	t.Helper()
	c := Conversation{
		ID: 9, NotesRoom: 12, VisitorID: 7, Visitor: User{ID: 7, Name: "visitor-7", DisplayName: "SECRET Vic", Role: RoleVisitor},
		Details: VisitorDetails{Email: "vic@SECRET", Page: "/SECRET", Language: "SECRET"}, Queue: "general", Subject: "SECRET subject",
		State: Closed, AgentID: 3, Agent: User{ID: 3, Name: "eve", DisplayName: "Eve", Role: RoleAgent},
		OpenedAt: FromMillis(1), QueuedAt: FromMillis(1), AssignedAt: FromMillis(2), ClosedAt: FromMillis(3), Reason: ClosedByAgent,
		Rating: &Rating{Score: 2, Comment: "SECRET comment", CreatedAt: FromMillis(4)},
	}
	e := Event{ID: 20, At: FromMillis(4), Type: SupportUpdated, Audience: Agents()}
	if err := e.Encode(SupportData{Conversation: c.ForEvent(true)}); err != nil {
		t.Fatal(err)
	}
	return e
}

// What is forgotten of somebody's conversation is what they told; when it was, with whom and how it ended stays.
func TestForgetConversation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forget func(e *Event) error
		gone   []string
		stays  []string
	}{
		"the visitor": {
			func(e *Event) error { return e.Forget(7, FromMillis(5)) },
			[]string{"SECRET", `"subject"`, `"comment"`, "visitor-7"},
			[]string{`"id":9`, `"state":"closed"`, `"reason":"agent"`, `"name":"deleted#7"`, `"name":"eve"`, `"score":2`, `"notes_room_id":12`, `"queue":"general"`},
		},
		"the visitor's details": {
			func(e *Event) error { return e.ForgetDetails(7) },
			[]string{"vic@SECRET", "/SECRET", `"language"`},
			[]string{"SECRET subject", "SECRET comment", "SECRET Vic", `"name":"eve"`},
		},
		"the agent": {
			func(e *Event) error { return e.Forget(3, FromMillis(5)) },
			[]string{"eve", "Eve"},
			[]string{"vic@SECRET", "SECRET subject", "SECRET comment", `"name":"deleted#3"`},
		},
		"somebody else":           {func(e *Event) error { return e.Forget(9, FromMillis(5)) }, nil, []string{"vic@SECRET", "SECRET subject", "Eve"}},
		"somebody else's details": {func(e *Event) error { return e.ForgetDetails(3) }, nil, []string{"vic@SECRET", "SECRET subject"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := conversationEvent(t)
			if err := tt.forget(&e); err != nil || !json.Valid(e.JSON) {
				t.Fatalf("%s, %v", e.JSON, err)
			}
			for _, word := range tt.gone {
				if strings.Contains(string(e.JSON), word) {
					t.Errorf("%q is left in %s", word, e.JSON)
				}
			}
			for _, word := range tt.stays {
				if !strings.Contains(string(e.JSON), word) {
					t.Errorf("%q is gone from %s", word, e.JSON)
				}
			}
		})
	}
}

func TestForgetDetailsOfOtherEntries(t *testing.T) {
	t.Parallel()
	e := Event{ID: 4, At: FromMillis(4), Type: UserUpdated, Audience: Everyone()}
	if err := e.Encode(UserData{User: EventUser{ID: 7, Name: "x"}}); err != nil {
		t.Fatal(err)
	}
	was := string(e.JSON)
	if err := e.ForgetDetails(7); err != nil || string(e.JSON) != was {
		t.Errorf("%s has become %s, %v", was, e.JSON, err)
	}
}
