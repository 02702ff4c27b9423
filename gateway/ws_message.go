package gateway

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// The types of messages.
const (
	wsConnect = 0
	wsSend    = 1
	wsReceive = 2
	wsClose   = 3
)

// wsMessage is a message as it goes out.
type wsMessage struct {
	Type     int    `json:"type"`
	Sender   int64  `json:"sender"`
	Receiver int64  `json:"receiver"`
	Content  string `json:"content"`
}

// wsIn is a message as it came in. Who says to have sent it is not looked at.
type wsIn struct {
	Type     looseInt  `json:"type"`
	Receiver looseInt  `json:"receiver"`
	Content  looseText `json:"content"`
}

// What is wrong with a message.
var (
	errNotJSON   = errors.New("the message is not the JSON that it should be")
	errNotNumber = errors.New("type and receiver must be whole numbers")
	errNoText    = errors.New("content must be text")
)

// decodeWS reads a message. Clients write numbers as text, and leave out what is 0.
func decodeWS(text string) (m wsIn, err error) {
	if trimmed := strings.TrimSpace(text); !strings.HasPrefix(trimmed, "{") {
		return m, errNotJSON
	}
	err = json.Unmarshal([]byte(text), &m)
	switch {
	case err == nil, errors.Is(err, errNotNumber), errors.Is(err, errNoText):
		return m, err
	default:
		return m, errNotJSON
	}
}

// looseInt is a whole number, however it is written; null is 0.
type looseInt int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *looseInt) UnmarshalJSON(b []byte) error {
	text := string(b)
	if text == "null" {
		return nil
	}
	if b[0] == '"' {
		if json.Unmarshal(b, &text) != nil {
			return errNotNumber
		}
		text = strings.TrimSpace(text)
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = looseInt(whole)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	const exact = 1 << 53
	if err != nil || f != f || f <= -exact || f >= exact || f != float64(int64(f)) {
		return errNotNumber
	}
	*n = looseInt(f)
	return nil
}

// looseText is text, or a number or a truth value as it is written; null is empty.
type looseText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *looseText) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case b[0] == '{' || b[0] == '[':
		return errNoText
	case b[0] != '"':
		*t = looseText(b)
		return nil
	}
	var text string
	if json.Unmarshal(b, &text) != nil {
		return errNoText
	}
	*t = looseText(text)
	return nil
}
