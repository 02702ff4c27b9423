package chat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"parley/client"
	"parley/internal/terminal/session"
)

// lastWait is how long, behind the last line, the events are waited for that bring what was said by it.
const lastWait = 10 * time.Second

// plain is the chat by lines: a message or a command comes in, what was said goes out.
type plain struct {
	opts   Options
	client *client.Client
	saved  session.Saved

	mu    sync.Mutex // for all below, which the reader of events and that of lines share
	board *board
	room  string // where lines go, as the server takes it
	fault error  // of writing

	ended   chan struct{} // closed behind the last event
	why     error         // why it ended; to be read after ended
	moved   chan struct{} // has something when the position moved
	failed  int           // lines that were not done
	lastOwn int64         // the newest message that a line made
}

// plainly runs the chat where input or output is no terminal. It ends with the input.
func plainly(ctx context.Context, o Options) error {
	p := &plain{
		opts: o, room: "lobby", ended: make(chan struct{}), moved: make(chan struct{}, 1),
	}
	if err := p.enter(ctx); err != nil {
		return err
	}
	p.board = newBoard(p.saved.UserID, p.saved.Name, o.now())
	cursor, err := p.load(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	go p.follow(ctx, cursor)
	defer func() {
		cancel()
		<-p.ended
	}()
	if err := p.read(ctx); err != nil {
		return err
	}
	p.waitForOwn(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.fault != nil:
		return fmt.Errorf("write: %w", p.fault)
	case p.failed > 0:
		return errors.New(plural(p.failed, "line was", "lines were") + " not done")
	}
	return nil
}

// enter finds out as whom: as a guest, by name and password, or by the session that is kept.
func (p *plain) enter(ctx context.Context) error {
	c, err := client.New(p.opts.Server)
	if err != nil {
		return err
	}
	p.client = c
	saved, err := p.opts.Store.Load(p.opts.Server)
	switch {
	case err == nil && (p.opts.Login == "" || strings.EqualFold(saved.Name, p.opts.Login)):
		p.saved = saved
		c.SetToken(saved.Token)
		return nil
	case p.opts.Guest && errors.Is(err, session.ErrNone):
		return p.open(c.Guest(ctx, ""))
	case p.opts.Login != "" && p.opts.Password == "":
		return errors.New("--login needs the password in PARLEY_PASSWORD where there is no terminal to ask for it")
	case p.opts.Login != "":
		return p.open(c.Login(ctx, p.opts.Login, p.opts.Password))
	case errors.Is(err, session.ErrNone):
		return errors.New("nobody is logged in: use --guest, or --login NAME with PARLEY_PASSWORD, or run parley chat in a terminal first")
	}
	return err
}

func (p *plain) open(s client.Session, err error) error {
	if err != nil {
		return errors.New("come in: " + why(err))
	}
	p.saved = session.Saved{Server: p.opts.Server, Token: s.Token, Name: s.User.Name, UserID: s.User.ID}
	return p.opts.Store.Save(p.saved)
}

// follow takes the events behind a position until the end.
func (p *plain) follow(ctx context.Context, after int64) {
	defer close(p.ended)
	opts := client.EventsOptions{After: &after, OnRetry: func(err error, wait time.Duration) {
		p.note(fmt.Sprintf("offline, trying again in %.0f s (%s)", max(1, wait.Seconds()), why(err)))
	}}
	for e, err := range p.client.Events(ctx, opts) {
		if err != nil {
			if p.why == nil {
				p.why = err
			}
			return
		}
		switch e.Type {
		case client.EventTypeReady:
			p.ready(e)
		case client.EventTypeSessionEnded:
			if data, err := client.DataOf[client.SessionEndedData](e); err == nil {
				p.why = errors.New(farewell(data))
			}
		}
		p.take(e)
	}
}

// ready takes what one is called now.
func (p *plain) ready(e client.Event) {
	data, err := client.DataOf[client.ReadyData](e)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.board.people.met(data.User.ID, data.User.Name)
}

// take applies an event and prints what was said.
func (p *plain) take(e client.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.board.apply(e)
	p.board.at = max(p.board.at, e.Cursor)
	if w.everything {
		p.note("some of what happened meanwhile was missed")
	}
	if e.Type == client.EventTypeMessageCreated {
		if data, err := client.DataOf[client.MessageData](e); err == nil {
			p.print(data.Message)
		}
	}
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

// print writes a message as one line.
func (p *plain) print(m client.Message) {
	title := fmt.Sprintf("room %d", m.RoomID)
	if r := p.board.room(m.RoomID); r != nil {
		title = p.board.title(r)
	} else if known, ok := p.board.known[m.RoomID]; ok && known.Name != nil {
		title = "#" + cleanLine(*known.Name)
	}
	at := m.CreatedAt.Local().Format("15:04")
	p.write(fmt.Sprintf("%s %s %s: %s", at, title, p.board.people.name(m.Sender.ID), cleanLine(m.Text)))
}

func (p *plain) write(line string) {
	if _, err := fmt.Fprintln(p.opts.Out, line); err != nil && p.fault == nil {
		p.fault = err
	}
}

// note is for who looks on, not for the next program of the pipe.
func (p *plain) note(text string) { fmt.Fprintln(p.opts.Notes, "parley: "+text) }

// load gets the rooms, so that they have names, and the position to go on from.
func (p *plain) load(ctx context.Context) (cursor int64, err error) {
	rooms, cursor, err := p.client.Rooms(ctx)
	if err != nil {
		p.why = err
		return 0, p.end()
	}
	p.board.asked()
	p.board.take(rooms, cursor)
	return cursor, nil
}

// read acts on one line after the other.
func (p *plain) read(ctx context.Context) error {
	lines, failed := make(chan string), make(chan error, 1)
	go func() { // ends with the input, or with the process
		defer close(lines)
		in := bufio.NewReader(p.opts.In)
		for {
			line, err := in.ReadString('\n')
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					failed <- fmt.Errorf("read: %w", err)
				}
				return
			}
		}
	}()
	for {
		select {
		case line, more := <-lines:
			if !more {
				select {
				case err := <-failed:
					return err
				default:
					return nil
				}
			}
			if !p.line(ctx, line) {
				return nil
			}
		case <-p.ended:
			return p.end()
		case <-ctx.Done():
			return nil
		}
	}
}

