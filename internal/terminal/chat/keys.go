package chat

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// press acts on a key.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	pressed := key.String()
	if pressed == "ctrl+c" {
		return m.quit()
	}
	if m.noticed && pressed != "ctrl+c" {
		m.notice = ""
	}
	m.noticed = true
	if m.dialog != nil {
		return m.dialog.press(m, key)
	}
	if m.board == nil {
		return nil
	}
	if cmd, done := m.steer(pressed); done {
		return cmd
	}
	if m.input.press(pressed) {
		return m.tellTyping()
	}
	if key.Text != "" {
		m.input.insert(key.Text)
		return m.tellTyping()
	}
	return nil
}

// steer acts on the keys that are not about the line at the bottom.
func (m *model) steer(pressed string) (cmd tea.Cmd, done bool) {
	switch pressed {
	case "enter":
		return m.enterLine(), true
	case "esc":
		m.dialog = m.chatMenu()
	case "tab":
		return m.tabbed(), true
	case "ctrl+n":
		return m.step(1), true
	case "ctrl+p":
		return m.step(-1), true
	case "alt+a":
		return m.nextUnread(), true
	case "pgup":
		return m.scrollBy(-max(1, m.pane().height-1)), true
	case "pgdown":
		return m.scrollBy(max(1, m.pane().height-1)), true
	case "ctrl+up":
		return m.scrollBy(-1), true
	case "ctrl+down":
		return m.scrollBy(1), true
	case "ctrl+end":
		if m.board.here != nil {
			m.board.here.line.anchor = nil
		}
	case "ctrl+l":
		return tea.ClearScreen, true
	default:
		digit, isAlt := strings.CutPrefix(pressed, "alt+")
		if !isAlt || len(digit) != 1 || digit < "1" || digit > "9" {
			return nil, false
		}
		if i := int(digit[0] - '1'); i < len(m.board.rooms) {
			return m.open(m.board.rooms[i]), true
		}
	}
	return nil, true
}

func (m *model) paste(text string) tea.Cmd {
	if m.dialog != nil {
		m.dialog.paste(text)
		return nil
	}
	if m.board == nil {
		return nil
	}
	m.input.insert(strings.TrimRight(text, "\r\n"))
	return m.tellTyping()
}

// tabbed completes, and asks for the channels to join when that may be what is meant.
func (m *model) tabbed() tea.Cmd {
	if strings.HasPrefix(m.input.before(), "/join") && m.board.public == nil {
		return m.loadPublic()
	}
	if several := m.complete(); len(several) > 0 {
		m.say(strings.Join(several, " · "))
	}
	return nil
}

// scrollBy moves through the room's history, and asks for more of it near its top.
func (m *model) scrollBy(lines int) tea.Cmd {
	r := m.board.here
	if r == nil {
		return nil
	}
	pane := m.pane()
	nearTop := m.painter(pane.width).scroll(&r.line, lines, pane.height)
	if lines < 0 && nearTop && r.line.loaded && r.line.hasBefore {
		return m.loadHistory(r, r.line.oldest())
	}
	return nil
}

// chatMenu is the menu of the oldest client.
func (m *model) chatMenu() *menu {
	back := func(m *model) tea.Cmd {
		m.dialog = nil
		return nil
	}
	return &menu{title: "Menu", close: back, items: []item{
		{"1", "Public chat", func(m *model) tea.Cmd {
			m.dialog = nil
			if lobby := m.board.room(lobbyID); lobby != nil {
				return m.open(lobby)
			}
			return nil
		}},
		{"2", "Private chat", (*model).askPrivate},
		{"3", "Rename", (*model).askRename},
		{"4", "Log out", (*model).logout},
		{"0", "Exit", (*model).quit},
		{"esc", "Back", back},
	}}
}

func (m *model) backToMenu() tea.Cmd {
	m.dialog = m.chatMenu()
	return nil
}

func (m *model) askPrivate() tea.Cmd {
	f := newForm("Private chat", "With")
	f.close = (*model).backToMenu
	f.names = func(prefix string) []string { return beginning(m.board.names(""), strings.TrimPrefix(prefix, "@")) }
	f.submit = func(m *model, v []string) tea.Cmd {
		if v[0] == "" {
			return nil
		}
		m.dialog = nil
		return m.openDirect(v[0], "")
	}
	m.dialog = f
	return nil
}

func (m *model) askRename() tea.Cmd {
	f := newForm("Rename", "New name")
	f.close = (*model).backToMenu
	f.submit = func(m *model, v []string) tea.Cmd {
		return m.rename(v[0], func(problem string) { f.problem = problem })
	}
	m.dialog = f
	return nil
}
