package chat

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// dialog takes the keys while it is open.
type dialog interface {
	press(m *model, key tea.KeyPressMsg) tea.Cmd
	paste(text string)
	// lines is how it looks, and where the cursor is; y is -1 where there is none.
	lines(r ruler, width int) (lines []string, x, y int)
}

// menu is a choice by number, or by arrows and Enter.
type menu struct {
	title, under string
	problem      string // why one is here
	items        []item
	at           int
	close        func(m *model) tea.Cmd // what Esc does; nil: nothing
}

type item struct {
	key, label string
	do         func(m *model) tea.Cmd
}

func (d *menu) paste(string) {}

func (d *menu) press(m *model, key tea.KeyPressMsg) tea.Cmd {
	switch pressed := key.String(); pressed {
	case "up", "ctrl+p", "shift+tab":
		d.at = (d.at + len(d.items) - 1) % len(d.items)
	case "down", "ctrl+n", "tab":
		d.at = (d.at + 1) % len(d.items)
	case "enter":
		return d.items[d.at].do(m)
	case "esc":
		if d.close != nil {
			return d.close(m)
		}
	default:
		for i, item := range d.items {
			if item.key == pressed {
				d.at = i
				return item.do(m)
			}
		}
	}
	return nil
}

func (d *menu) lines(r ruler, width int) ([]string, int, int) {
	lines := []string{paint(bold, r.cut(d.title, width))}
	if d.under != "" {
		lines = append(lines, paint(faint, r.cut(d.under, width)))
	}
	lines = append(lines, "")
	lines = append(lines, problem(r, d.problem, width)...)
	for i, item := range d.items {
		line := r.fit("  "+item.key+"  "+item.label, min(width, 26))
		if i == d.at {
			line = paint(chosen, line)
		}
		lines = append(lines, line)
	}
	return lines, 0, -1
}

func problem(r ruler, text string, width int) (lines []string) {
	if text == "" {
		return nil
	}
	for _, line := range r.wrap(text, width) {
		lines = append(lines, paint(warning, line))
	}
	return append(lines, "")
}

// form asks for a few lines.
type form struct {
	title   string
	fields  []*field
	at      int
	busy    string // what is being done; empty: nothing
	problem string
	submit  func(m *model, values []string) tea.Cmd
	close   func(m *model) tea.Cmd
	names   func(prefix string) []string // for Tab in the first field; nil: Tab goes to the next one
}

type field struct {
	label string
	input input
}

func newForm(title string, labels ...string) *form {
	f := &form{title: title}
	for _, label := range labels {
		f.fields = append(f.fields, &field{label: label, input: input{secret: strings.HasPrefix(label, "Password")}})
	}
	return f
}

func (f *form) paste(text string) { f.fields[f.at].input.insert(cleanLine(text)) }

func (f *form) press(m *model, key tea.KeyPressMsg) tea.Cmd {
	in := &f.fields[f.at].input
	switch pressed := key.String(); pressed {
	case "esc":
		return f.close(m)
	case "enter":
		if f.at < len(f.fields)-1 {
			f.at++
			return nil
		}
		return f.enter(m)
	case "tab":
		if f.names != nil {
			if found := f.names(in.before()); len(found) > 0 {
				in.set(found[0])
			}
			return nil
		}
		f.at = (f.at + 1) % len(f.fields)
	case "down":
		f.at = min(f.at+1, len(f.fields)-1)
	case "shift+tab", "up":
		f.at = max(f.at-1, 0)
	case "alt+enter", "ctrl+j", "shift+enter":
	default:
		if !in.press(pressed) && key.Text != "" {
			in.insert(key.Text)
		}
	}
	return nil
}

func (f *form) enter(m *model) tea.Cmd {
	if f.busy != "" {
		return nil
	}
	values := make([]string, 0, len(f.fields))
	for _, field := range f.fields {
		text := field.input.text()
		if !field.input.secret {
			text = strings.TrimSpace(text)
		}
		values = append(values, text)
	}
	f.problem = ""
	return f.submit(m, values)
}

func (f *form) lines(r ruler, width int) (lines []string, x, y int) {
	lines = append(lines, paint(bold, r.cut(f.title, width)), "")
	lines = append(lines, problem(r, f.problem, width)...)
	label := 0
	for _, field := range f.fields {
		label = max(label, r.width(field.label))
	}
	label = min(label, width/2)
	for i, field := range f.fields {
		text, cursor, _ := field.input.lines(r, width-label-4, 1)
		mark := "  "
		if i == f.at {
			mark, x, y = "› ", label+4+cursor, len(lines)
		}
		lines = append(lines, mark+r.fit(field.label, label)+"  "+text[0])
	}
	lines = append(lines, "")
	if f.busy != "" {
		return append(lines, paint(faint, r.cut(f.busy, width))), x, -1
	}
	return append(lines, paint(faint, r.cut("Enter goes on, Esc goes back", width))), x, y
}
