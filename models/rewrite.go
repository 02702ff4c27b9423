package models

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

// Entries of the log are rewritten for two reasons only: a message is deleted, or an account is erased. An
// entry keeps its id, its time, its type and its audience.

// Bury makes the message that e carries a tombstone: who said something where and when, and when it was
// deleted. Who said it is called sender, or as they were where that is empty.
func (e *Event) Bury(deletedAt Time, sender string) error {
	var data MessageData
	if err := e.decode(&data); err != nil {
		return err
	}
	m := data.Message
	m.Sender.Name = cmp.Or(sender, m.Sender.Name)
	return e.Encode(MessageData{Message: EventMessage{
		ID: m.ID, RoomID: m.RoomID, Sender: m.Sender, CreatedAt: m.CreatedAt, DeletedAt: deletedAt,
		ReplyTo: m.ReplyTo, ThreadID: m.ThreadID,
		Mentions: []int64{}, Attachments: []struct{}{}, Reactions: []EventReaction{},
	}})
}

// Names says whether e may name the user: cheap, and true too often rather than too seldom.
func (e *Event) Names(userID int64) bool {
	return bytes.Contains(e.JSON, fmt.Appendf(nil, `"id":%d,`, userID))
}

// Forget takes the user's names out of e, and what they said where e carries a message of theirs. It does not
// know the types of events: whatever names a user does so as an object under one of a few keys.
func (e *Event) Forget(userID int64, deletedAt Time) error {
	var data any
	if err := e.decode(&data); err != nil {
		return err
	}
	f := forgetter{id: userID, deletedAt: deletedAt}
	f.walk("data", data)
	return e.Encode(data)
}

// ForgetDetails takes what the visitor told before a chat out of the conversation that e carries, if it is theirs.
func (e *Event) ForgetDetails(visitorID int64) error {
	var data map[string]any
	if err := e.decode(&data); err != nil {
		return err
	}
	if !(forgetter{id: visitorID}).details(data["conversation"]) {
		return nil
	}
	return e.Encode(data)
}

func (e *Event) decode(data any) error {
	envelope := struct {
		Data any `json:"data"`
	}{data}
	d := json.NewDecoder(bytes.NewReader(e.JSON))
	d.UseNumber()
	if err := d.Decode(&envelope); err != nil {
		return fmt.Errorf("decode %s %d: %w", e.Type, e.ID, err)
	}
	return nil
}

type forgetter struct {
	id        int64
	deletedAt Time
}

// walk visits v, which stands under the key.
func (f forgetter) walk(key string, v any) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			f.walk(key, element)
		}
	case map[string]any:
		f.object(key, v)
	}
}

func (f forgetter) object(key string, o map[string]any) {
	switch key {
	case "user", "users", "sender", "members", "visitor", "agent":
		f.user(o)
	case "message":
		f.message(o)
	case "conversation":
		f.conversation(o)
	}
	if _, renamed := o["old_name"]; renamed && f.is(o["user"]) {
		o["old_name"] = DeletedName(f.id)
	}
	for key, value := range o {
		f.walk(key, value)
	}
}

// is says whether v is the user.
func (f forgetter) is(v any) bool {
	o, ok := v.(map[string]any)
	return ok && fmt.Sprint(o["id"]) == fmt.Sprint(f.id)
}

// user leaves of the user the id, the role and the name of all who are deleted.
func (f forgetter) user(o map[string]any) {
	if !f.is(o) {
		return
	}
	for key := range o {
		switch key {
		case "id", "role":
		case "name", "display_name":
			o[key] = DeletedName(f.id)
		default:
			delete(o, key)
		}
	}
}

// conversation leaves of the user's conversation when it was what, and with whom.
func (f forgetter) conversation(o map[string]any) {
	if !f.details(o) {
		return
	}
	delete(o, "subject")
	if rating, ok := o["rating"].(map[string]any); ok {
		delete(rating, "comment")
	}
}

// details takes out of the user's conversation what they told of themselves, and says whether it is theirs.
func (f forgetter) details(v any) bool {
	o, ok := v.(map[string]any)
	if !ok || !f.is(o["visitor"]) {
		return false
	}
	for _, key := range []string{"email", "page", "language"} {
		delete(o, key)
	}
	return true
}

// message makes a message of the user a tombstone.
func (f forgetter) message(o map[string]any) {
	if !f.is(o["sender"]) {
		return
	}
	for key := range o {
		switch key {
		case "id", "room_id", "sender", "created_at", "deleted_at", "reply_to", "thread_id":
		case "mentions", "attachments", "reactions":
			o[key] = []any{}
		default:
			delete(o, key)
		}
	}
	o["text"] = ""
	if _, was := o["deleted_at"]; !was {
		o["deleted_at"] = f.deletedAt
	}
}
