package chat

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// Sizes of the screen's parts.
const (
	sideFrom = 64 // the least width with a list of rooms
	sideMost = 28
	hintFrom = 70 // the least width with hints
	tallFrom = 9  // the least height with a line below the title
)

// pane is the part of the screen that shows the room's messages.
type pane struct{ width, height int }

// side is how wide the list of rooms is, with the line beside it; 0 where there is no room for one.
func (m *model) side() int {
	if m.width < sideFrom {
		return 0
	}
	return min(sideMost, m.width/4+2)
}

func (m *model) inputHeight() int {
	lines, _, _ := m.input.lines(m.ruler, m.inputWidth(), 1<<20)
	return min(len(lines), max(1, min(6, m.height/4)))
}

func (m *model) inputWidth() int { return max(2, m.width-m.side()-2) }

func (m *model) pane() pane {
	around := 2 // the title, the line above the input
	if m.height >= tallFrom {
		around++
	}
	return pane{m.width - m.side(), max(1, m.height-around-m.inputHeight())}
}

func (m *model) painter(width int) painter { return painter{m.ruler, m.board, width} }

// View implements tea.Model.
func (m *model) View() tea.View {
	draw := m.chatScreen
	if m.board == nil {
		draw = m.startScreen
	}
	lines, x, y := draw()
	for i, line := range lines {
		lines[i] = m.cut(line, m.width)
	}
	v := tea.NewView(strings.Join(lines[:min(len(lines), m.height)], "\n"))
	v.AltScreen, v.ReportFocus = true, true
	v.WindowTitle = m.title()
	if y >= 0 && y < m.height {
		v.Cursor = tea.NewCursor(min(x, m.width-1), y)
	}
	return v
}

// title is the window's: how much calls for attention is seen there too.
func (m *model) title() string {
	if m.board == nil {
		return "Parley"
	}
	title := "Parley"
	if m.board.here != nil {
		title = m.board.title(m.board.here) + " – Parley"
	}
	if unread, calls := m.board.unread(); calls > 0 {
		return fmt.Sprintf("(%d) %s", calls, title)
	} else if unread > 0 {
		return "(•) " + title
	}
	return title
}

// startScreen is a dialog in the middle.
func (m *model) startScreen() (lines []string, x, y int) {
	return m.placed(m.width, m.height)
}

// placed puts the dialog into the middle of a place.
func (m *model) placed(width, height int) (lines []string, x, y int) {
	inner := min(44, width-2)
	content, x, y := m.dialog.lines(m.ruler, inner)
	left := max(0, (width-inner)/2)
	top := max(0, (height-len(content))/3)
	for range top {
		lines = append(lines, "")
	}
	for _, line := range content {
		lines = append(lines, strings.Repeat(" ", left)+line)
	}
	if y >= 0 {
		y += top
	}
	return lines, x + left, y
}

// chatScreen is the rooms on the left, the room that one looks at on the right.
func (m *model) chatScreen() (lines []string, x, y int) {
	side, p := m.side(), m.pane()
	main := []string{m.roomTitle(p.width)}
	if m.height >= tallFrom {
		main = append(main, paint(faint, strings.Repeat("─", p.width)))
	}
	top, y := len(main), -1
	var body []string
	switch {
	case m.dialog != nil:
		body, x, y = m.placed(p.width, p.height)
		y = offset(y, top)
	case m.board.here == nil:
		body = []string{"", m.centred(paint(faint, "loading …"), p.width)}
	default:
		body = m.messages(p)
	}
	for len(body) < p.height {
		body = append(body, "")
	}
	main = append(main, body[:p.height]...)
	rule := len(main)
	main = append(main, m.ruleLine(p.width))
	typed, cx, cy := m.input.lines(m.ruler, m.inputWidth(), m.inputHeight())
	if m.dialog == nil {
		x, y = cx+2, len(main)+cy
	}
	for i, line := range typed {
		mark := "  "
		if i == 0 {
			mark = "› "
		}
		main = append(main, mark+line)
	}
	if side == 0 {
		return main, x, y
	}
	left := m.rooms(side-1, len(main))
	for i, line := range main {
		bar := "│"
		switch {
		case i == rule:
			bar = "├"
		case i == 1 && top == 2:
			bar = "┼"
		}
		main[i] = left[i] + paint(faint, bar) + line
	}
	return main, x + side, y
}

func offset(y, by int) int {
	if y < 0 {
		return y
	}
	return y + by
}

// messages are those in sight, down to the input, with a word where there are none.
func (m *model) messages(p pane) []string {
	r := m.board.here
	lines := m.painter(p.width).window(&r.line, p.height)
	switch {
	case len(lines) == 0 && !r.line.loaded:
		lines = []string{m.centred(paint(faint, "loading …"), p.width)}
	case len(lines) == 0:
		lines = []string{m.centred(paint(faint, "nothing has been said here yet"), p.width)}
	}
	return append(make([]string, max(0, p.height-len(lines))), lines...)
}

