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
	Text       string // the present one; empty where the message is deleted
	CreatedAt  Time
	EditedAt   Time // zero: it has its first text
	DeletedAt  Time // zero: it is not deleted
	Nonce      string

	// Version is the id of the event that gave the message its present text: its own, or that of the last edit.
	Version      int64
	ReplyTo      int64 // the message that it answers, 0: none
	ThreadID     int64 // the first message of its thread, 0 unless it answers one
	Announcement bool
	Pinned       bool
	Mentions     []int64 // user ids, ascending
	MentionsRoom bool    // everybody in the room
	Reactions    []Reaction
	Thread       Thread // of the first message of one; answers only
}

// IsDeleted says whether the message is a tombstone.
func (m Message) IsDeleted() bool { return !m.DeletedAt.IsZero() }

// Reaction is how many people reacted to a message with one emoji, the earliest emoji first.
type Reaction struct {
	Emoji string
	Count int
	Me    bool // the reader is one of them; answers only
}

// Thread is what there is below its first message. Deleted answers do not count.
type Thread struct {
	Replies int
	LastID  int64 // the newest answer, 0: none
	LastAt  Time
}

// Draft is a message that somebody wants to send. To is a RoomRef as written,
// empty for the lobby.
type Draft struct {
	To      string
	Text    string
	Nonce   string
	ReplyTo int64 // 0: answers nothing

	Announcement bool  // said to everyone; To is empty
	NotesOf      int64 // noted of this conversation; To is empty. 0: it is no note
}

// MaxNonce is the longest nonce in characters.
const MaxNonce = 64

// Check says what is wrong with the draft whatever room it goes to. maxText is the
// longest text in bytes.
func (d Draft) Check(maxText int) error {
	if err := CheckMessageText(d.Text, maxText); err != nil {
		return err
	}
	if d.Nonce != "" {
		if n := utf8.RuneCountInString(d.Nonce); n > MaxNonce {
			return Invalid("nonce", "has %d characters, at most %d are allowed", n, MaxNonce)
		}
		return CheckText("nonce", d.Nonce, 4*MaxNonce)
	}
	return nil
}

// CheckMessageText refuses what no message can say. maxText is the longest text in bytes.
func CheckMessageText(text string, maxText int) error {
	if text == "" {
		return Invalid("text", "must not be empty")
	}
	return CheckText("text", text, maxText)
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
