package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// command is a line that begins with a slash.
type command struct{ name, args, help string }

// commands are all of them, in the order of the help.
var commands = []command{
	{"msg", "NAME [TEXT]", "talk to somebody in private"},
	{"join", "ROOM", "come into a public channel"},
	{"leave", "", "leave this channel"},
	{"room", "ROOM", "look at a room that you are in"},
	{"rooms", "", "list the public channels"},
	{"who", "", "list who is online here"},
	{"rename", "NEW", "take another name"},
	{"help", "", "show this"},
	{"logout", "", "end the session"},
	{"quit", "", "leave the program; the session is kept"},
}

// keys are those that are not found by trying.
var keys = [][2]string{
	{"Esc", "menu"},
	{"Tab", "complete a name, a room or a command"},
	{"Ctrl-N, Ctrl-P, Alt-1 … Alt-9", "next room, the one before, the one of that number"},
	{"Alt-A", "next room with something unread"},
	{"PgUp, PgDn", "older and newer messages; Ctrl-End: the newest"},
	{"Alt-Enter", "a new line in the message"},
	{"Ctrl-C", "leave the program"},
}

// parse takes a line apart. Two slashes begin a text that begins with one.
func parse(line string) (name, rest string, isCommand bool) {
	trimmed := strings.TrimSpace(line)
	if !strings.HasPrefix(trimmed, "/") || strings.HasPrefix(trimmed, "//") {
		return "", strings.TrimPrefix(line, "/"), false
	}
	name, rest, _ = strings.Cut(trimmed[1:], " ")
	return strings.ToLower(name), strings.TrimSpace(rest), true
}

// check finds a command and says what is wrong with a line, if anything.
func check(name, rest string) (problem string) {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	switch {
	case i < 0:
		return fmt.Sprintf("there is no command /%s; /help lists them", cleanLine(name))
	case rest == "" && commands[i].args != "":
		return "/" + name + " " + commands[i].args
	}
	return ""
}

// enter acts on the line that was typed.
func (m *model) enterLine() tea.Cmd {
	line := m.input.take()
	m.tab = completion{}
	name, rest, isCommand := parse(line)
	if isCommand {
		if problem := check(name, rest); problem != "" {
			m.input.set(line)
			m.say(problem)
			return nil
		}
		return m.run(name, rest)
	}
	r := m.board.here
	if strings.TrimSpace(rest) == "" {
		return nil
	}
	if r == nil {
		m.input.set(line)
		m.say("the rooms are not loaded yet")
		return nil
	}
	return m.send(r, rest)
}

func (m *model) run(name, rest string) tea.Cmd {
	switch name {
	case "msg":
		who, text, _ := strings.Cut(rest, " ")
		return m.openDirect(who, strings.TrimSpace(text))
	case "join":
		return m.join(rest)
	case "leave":
		return m.leave()
	case "room":
		if r := m.board.called(rest); r != nil {
			return m.open(r)
		}
		m.say("you are not in " + cleanLine(rest) + "; /join comes into a channel, /msg talks to a person")
		return nil
	case "rooms":
		return m.listPublic()
	case "who":
		return m.listPresent()
	case "rename":
		return m.rename(rest, func(problem string) { m.say(problem) })
	case "logout":
		return m.logout()
	case "quit":
		return m.quit()
	}
	m.tell(help()...)
	return nil
}

// tell shows lines of the program's own among the messages.
func (m *model) tell(lines ...string) {
	if r := m.board.here; r != nil {
		r.line.tell(strings.Join(lines, "\n"), m.board.at, m.board.now())
		r.line.anchor = nil
	}
}

func help() []string {
	lines := make([]string, 0, len(commands)+len(keys))
	for _, c := range commands {
		lines = append(lines, strings.TrimRight("/"+c.name+" "+c.args, " ")+" – "+c.help)
	}
	for _, k := range keys {
		lines = append(lines, k[0]+" – "+k[1])
	}
	return lines
}

