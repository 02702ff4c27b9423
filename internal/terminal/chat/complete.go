package chat

import (
	"slices"
	"strings"

	"golang.org/x/text/cases"

	"parley/client"
)

// completion is what Tab goes through: the word that was typed, and what it may be.
type completion struct {
	from    int    // where the word begins, in bytes
	after   string // the line up to the cursor as Tab left it: another key ends the tour
	choices []string
	next    int
}

// complete puts the next choice in, and says which there are when there are several.
func (m *model) complete() (several []string) {
	before := m.input.before()
	if len(m.tab.choices) == 0 || m.tab.after != before {
		from, choices := m.board.choices(before)
		m.tab = completion{from: from, choices: choices}
	}
	if len(m.tab.choices) == 0 {
		return nil
	}
	m.input.replace(m.tab.from, m.tab.choices[m.tab.next]+" ")
	m.tab.next = (m.tab.next + 1) % len(m.tab.choices)
	m.tab.after = m.input.before()
	if len(m.tab.choices) > 1 {
		return m.tab.choices
	}
	return nil
}

// choices says what the word before the cursor may be: a command, a room where one is asked for, else a person.
func (b *board) choices(before string) (from int, choices []string) {
	from = strings.LastIndexAny(before, " \n") + 1
	word := before[from:]
	name, _, _ := strings.Cut(before, " ")
	second := strings.Count(strings.TrimLeft(before, " "), " ") == 1
	switch {
	case from == 0 && strings.HasPrefix(word, "/"):
		for _, c := range commands {
			choices = append(choices, "/"+c.name)
		}
	case second && (name == "/join" || name == "/room"):
		choices = b.roomNames(name == "/join", strings.HasPrefix(word, "#"))
	case second && name == "/msg" && !strings.HasPrefix(word, "@"):
		choices = b.names("")
	case word == "":
		return from, nil
	default:
		choices = b.names("@")
		if !strings.HasPrefix(word, "@") {
			word = "@" + word
		}
	}
	return from, beginning(choices, word)
}

// beginning keeps what begins with a word, whatever the case.
func beginning(all []string, word string) []string {
	fold := cases.Fold()
	return slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(fold.String(s), fold.String(word)) })
}

// roomNames are the names of rooms: of those that one may join, or of those that one is in.
func (b *board) roomNames(join, sharp bool) (names []string) {
	if join {
		for _, name := range b.public {
			names = append(names, "#"+cleanLine(name))
		}
	}
	for _, r := range b.rooms {
		if !join || r.kind == client.RoomKindChannel {
			names = append(names, b.title(r))
		}
	}
	if !sharp {
		for i, name := range names {
			names[i] = strings.TrimPrefix(name, "#")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// names are those of people, the ones who last spoke in the room first, then those there, then all others.
func (b *board) names(mark string) (names []string) {
	seen := map[int64]bool{b.me: true}
	add := func(id int64) {
		if known := b.people[id]; known != nil && !seen[id] {
			seen[id] = true
			names = append(names, mark+cleanLine(known.name))
		}
	}
	if b.here != nil {
		for _, e := range slices.Backward(b.here.line.entries) {
			if e.note == "" {
				add(e.message.Sender.ID)
			}
		}
		add(b.here.peer)
		for _, id := range b.byName(func(id int64) bool { return b.here.present[id] }) {
			add(id)
		}
	}
	for _, id := range b.byName(func(int64) bool { return true }) {
		add(id)
	}
	return names
}

// byName gives the people of whom is says so, by name.
func (b *board) byName(is func(id int64) bool) (ids []int64) {
	for id := range b.people {
		if is(id) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y int64) int {
		return strings.Compare(strings.ToLower(b.people[x].name), strings.ToLower(b.people[y].name))
	})
	return ids
}
