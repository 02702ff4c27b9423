package chat

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"parley/client"
)

// Columns of a message where there is room for them: time, name, text.
const (
	nameColumn = 12
	columns    = 56 // the least width for columns
)

// rendering is how an entry looked at a width, for as long as it is the same.
type rendering struct {
	width int
	lines []string
}

// painter makes lines of entries.
type painter struct {
	ruler
	b     *board
	width int
}

// block is an entry with what stands between it and the one before: the day, where what is new begins.
func (p painter) block(t *timeline, i int) []string {
	e := t.entries[i]
	var lines []string
	if day := e.message.CreatedAt.Local(); i == 0 || !sameDay(t.entries[i-1].message.CreatedAt.Local(), day) {
		lines = append(lines, p.divider(day.Format("Mon 2 Jan 2006"), faint))
	}
	if t.newFrom > 0 && e.note == "" && e.place == t.newFrom {
		lines = append(lines, p.divider("new", freshness))
	}
	if e.shown.width != p.width || e.shown.lines == nil {
		e.shown = rendering{p.width, p.entry(t, e)}
	}
	return append(lines, e.shown.lines...)
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

func (p painter) divider(text string, look ansi.Style) string {
	side := (p.width - p.ruler.width(text) - 2) / 2
	if side < 1 {
		return paint(look, p.cut(text, p.width))
	}
	line := strings.Repeat("─", side) + " " + text + " "
	return paint(look, line+strings.Repeat("─", max(0, p.width-p.ruler.width(line))))
}

func (p painter) entry(t *timeline, e *entry) []string {
	if e.note != "" {
		return p.note(e)
	}
	m := e.message
	head, indent := p.head(m)
	width := p.width - indent
	var body []string
	if quoted := p.quoted(t, m); quoted != "" {
		body = append(body, paint(faint, p.cut("↳ "+quoted, width)))
	}
	body = append(body, p.text(e, width)...)
	if e.fate == refused {
		for _, line := range p.wrap("✗ not sent: "+e.reason, width) {
			body = append(body, paint(wrong, line))
		}
	}
	for _, a := range m.Attachments {
		body = append(body, p.cut("▪ "+cleanLine(a.Name), width))
	}
	if line := p.reactions(m); line != "" {
		body = append(body, p.wrap(line, width)...)
	}
	lines := make([]string, 0, len(body))
	for i, line := range body {
		if i == 0 {
			lines = append(lines, head+line)
		} else {
			lines = append(lines, strings.Repeat(" ", indent)+line)
		}
	}
	return lines
}

// note is what the program itself says.
func (p painter) note(e *entry) []string {
	wrapped := p.wrap(e.note, p.width-8)
	lines := make([]string, 0, len(wrapped))
	for i, line := range wrapped {
		head := strings.Repeat(" ", 8)
		if i == 0 {
			head = " " + e.message.CreatedAt.Local().Format("15:04") + "  "
		}
		lines = append(lines, paint(faint, head+line))
	}
	return lines
}

// head is what stands before a message's text, and how wide it is. In columns it has its width, else the
// text follows the name.
func (p painter) head(m client.Message) (head string, indent int) {
	name, at := p.b.people.name(m.Sender.ID), m.CreatedAt.Local().Format("15:04")
	look := nameLook(m.Sender.ID, p.b.me)
	called := p.b.mentioned(m)
	mark := " "
	if called {
		mark = paint(calling, "▌")
	}
	if p.width >= columns {
		return mark + paint(faint, at) + "  " + paint(look, p.fitRight(name, nameColumn)) + "  ", nameColumn + 10
	}
	name = p.cut(name, p.width/3)
	head = mark + paint(faint, at) + " " + paint(look, name) + ": "
	return head, min(9+p.ruler.width(name), p.width*2/3)
}

// text is what was said.
func (p painter) text(e *entry, width int) []string {
	m := e.message
	look, tail := ansi.NewStyle(), ""
	switch {
	case m.DeletedAt != nil:
		return []string{paint(faint, p.cut("(deleted)", width))}
	case e.fate == sending:
		look, tail = faint, "sending …"
	case e.fate == refused:
		look = faint
	case p.b.mentioned(m):
		look = calling
	}
	if m.EditedAt != nil {
		tail = "(edited)"
	}
	if value(m.Pinned) {
		tail = strings.TrimSpace(tail + " (pinned)")
	}
	text := clean(m.Text)
	if value(m.Announcement) {
		text, look = "Announcement: "+text, bold
	}
	lines := p.wrap(text, width)
	if len(look) > 0 {
		for i, line := range lines {
			lines[i] = paint(look, line)
		}
	}
	if tail == "" {
		return lines
	}
	if last := len(lines) - 1; p.ruler.width(lines[last])+1+p.ruler.width(tail) <= width {
		lines[last] += " " + paint(faint, tail)
		return lines
	}
	return append(lines, paint(faint, p.cut(tail, width)))
}

// quoted is the message that this one answers, on one line.
func (p painter) quoted(t *timeline, m client.Message) string {
	if m.ReplyTo == nil || m.DeletedAt != nil {
		return ""
	}
	e := t.find(*m.ReplyTo)
	switch {
	case e == nil:
		return "an earlier message"
	case e.message.DeletedAt != nil:
		return p.b.people.name(e.message.Sender.ID) + ": (deleted)"
	}
	return p.b.people.name(e.message.Sender.ID) + ": " + cleanLine(e.message.Text)
}

// reactions are the emojis, with one's own in brackets.
func (p painter) reactions(m client.Message) string {
	all := make([]string, 0, len(m.Reactions))
	for _, r := range m.Reactions {
		one := fmt.Sprintf("%s %d", cleanLine(r.Emoji), r.Count)
		if value(r.Me) {
			one = "[" + one + "]"
		}
		all = append(all, one)
	}
	return strings.Join(all, "  ")
}
