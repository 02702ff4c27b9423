package chat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// patience is how long an answer is waited for.
const patience = 30 * time.Second

// connection is one session's stream and calls. What belongs to one that is over is dropped.
type connection struct {
	*client.Client
	ctx    context.Context //nolint:containedctx // its end is that of the connection, which outlives every call of Update
	cancel context.CancelFunc
	out    chan any
	done   chan struct{}
}

// What comes by a connection.
type (
	// streamMsg is what the stream brought, in its order: events, and trouble.
	streamMsg struct {
		of  *connection
		all []any
	}
	// trouble is a stream that broke, and when the next one is tried.
	trouble struct {
		err   error
		until time.Time
	}
	// ended is the end of the stream for good.
	ended struct{ err error }
	// answerMsg is what the answer to a call changes.
	answerMsg struct {
		of *connection
		do func(m *model) tea.Cmd
	}
)

func connect(ctx context.Context, c *client.Client) *connection {
	ctx, cancel := context.WithCancel(ctx)
	conn := &connection{c, ctx, cancel, make(chan any, 256), make(chan struct{})}
	go conn.follow()
	return conn
}

// close ends the stream and all calls, and waits for the stream's goroutine.
func (c *connection) close() {
	c.cancel()
	<-c.done
}

func (c *connection) follow() {
	defer close(c.done)
	defer close(c.out)
	opts := client.EventsOptions{OnRetry: func(err error, wait time.Duration) { c.tell(trouble{err, time.Now().Add(wait)}) }}
	for e, err := range c.Events(c.ctx, opts) {
		if err != nil {
			c.tell(ended{err})
			return
		}
		if !c.tell(e) {
			return
		}
	}
}

func (c *connection) tell(what any) bool {
	select {
	case c.out <- what:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// next is the command that waits for what the stream brings, and takes all that is there.
func (c *connection) next() tea.Msg {
	first, ok := <-c.out
	if !ok {
		return nil
	}
	all := []any{first}
	for len(all) < cap(c.out) {
		select {
		case more, ok := <-c.out:
			if !ok {
				return streamMsg{c, all}
			}
			all = append(all, more)
		default:
			return streamMsg{c, all}
		}
	}
	return streamMsg{c, all}
}

// ask makes a call beside everything else. What it returns is run with the model, unless the connection is over by then.
func (m *model) ask(call func(ctx context.Context, c *client.Client) func(m *model) tea.Cmd) tea.Cmd {
	conn := m.conn
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(conn.ctx, patience)
		defer cancel()
		return answerMsg{conn, call(ctx, conn.Client)}
	}
}

// later runs something after a pause, unless the connection is over by then.
func (m *model) later(pause time.Duration, do func(m *model) tea.Cmd) tea.Cmd {
	conn := m.conn
	return tea.Tick(pause, func(time.Time) tea.Msg { return answerMsg{conn, do} })
}

// why is an error in words for who sits at the terminal.
func why(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return refusal(e)
	}
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody answers there"
	case errors.As(err, &dns):
		return "there is no host of that name"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "no answer came in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), strings.Contains(err.Error(), "EOF"):
		return "the connection broke"
	}
	return cleanLine(err.Error())
}

// refusal is what a server says, without codes.
func refusal(e *client.Error) string {
	said := e.Title
	if detail := value(e.Detail); detail != "" {
		said = detail
	}
	if len(e.Errors) > 0 {
		said = e.Errors[0].Field + " " + e.Errors[0].Detail
	}
	if said == "" {
		said = fmt.Sprintf("status %d", e.Status)
	}
	return cleanLine(said)
}

// endings are the reasons for which a session ends.
var endings = map[client.EndReason]string{
	client.EndReasonLogout:   "You are logged out",
	client.EndReasonRevoked:  "The session was ended from another device",
	client.EndReasonPassword: "The password was changed",
	client.EndReasonIdle:     "You were away for too long",
	client.EndReasonKicked:   "You were kicked",
	client.EndReasonBanned:   "You are banned",
	client.EndReasonDeleted:  "The account was deleted",
}

// farewell is why the session ended.
func farewell(data client.SessionEndedData) string {
	said, ok := endings[data.Reason]
	if !ok {
		said = "The session has ended: " + cleanLine(string(data.Reason))
	}
	if detail := cleanLine(value(data.Detail)); detail != "" {
		said += ": " + detail
	}
	return said
}
