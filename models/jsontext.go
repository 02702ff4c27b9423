package models

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// What each message costs anew is written by hand, the same bytes as encoding/json's; the tests compare them.

// jsonAppender is a payload that writes itself.
type jsonAppender interface {
	AppendJSON(b []byte) []byte
	room() int // about how many bytes that takes
}

var _ jsonAppender = MessageData{}

// AppendJSON implements jsonAppender.
func (d MessageData) AppendJSON(b []byte) []byte {
	b = append(b, `{"message":`...)
	b = d.Message.appendJSON(b)
	return append(b, '}')
}

// room is enough for a message of which nothing is escaped; the ring keeps what is too much as long as the event.
func (d MessageData) room() int {
	m := &d.Message
	return 210 + len(m.Text) + len(m.Sender.Name) + len(m.Nonce) + 8*len(m.Mentions)
}

func (m *EventMessage) appendJSON(b []byte) []byte {
	b = appendInt(append(b, `{"id":`...), m.ID)
	b = appendInt(append(b, `,"room_id":`...), m.RoomID)
	b = m.Sender.AppendJSON(append(b, `,"sender":`...))
	b = AppendJSONText(append(b, `,"text":`...), m.Text)
	b = m.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	if !m.EditedAt.IsZero() {
		b = m.EditedAt.AppendJSON(append(b, `,"edited_at":`...))
	}
	if !m.DeletedAt.IsZero() {
		b = m.DeletedAt.AppendJSON(append(b, `,"deleted_at":`...))
	}
	if m.ReplyTo != 0 {
		b = appendInt(append(b, `,"reply_to":`...), m.ReplyTo)
	}
	if m.ThreadID != 0 {
		b = appendInt(append(b, `,"thread_id":`...), m.ThreadID)
	}
	b = AppendJSONList(append(b, `,"mentions":`...), m.Mentions)
	if m.MentionsRoom {
		b = append(b, `,"mentions_room":true`...)
	}
	b = append(b, `,"attachments":[],"reactions":[`...)
	for i, r := range m.Reactions {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSONText(append(b, `{"emoji":`...), r.Emoji)
		b = append(appendInt(append(b, `,"count":`...), int64(r.Count)), '}')
	}
	b = append(b, ']')
	if m.Pinned {
		b = append(b, `,"pinned":true`...)
	}
	if m.Announcement {
		b = append(b, `,"announcement":true`...)
	}
	if m.Nonce != "" {
		b = AppendJSONText(append(b, `,"nonce":`...), m.Nonce)
	}
	return append(b, '}')
}

// AppendJSON writes the peer as JSON.
func (p Peer) AppendJSON(b []byte) []byte {
	b = appendInt(append(b, `{"id":`...), p.ID)
	b = AppendJSONText(append(b, `,"name":`...), p.Name)
	return append(b, '}')
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// AppendJSONList writes ids as a JSON list, none as an empty one.
func AppendJSONList(b []byte, ids []int64) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(b, id)
	}
	return append(b, ']')
}

// AppendJSONText writes s as a JSON string, as encoding/json does: also what HTML or JavaScript might take for its own is
// escaped. Text in which there is nothing to escape is copied.
func AppendJSONText(b []byte, s string) []byte {
	if !plain(s) {
		quoted, err := json.Marshal(s)
		if err != nil {
			return append(b, `""`...) // no text makes an error
		}
		return append(b, quoted...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain says whether s stands in JSON as it is. Beyond ASCII that are all characters but two, and what is UTF-8.
func plain(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += size
	}
	return true
}

// AppendJSON writes the moment as MarshalJSON does.
func (t Time) AppendJSON(b []byte) []byte {
	b = append(b, '"')
	b = t.appendText(b)
	return append(b, '"')
}

// appendText writes timeLayout.
func (t Time) appendText(b []byte) []byte {
	u := t.UTC()
	year, month, day := u.Date()
	if year < 0 || year > 9999 {
		return u.AppendFormat(b, timeLayout)
	}
	hour, minute, second := u.Clock()
	b = appendDigits(appendDigits(b, year/100), year%100)
	b = appendDigits(append(b, '-'), int(month))
	b = appendDigits(append(b, '-'), day)
	b = appendDigits(append(b, 'T'), hour)
	b = appendDigits(append(b, ':'), minute)
	b = appendDigits(append(b, ':'), second)
	ms := u.Nanosecond() / int(time.Millisecond)
	b = append(b, '.', byte('0'+ms/100))
	return append(appendDigits(b, ms%100), 'Z')
}

// appendDigits writes two digits.
func appendDigits(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
