package api

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley/models"
)

// transcriptText writes a conversation for people to read.
type transcriptText struct {
	w     io.Writer
	c     models.Conversation
	names map[int64]string // of those who may have said something, as they are shown
	marks []mark           // that are not written yet, by their times
}

// mark is what happened between messages.
type mark struct {
	at   models.Time
	text string
	ends bool // comes after a message of its moment, not before it
}

func newTranscriptText(w io.Writer, c models.Conversation, agents []models.Attendance) *transcriptText {
	t := &transcriptText{w: w, c: c, names: map[int64]string{c.VisitorID: shownName(c.Visitor)}}
	for _, a := range agents {
		name := shownName(a.Agent)
		t.names[a.Agent.ID] = name
		t.marks = append(t.marks, mark{at: a.From, text: name + " joined"})
		if !a.To.IsZero() {
			t.marks = append(t.marks, mark{at: a.To, text: name + " left", ends: true})
		}
	}
	if !c.Open() {
		t.marks = append(t.marks, mark{at: c.ClosedAt, text: "the conversation ended", ends: true})
	}
	slices.SortStableFunc(t.marks, func(a, b mark) int { return a.at.Compare(b.at.Time) })
	return t
}

func shownName(u models.User) string { return cmp.Or(u.DisplayName, u.Name) }

// moment is a time as the transcript has it.
func moment(t models.Time) string { return t.UTC().Format(time.DateTime) }

// head writes what the conversation is, and an empty line.
func (t *transcriptText) head() error {
	visitor := shownName(t.c.Visitor)
	if visitor != t.c.Visitor.Name {
		visitor += " (" + t.c.Visitor.Name + ")"
	}
	rating, comment := "", ""
	if r := t.c.Rating; r != nil {
		rating, comment = fmt.Sprintf("%d of 5", r.Score), r.Comment
	}
	closed := ""
	if !t.c.Open() {
		closed = moment(t.c.ClosedAt)
	}
	for _, line := range []struct{ name, value string }{
		{"Conversation", strconv.FormatInt(t.c.ID, 10)}, {"Department", t.c.Queue}, {"Subject", t.c.Subject},
		{"Visitor", visitor}, {"E-mail", t.c.Details.Email}, {"Page", t.c.Details.Page}, {"Language", t.c.Details.Language},
		{"Opened", moment(t.c.OpenedAt)}, {"Closed", closed}, {"Rating", rating}, {"Comment", comment},
	} {
		if line.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(t.w, "%s: %s\n", line.name, harmless(line.value)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(t.w, "\n")
	return err
}

// message writes what was said, after what happened before it.
func (t *transcriptText) message(m models.Message) error {
	for len(t.marks) > 0 {
		next := t.marks[0]
		if next.at.After(m.CreatedAt.Time) || next.ends && !next.at.Before(m.CreatedAt.Time) {
			break
		}
		if err := t.mark(next); err != nil {
			return err
		}
		t.marks = t.marks[1:]
	}
	name := cmp.Or(t.names[m.SenderID], m.SenderName)
	if m.IsDeleted() {
		return t.mark(mark{at: m.CreatedAt, text: "a message of " + name + " was deleted"})
	}
	_, err := fmt.Fprintf(t.w, "%s %s: %s\n", moment(m.CreatedAt), harmless(name), harmless(m.Text))
	return err
}

// end writes what happened after the last message.
func (t *transcriptText) end() error {
	for _, m := range t.marks {
		if err := t.mark(m); err != nil {
			return err
		}
	}
	return nil
}

func (t *transcriptText) mark(m mark) error {
	_, err := fmt.Fprintf(t.w, "%s * %s\n", moment(m.at), harmless(m.text))
	return err
}

// lineEnds makes every sort of line's end the one of text files, with the indent of what goes on.
var lineEnds = strings.NewReplacer("\r\n", "\n    ", "\n", "\n    ", "\r", "\n    ", "\v", "\n    ", "\f", "\n    ",
	"\u0085", "\n    ", "\u2028", "\n    ", "\u2029", "\n    ")

// harmless is text that no terminal obeys, no line of which can be taken for a message, and that turns nothing that
// stands beside it.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		turns := '\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
		if turns || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, lineEnds.Replace(text))
}
