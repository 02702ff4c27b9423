package models

import "unicode/utf8"

const (
	// MaxReplyTitle is the longest title of a canned reply in characters, counted in its stored form.
	MaxReplyTitle = 100
	// MaxReplyText is its longest text in characters.
	MaxReplyText = 4000
)

// ReplyPage is what part of the canned replies is wanted, by title. Zero fields do not narrow it.
type ReplyPage struct {
	Prefix  string // of the title's key
	QueueID int64  // those of this department and those of all
	After   string // a title's key
	Limit   int
}

// ReplyTitle gives the stored form of a canned reply's title and the key by which titles are compared and sorted.
func ReplyTitle(s string) (title, key string, err error) {
	title, err = OneLine("title", s, MaxReplyTitle)
	if err == nil && title == "" {
		err = Invalid("title", "must not be empty")
	}
	return title, NameKey(title), err
}

// CheckReplyText refuses what no canned reply can say.
func CheckReplyText(text string) error {
	if err := CheckMessageText(text, MaxReplyText*utf8.UTFMax); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(text); n > MaxReplyText {
		return Invalid("text", "has %d characters, at most %d are allowed", n, MaxReplyText)
	}
	_, err := ParseTemplate(text)
	return err
}
