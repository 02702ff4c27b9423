package models

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// FuzzMessageJSON compares what is written by hand with encoding/json.
func FuzzMessageJSON(f *testing.F) {
	f.Add("hello", "ann", "n1", int64(57), int64(1893456000123), uint8(0))
	f.Add("a<b>&\"c\"\\ \u2028\u2029 \x00\x1f\x7f\xff", "張三", "", int64(-1), int64(-62135596800001), uint8(255))
	f.Add("😀\xed\xa0\x80 é", "\t", "<", int64(0), int64(253402300800000), uint8(0x55))
	f.Fuzz(func(t *testing.T, text, name, nonce string, id, ms int64, flags uint8) {
		has := func(bit int) bool { return flags>>bit&1 == 1 }
		m := Message{
			ID: id, RoomID: id / 2, SenderID: id / 3, SenderName: name, Text: text, Nonce: nonce, CreatedAt: FromMillis(ms),
			MentionsRoom: has(0), Pinned: has(1), Announcement: has(2),
		}
		if has(3) {
			m.EditedAt, m.ReplyTo = FromMillis(ms/2), id
		}
		if has(4) {
			m.DeletedAt, m.ThreadID = Time{time.UnixMilli(ms / 3).Add(987654)}, id
		}
		if has(5) {
			m.Mentions = []int64{1, id}
		}
		if has(6) {
			m.Reactions = []Reaction{{Emoji: text, Count: int(id)}, {Emoji: name, Me: true}}
		}
		data := MessageData{Message: m.ForEvent()}
		want, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := data.AppendJSON([]byte{'?'}); !bytes.Equal(got[1:], want) {
			t.Fatalf("got  %s\nwant %s", got[1:], want)
		}
		e := Event{ID: id, At: m.CreatedAt, Type: MessageCreated, RoomID: m.RoomID}
		if err := e.Encode(data); err != nil {
			t.Fatal(err)
		}
		other := e
		other.Wrap(want)
		if !bytes.Equal(e.JSON, other.JSON) {
			t.Fatalf("encoded %s\nwrapped %s", e.JSON, other.JSON)
		}
	})
}

// A field that is added to a message must be written here too.
func TestMessageJSONHasAllFields(t *testing.T) {
	t.Parallel()
	at := FromMillis(1)
	m := EventMessage{
		ID: 1, RoomID: 2, Sender: Peer{3, "ann"}, Text: "t", CreatedAt: at, EditedAt: at, DeletedAt: at, ReplyTo: 4, ThreadID: 5,
		Mentions: []int64{6}, MentionsRoom: true, Attachments: []struct{}{}, Reactions: []EventReaction{{"x", 7}}, Pinned: true,
		Announcement: true, Nonce: "n",
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(m.appendJSON(nil), &fields); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.appendJSON(nil); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkEncodeMessage(b *testing.B) {
	m := Message{ID: 57, RoomID: 1, SenderID: 2, SenderName: "ann", Text: "what everybody says to everybody all day long", CreatedAt: FromMillis(1893456000123), Nonce: "8d5f1c"}
	e := Event{ID: 57, At: m.CreatedAt, Type: MessageCreated, RoomID: 1}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Encode(MessageData{Message: m.ForEvent()}); err != nil {
			b.Fatal(err)
		}
	}
}