// join comes into a channel, or goes to it where one is in it.
func (m *model) join(name string) tea.Cmd {
	if r := m.board.called(name); r != nil {
		return m.open(r)
	}
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		joined, err := c.Join(ctx, strings.TrimPrefix(name, "#"))
		return func(m *model) tea.Cmd {
			if err != nil {
				m.say(cleanLine(name) + ": " + why(err))
				return nil
			}
			r := m.board.room(joined.ID)
			if r == nil {
				r = m.board.add(joined, m.board.at+1)
			}
			return tea.Batch(m.open(r), m.loadRooms())
		}
	})
}

func (m *model) leave() tea.Cmd {
	r := m.board.here
	switch {
	case r == nil:
		return nil
	case r.kind == client.RoomKindDirect && r.id == 0 && len(r.queue) == 0:
		m.board.remove(r)
		m.input.set("")
		return m.opened()
	case r.kind != client.RoomKindChannel:
		m.say("a conversation cannot be left")
		return nil
	}
	ref := m.board.ref(r)
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		err := c.Leave(ctx, ref)
		return func(m *model) tea.Cmd { // the room goes with the event
			if err != nil {
				m.say(why(err))
			}
			return nil
		}
	})
}

func (m *model) listPublic() tea.Cmd {
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		lines, err := publicLines(ctx, c)
		return func(m *model) tea.Cmd {
			if err != nil {
				m.say(why(err))
				return nil
			}
			m.tell(lines...)
			return nil
		}
	})
}

// publicLines are the public channels, a line for each.
func publicLines(ctx context.Context, c *client.Client) ([]string, error) {
	rooms, err := c.PublicRooms(ctx)
	if err != nil {
		return nil, err
	}
	lines := []string{plural(len(rooms), "public channel", "public channels")}
	for _, r := range rooms {
		line := fmt.Sprintf("#%s · %s", cleanLine(value(r.Name)), plural(r.MemberCount, "member", "members"))
		if r.Role != nil || r.ID == lobbyID {
			line += " · you are in it"
		}
		if r.Topic != "" {
			line += " · " + cleanLine(r.Topic)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (m *model) listPresent() tea.Cmd {
	r := m.board.here
	if r == nil {
		return nil
	}
	ref, title := m.board.ref(r), m.board.title(r)
	if r.id == 0 {
		m.say(title + " is " + string(m.board.people.status(r.peer)))
		return nil
	}
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		line, err := presentLine(ctx, c, ref, title)
		return func(m *model) tea.Cmd {
			if err != nil {
				m.say(why(err))
				return nil
			}
			m.tell(line)
			return nil
		}
	})
}

// presentLine names who of a room is online.
func presentLine(ctx context.Context, c *client.Client, ref, title string) (string, error) {
	users, err := c.Who(ctx, ref)
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(users))
	for _, u := range users {
		name := cleanLine(u.Name)
		if u.Status == client.UserStatusAway {
			name += " (away)"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprintf("online in %s: %s (%d)", title, strings.Join(names, ", "), len(names)), nil
}

// rename asks for another name. The event brings it; what is wrong with it is told to problem.
func (m *model) rename(name string, problem func(string)) tea.Cmd {
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		user, err := c.Rename(ctx, name)
		return func(m *model) tea.Cmd {
			if err != nil {
				problem(why(err))
				return nil
			}
			m.dialog = nil
			m.say("you are called " + cleanLine(user.Name) + " now")
			return nil
		}
	})
}

func (m *model) logout() tea.Cmd {
	if !m.mayGo() {
		return nil
	}
	return m.ask(func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd {
		err := c.Logout(ctx)
		return func(m *model) tea.Cmd {
			if err != nil && !refusedFor(err) {
				m.dialog = nil
				m.say("not logged out: " + why(err))
				return nil
			}
			m.forget()
			m.disconnect()
			return m.start("")
		}
	})
}

func (m *model) quit() tea.Cmd {
	if !m.mayGo() {
		return nil
	}
	return tea.Quit
}

// mayGo keeps one from going with messages unsent, the first time one wants to.
func (m *model) mayGo() bool {
	n := m.unsent()
	said := plural(n, "message is", "messages are") + " not sent yet; once more to go without"
	if n == 0 || m.notice == said {
		return true
	}
	m.dialog = nil
	m.say(said)
	return false
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