// end is what is left to be said of a session that is over.
func (p *plain) end() error {
	if e, ok := errors.AsType[*client.Error](p.why); ok && e.Status == 401 {
		return errors.Join(errors.New("the session is over: log in again"), p.opts.Store.Forget(p.opts.Server))
	}
	if errors.Is(p.why, context.Canceled) {
		return nil
	}
	return errors.New(why(p.why))
}

// waitForOwn lets the output have what the input said.
func (p *plain) waitForOwn(ctx context.Context) {
	limit := time.NewTimer(lastWait)
	defer limit.Stop()
	for {
		p.mu.Lock()
		done := p.board.at >= p.lastOwn
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-p.moved:
		case <-p.ended:
			return
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// line acts on one line and says whether to go on.
func (p *plain) line(ctx context.Context, line string) (more bool) {
	name, rest, isCommand := parse(line)
	if isCommand {
		if name == "quit" {
			return false
		}
		if problem := check(name, rest); problem != "" {
			p.fail(problem)
			return true
		}
		p.run(ctx, name, rest)
		return name != "logout"
	}
	if strings.TrimSpace(rest) != "" {
		p.send(ctx, p.room, rest)
	}
	return true
}

func (p *plain) fail(problem string) {
	p.failed++
	p.note(problem)
}

// send delivers a message before the next line is read: lines keep their order, and a pipe is not read faster than it is stored.
func (p *plain) send(ctx context.Context, to, text string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // nothing is delivered by a session that is over
		select {
		case <-p.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	sent, err := p.client.Deliver(ctx, client.SendRequest{To: client.To(to), Text: text})
	if err != nil {
		p.fail("not sent: " + why(err))
		return
	}
	p.lastOwn = max(p.lastOwn, sent.ID)
}

// run does a command. What it answers goes out behind an asterisk.
func (p *plain) run(ctx context.Context, name, rest string) {
	var lines []string
	var err error
	switch name {
	case "msg":
		who, text, _ := strings.Cut(rest, " ")
		if text = strings.TrimSpace(text); text == "" {
			p.room = "@" + strings.TrimPrefix(who, "@")
			return
		}
		p.send(ctx, "@"+strings.TrimPrefix(who, "@"), text)
	case "join":
		var joined client.Room
		if joined, err = p.client.Join(ctx, strings.TrimPrefix(rest, "#")); err == nil {
			p.mu.Lock()
			p.room = p.board.ref(p.board.add(joined, p.board.at+1))
			p.mu.Unlock()
		}
	case "room":
		err = p.choose(rest)
	case "leave":
		if err = p.client.Leave(ctx, p.room); err == nil {
			p.room = "lobby"
		}
	case "rooms":
		lines, err = publicLines(ctx, p.client)
	case "who":
		var line string
		line, err = presentLine(ctx, p.client, p.room, p.title())
		lines = []string{line}
	case "rename":
		_, err = p.client.Rename(ctx, rest)
	case "logout":
		if err = p.client.Logout(ctx); err == nil {
			err = p.opts.Store.Forget(p.opts.Server)
		}
	default:
		lines = help()[:len(commands)]
	}
	if err != nil {
		p.fail("/" + name + ": " + why(err))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range lines {
		p.write("* " + line)
	}
}

// choose makes lines go to a room that one is in.
func (p *plain) choose(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.board.called(name)
	if r == nil {
		return errors.New("you are not in " + name)
	}
	p.room = p.board.ref(r)
	return nil
}

// title is where lines go, as people write it.
func (p *plain) title() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.board.called(p.room); r != nil {
		return p.board.title(r)
	}
	return p.room
}