// roomTitle is the line on top: what room it is, what it is about, who is there.
func (m *model) roomTitle(width int) string {
	r := m.board.here
	if r == nil {
		return m.between(paint(bold, " "+m.board.people.name(m.board.me)), "", width)
	}
	left := paint(bold, " "+m.board.title(r))
	if r.archived {
		left += paint(faint, " (archived)")
	}
	if r.topic != "" {
		left += paint(faint, "  "+cleanLine(r.topic))
	}
	right := ""
	switch r.kind {
	case client.RoomKindDirect:
		right = string(m.board.people.status(r.peer))
	case client.RoomKindChannel:
		if r.present != nil {
			right = fmt.Sprintf("%d online", m.board.here.online(m.board.people))
		}
	}
	return m.between(left, paint(faint, right+" "), width)
}

// online counts who of the room is.
func (r *room) online(p people) (n int) {
	for id := range r.present {
		if p.status(id) != client.UserStatusOffline {
			n++
		}
	}
	return n
}

// ruleLine is the line above the input: how the connection is, a notice, who is writing, what is unread elsewhere.
func (m *model) ruleLine(width int) string {
	var text string
	look := faint
	switch {
	case m.notice != "":
		text, look = m.notice, warning
	case !m.online:
		text, look = m.connectionText(), warning
	case m.board.here != nil && !m.board.here.line.atEnd():
		text = "older messages – Ctrl-End goes to the newest"
		if m.board.here.line.loading {
			text = "loading older messages …"
		}
	default:
		text = m.writers()
	}
	right := ""
	if unread, _ := m.board.unread(); m.side() == 0 && unread > 0 {
		right = fmt.Sprintf("%d unread", unread)
	} else if text == "" && width >= hintFrom {
		right = "Esc menu · /help"
	}
	if text != "" {
		text = " " + m.cut(text, max(0, width-m.ruler.width(right)-8)) + " "
	}
	if right != "" {
		right = " " + right + " "
	}
	fill := max(0, width-4-m.ruler.width(text)-m.ruler.width(right))
	return paint(faint, "──") + paint(look, text) + paint(faint, strings.Repeat("─", fill)+right+"──")
}

// connectionText says how it is with the connection while there is none.
func (m *model) connectionText() string {
	wait := time.Until(m.broken.until)
	switch {
	case m.broken.err == nil:
		return "connecting …"
	case wait <= 0:
		return "offline, connecting … (" + why(m.broken.err) + ")"
	}
	return fmt.Sprintf("offline, trying again in %d s (%s)", int(wait.Seconds())+1, why(m.broken.err))
}

// writers are those who are typing in the room.
func (m *model) writers() string {
	if m.board.here == nil {
		return ""
	}
	ids := m.board.here.typing.now(m.board.now())
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, m.board.people.name(id))
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " is typing …"
	case 2, 3:
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are typing …"
	}
	return "several people are typing …"
}

// rooms is the list on the left.
func (m *model) rooms(width, height int) []string {
	lines := []string{m.between(paint(bold, " "+m.board.people.name(m.board.me)), m.light()+" ", width)}
	if m.height >= tallFrom {
		lines = append(lines, paint(faint, strings.Repeat("─", width)))
	}
	n := max(1, height-len(lines))
	from := min(max(0, slices.Index(m.board.rooms, m.board.here)-n/2), max(0, len(m.board.rooms)-n))
	for i := from; i < min(len(m.board.rooms), from+n); i++ {
		lines = append(lines, m.roomLine(i, width))
	}
	for len(lines) < height {
		lines = append(lines, strings.Repeat(" ", width))
	}
	return lines[:height]
}

// light is the connection in a word.
func (m *model) light() string {
	switch {
	case m.online:
		return paint(well, "online")
	case m.broken.err == nil:
		return paint(warning, "connecting")
	}
	return paint(wrong, "offline")
}

// roomLine is one room of the list: its number, whether the other one is there, its name, what is unread.
func (m *model) roomLine(i, width int) string {
	r := m.board.rooms[i]
	number := " "
	if i < 9 {
		number = fmt.Sprint(i + 1)
	}
	left := fmt.Sprintf(" %s %s%s", number, m.dot(r), m.board.title(r))
	right := ""
	if r.mentions > 0 {
		right = fmt.Sprintf("@%d ", r.mentions)
	}
	if r.unread > 0 {
		right += fmt.Sprintf("%d ", r.unread)
	}
	line := m.between(left, right, width)
	switch {
	case r == m.board.here:
		return paint(chosen, line)
	case r.mentions > 0 || r.unread > 0 && r.kind == client.RoomKindDirect:
		return paint(calling, line)
	case r.unread > 0:
		return paint(bold, line)
	}
	return line
}

// dot says whether the other one of a conversation is there.
func (m *model) dot(r *room) string {
	if r.kind != client.RoomKindDirect {
		return ""
	}
	switch m.board.people.status(r.peer) {
	case client.UserStatusOnline:
		return "● "
	case client.UserStatusAway:
		return "◐ "
	}
	return "○ "
}
