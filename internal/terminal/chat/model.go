package chat

import (
	"context"
	"errors"
	"net/http"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parley/client"
	"parley/internal/terminal/session"
)

// model is what Bubble Tea runs.
type model struct {
	opts Options
	ctx  context.Context //nolint:containedctx // that of Run, for connections to come
	ruler
	width, height int

	dialog dialog // a menu or a form that takes the keys; always one before the login
	asides int    // counts the attempts to log in: one that was given up is dropped

	conn   *connection // nil before the login
	board  *board
	online bool       // the stream is open
	broken trouble    // why it is not, after the first time
	parted string     // why the session ended, as its last event says
	input  input      // the line at the bottom
	tab    completion // what Tab goes through

	listing, again bool // the list of rooms is asked for; and is to be once more
	notice         string
	noticed        bool // the notice was there for a key already
	unfocused      bool // another window has the keyboard
	typed          time.Time
	ticking        bool
}

type tickMsg struct{}

func newModel(ctx context.Context, o Options) *model {
	return &model{opts: o, ctx: ctx, ruler: ruler{ansi.WcWidth}, width: 80, height: 24}
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return m.begin() }

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.ModeReportMsg:
		m.measureAs(msg)
	case tea.FocusMsg:
		m.unfocused = false
	case tea.BlurMsg:
		m.unfocused = true
	case tea.KeyPressMsg:
		cmd = m.press(msg)
	case tea.PasteMsg:
		cmd = m.paste(msg.Content)
	case tickMsg:
		m.ticking = false
	case streamMsg:
		cmd = m.stream(msg)
	case answerMsg:
		if msg.of == m.conn && msg.do != nil {
			cmd = msg.do(m)
		}
	case enteredMsg:
		cmd = m.entered(msg)
	}
	return m, tea.Batch(cmd, m.markRead(), m.tick())
}

// measureAs takes how the terminal measures: in the mode 2027 an emoji of several parts is one.
func (m *model) measureAs(msg tea.ModeReportMsg) {
	if msg.Mode != ansi.ModeUnicodeCore || msg.Value != ansi.ModeReset && msg.Value != ansi.ModeSet && msg.Value != ansi.ModePermanentlySet {
		return
	}
	m.method = ansi.GraphemeWidth
	if m.board != nil {
		for _, r := range m.board.rooms {
			r.line.redraw()
		}
	}
}

// tick wakes the screen up each second while something on it changes by the clock.
func (m *model) tick() tea.Cmd {
	moving := m.conn != nil && (!m.online || m.board.here != nil && len(m.board.here.typing.now(time.Now())) > 0)
	if m.ticking || !moving {
		return nil
	}
	m.ticking = true
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{} })
}

// stream takes what the connection brought.
func (m *model) stream(msg streamMsg) tea.Cmd {
	if msg.of != m.conn {
		return nil
	}
	var all []tea.Cmd
	for _, what := range msg.all {
		switch what := what.(type) {
		case client.Event:
			all = append(all, m.event(what))
		case trouble:
			m.online, m.broken = false, what
		case ended:
			return tea.Batch(append(all, m.sessionEnded(what.err))...)
		}
	}
	return tea.Batch(append(all, m.conn.next)...)
}

// event takes one event.
func (m *model) event(e client.Event) tea.Cmd {
	switch e.Type {
	case client.EventTypeReady:
		return m.ready(e)
	case client.EventTypeSessionEnded:
		if data, err := client.DataOf[client.SessionEndedData](e); err == nil {
			m.parted = farewell(data)
		}
		return nil
	case client.EventTypeUserRenamed:
		defer m.rememberName()
	}
	here := m.board.here
	w := m.board.apply(e)
	var all []tea.Cmd
	if w.everything {
		m.say("some of what happened meanwhile was missed: everything is loaded anew")
		all = append(all, m.loadRooms(), m.loadWho())
	}
	if w.counts {
		all = append(all, m.loadRooms())
	}
	if w.who {
		all = append(all, m.loadPresent(m.board.here))
	}
	if w.room != 0 {
		all = append(all, m.loadRooms())
	}
	if w.gone != "" {
		m.say(w.gone)
	}
	if here != m.board.here {
		all = append(all, m.opened())
	}
	if w.called && (m.unfocused || m.board.room(e.RoomID) != m.board.here) {
		all = append(all, tea.Raw("\a"))
	}
	return tea.Batch(all...)
}

// ready takes the beginning of a stream. What is not in the log is asked for at each.
func (m *model) ready(e client.Event) tea.Cmd {
	m.online, m.broken = true, trouble{}
	if data, err := client.DataOf[client.ReadyData](e); err == nil {
		m.board.people.met(m.board.me, data.User.Name)
		m.rememberName()
	}
	all := []tea.Cmd{m.loadWho()}
	if m.board.listed == 0 {
		all = append(all, m.loadRooms())
	}
	if here := m.board.here; here != nil {
		all = append(all, m.loadHistory(here, 0), m.loadPresent(here))
	}
	return tea.Batch(all...)
}

// sessionEnded goes back to the start menu.
func (m *model) sessionEnded(err error) tea.Cmd {
	said := m.parted
	over := errors.Is(err, client.ErrSessionEnded)
	if e, ok := errors.AsType[*client.Error](err); ok && e.Status == http.StatusUnauthorized {
		over, said = true, "The session is over: log in again"
	}
	if said == "" {
		said = why(err)
	}
	if unsent := m.unsent(); unsent > 0 {
		said += " (" + plural(unsent, "message was", "messages were") + " not sent)"
	}
	if over {
		m.forget()
	}
	m.disconnect()
	return m.start(said)
}

// disconnect ends the connection and forgets what came by it.
func (m *model) disconnect() {
	if m.conn != nil {
		m.conn.close()
	}
	m.conn, m.board, m.online, m.broken, m.parted = nil, nil, false, trouble{}, ""
	m.listing, m.again, m.notice = false, false, ""
	m.input.set("")
	m.tab = completion{}
}

// rememberName keeps the session under the name that one has now.
func (m *model) rememberName() {
	m.save(session.Saved{
		Server: m.opts.Server, Token: m.conn.Token(), Name: m.board.people[m.board.me].name, UserID: m.board.me,
	})
}

// save keeps a session. That it cannot be kept is no reason not to chat.
func (m *model) save(s session.Saved) {
	if saved, err := m.opts.Store.Load(s.Server); err == nil && saved == s {
		return
	}
	if err := m.opts.Store.Save(s); err != nil {
		m.say("the session cannot be kept: " + err.Error())
	}
}

func (m *model) forget() {
	if err := m.opts.Store.Forget(m.opts.Server); err != nil {
		m.say("the session is still kept: " + err.Error())
	}
}

// say shows something above the input until a key after the next one is pressed.
func (m *model) say(notice string) { m.notice, m.noticed = cleanLine(notice), false }

// unsent counts what the server does not have yet.
func (m *model) unsent() (n int) {
	if m.board != nil {
		for _, r := range m.board.rooms {
			n += len(r.queue)
		}
	}
	return n
}
