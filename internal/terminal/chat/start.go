package chat

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parley/client"
	"parley/internal/terminal/session"
)

// enteredMsg is the end of an attempt to come in.
type enteredMsg struct {
	attempt int
	client  *client.Client
	session client.Session
	err     error
}

// begin goes straight in where it is known as whom, else to the start menu.
func (m *model) begin() tea.Cmd {
	saved, err := m.opts.Store.Load(m.opts.Server)
	switch {
	case err == nil && (m.opts.Login == "" || strings.EqualFold(saved.Name, m.opts.Login)):
		return m.comeIn(saved)
	case m.opts.Guest && errors.Is(err, session.ErrNone):
		first := m.start("")
		return tea.Batch(first, m.enter("coming in as a guest …", func(ctx context.Context, c *client.Client) (client.Session, error) {
			return c.Guest(ctx, "")
		}))
	case m.opts.Login != "":
		m.askLogin(m.opts.Login)
		if m.opts.Password == "" {
			return nil
		}
		f, _ := m.dialog.(*form)
		f.fields[1].input.set(m.opts.Password)
		return f.enter(m)
	case err != nil && !errors.Is(err, session.ErrNone):
		return m.start(err.Error())
	}
	return m.start("")
}

// start is the menu before the login.
func (m *model) start(problem string) tea.Cmd {
	m.asides++
	m.dialog = &menu{title: "Parley", under: m.opts.Server, problem: problem, items: []item{
		{"1", "Log in", func(m *model) tea.Cmd { return m.askLogin("") }},
		{"2", "Register", (*model).askRegister},
		{"3", "Come as a guest", (*model).askGuest},
		{"0", "Exit", func(*model) tea.Cmd { return tea.Quit }},
	}}
	return nil
}

func (m *model) restart() tea.Cmd { return m.start("") }

func (m *model) askLogin(name string) tea.Cmd {
	f := newForm("Log in", "Name", "Password")
	if f.fields[0].input.set(name); name != "" {
		f.at = 1
	}
	f.submit = func(m *model, v []string) tea.Cmd {
		return m.enter("logging in …", func(ctx context.Context, c *client.Client) (client.Session, error) {
			return c.Login(ctx, v[0], v[1])
		})
	}
	return m.show(f)
}

func (m *model) askRegister() tea.Cmd {
	f := newForm("Register", "Name", "Password", "Password again")
	f.submit = func(m *model, v []string) tea.Cmd {
		if v[1] != v[2] {
			f.at, f.problem = 1, "The two passwords are not the same"
			f.fields[1].input.set("")
			f.fields[2].input.set("")
			return nil
		}
		return m.enter("registering …", func(ctx context.Context, c *client.Client) (client.Session, error) {
			return c.Register(ctx, v[0], v[1])
		})
	}
	return m.show(f)
}

func (m *model) askGuest() tea.Cmd {
	f := newForm("Come as a guest", "Name (or none)")
	f.submit = func(m *model, v []string) tea.Cmd {
		return m.enter("coming in …", func(ctx context.Context, c *client.Client) (client.Session, error) {
			return c.Guest(ctx, v[0])
		})
	}
	return m.show(f)
}

func (m *model) show(f *form) tea.Cmd {
	f.close = (*model).restart
	m.dialog = f
	return nil
}

// enter tries to get a session, which the dialog says meanwhile.
func (m *model) enter(busy string, call func(ctx context.Context, c *client.Client) (client.Session, error)) tea.Cmd {
	m.asides++
	attempt, ctx, server := m.asides, m.ctx, m.opts.Server
	switch d := m.dialog.(type) {
	case *form:
		d.busy = busy
	case *menu:
		d.problem = busy
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		c, err := client.New(server)
		if err != nil {
			return enteredMsg{attempt: attempt, err: err}
		}
		s, err := call(ctx, c)
		return enteredMsg{attempt, c, s, err}
	}
}

// entered takes the answer.
func (m *model) entered(msg enteredMsg) tea.Cmd {
	if msg.attempt != m.asides || m.conn != nil {
		return nil
	}
	if msg.err != nil {
		switch d := m.dialog.(type) {
		case *form:
			d.busy, d.problem = "", why(msg.err)
		case *menu:
			d.problem = why(msg.err)
		}
		return nil
	}
	saved := session.Saved{Server: m.opts.Server, Token: msg.session.Token, Name: msg.session.User.Name, UserID: msg.session.User.ID}
	m.save(saved)
	return m.openAs(msg.client, saved)
}

// comeIn goes on with a session that is kept.
func (m *model) comeIn(saved session.Saved) tea.Cmd {
	c, err := client.New(m.opts.Server, client.WithToken(saved.Token))
	if err != nil {
		return m.start(why(err))
	}
	return m.openAs(c, saved)
}

func (m *model) openAs(c *client.Client, who session.Saved) tea.Cmd {
	m.dialog = nil
	m.board = newBoard(who.UserID, who.Name, m.opts.now())
	m.conn = connect(m.ctx, c)
	return m.conn.next
}
