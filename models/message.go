package models

import (
	"strings"
	"unicode/utf8"
)

// Message is what somebody said. Its ID is the id of its message.created event.
type Message struct {
	ID         int64
	RoomID     int64
	SenderID   int64
	SenderName string // the present name in answers, the name of the moment in events
	Text       string // empty where the message is deleted
	CreatedAt  Time
	DeletedAt  Time // zero: it is not deleted
	Nonce      string
}

// Draft is a message that somebody wants to send. To is a RoomRef as written,
// empty for the lobby.
type Draft struct {
	To    string
	Text  string
	Nonce string
}

// MaxNonce is the longest nonce in characters.
const MaxNonce = 64

// Check says what is wrong with the draft whatever room it goes to. maxText is the
// longest text in bytes.
func (d Draft) Check(maxText int) error {
	if err := CheckText("text", d.Text, maxText); err != nil {
		return err
	}
	if d.Text == "" {
		return Invalid("text", "must not be empty")
	}
	if d.Nonce != "" {
		if n := utf8.RuneCountInString(d.Nonce); n > MaxNonce {
			return Invalid("nonce", "has %d characters, at most %d are allowed", n, MaxNonce)
		}
		return CheckText("nonce", d.Nonce, 4*MaxNonce)
	}
	return nil
}

// CheckText refuses text that a database or a client cannot hold: longer than
// maxBytes, not UTF-8, or with a NUL.
func CheckText(field, text string, maxBytes int) error {
	switch {
	case len(text) > maxBytes:
		return Invalid(field, "has %d bytes, at most %d are allowed", len(text), maxBytes)
	case !utf8.ValidString(text):
		return Invalid(field, "must be UTF-8")
	case strings.ContainsRune(text, 0):
		return Invalid(field, "must not contain the character NUL")
	}
	return nil
}
