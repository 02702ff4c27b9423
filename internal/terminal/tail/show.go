package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/client"
	"parley/internal/terminal/plain"
)

// usual are the types that are printed as lines where none is asked for.
var usual = []client.EventType{client.EventTypeMessageCreated, client.EventTypeMessageUpdated, client.EventTypeMessageDeleted}

// telling are the types that say what rooms and people are called.
var telling = []client.EventType{client.EventTypeRoomCreated, client.EventTypeRoomUpdated, client.EventTypeUserRenamed}

// wanted are the types to print; nil is all.
func (c *command) wanted() (types []client.EventType) {
	for _, t := range c.Types {
		types = append(types, client.EventType(t))
	}
	if types == nil && !c.JSON {
		return usual
	}
	return types
}

// asked are the types that the server is asked for.
func (c *command) asked() []client.EventType {
	types := c.wanted()
	if c.JSON {
		return types
	}
	for _, t := range telling {
		if !slices.Contains(types, t) {
			types = append(slices.Clone(types), t)
		}
	}
	return types
}

// show prints an event, if it is wanted, and says on standard error what happens to the stream.
func (c *command) show(ctx context.Context, e client.Event) error {
	c.rooms.learn(e)
	switch e.Type {
	case client.EventTypeReady:
		c.account.Note("connected to %s", c.account.Server)
		return nil
	case client.EventTypeHeartbeat:
		return nil
	case client.EventTypeReset:
		c.account.Note("reset: the server does not have all that happened since the position to begin from; going on behind %d", e.Cursor)
	case client.EventTypeSessionEnded:
		c.account.Note("%s", ending(e))
	default:
		if wanted := c.wanted(); wanted != nil && !slices.Contains(wanted, e.Type) {
			return nil
		}
		if wants, err := c.rooms.wants(ctx, e.RoomID); err != nil || !wants {
			return err
		}
		if !c.JSON {
			return c.line(ctx, e)
		}
	}
	if !c.JSON {
		return nil
	}
	return c.print(object(e.Raw))
}

// object is an event on one line.
func object(raw []byte) string {
	var line bytes.Buffer
	if !bytes.ContainsAny(raw, "\r\n") || json.Compact(&line, raw) != nil {
		return string(raw)
	}
	return line.String()
}

// ending says why the session has ended.
func ending(e client.Event) string {
	data, err := client.DataOf[client.SessionEndedData](e)
	if err != nil {
		return "the session has ended"
	}
	text := "the session has ended: " + string(data.Reason)
	if data.Detail != nil && *data.Detail != "" {
		text += ": " + *data.Detail
	}
	return text
}

// line prints an event for people.
func (c *command) line(ctx context.Context, e client.Event) error {
	text := fmt.Sprintf("%s %s", e.Type, e.Data)
	switch e.Type {
	case client.EventTypeMessageCreated, client.EventTypeMessageUpdated:
		data, err := client.DataOf[client.MessageData](e)
		if err != nil {
			break // then it is printed as it is
		}
		mark := ""
		if e.Type == client.EventTypeMessageUpdated {
			mark = " (changed)"
		}
		return c.said(ctx, data.Message, mark)
	case client.EventTypeMessageDeleted:
		if data, err := client.DataOf[client.MessageDeletedData](e); err == nil {
			text = fmt.Sprintf("message %d was deleted", data.MessageID)
		}
	case client.EventTypeMemberJoined, client.EventTypeMemberLeft:
		if data, err := client.DataOf[client.MemberData](e); err == nil {
			text = data.User.Name + map[client.EventType]string{client.EventTypeMemberJoined: " joined", client.EventTypeMemberLeft: " left"}[e.Type]
		}
	case client.EventTypeUserRenamed:
		if data, err := client.DataOf[client.UserRenamedData](e); err == nil {
			text = fmt.Sprintf("%s is %s now", data.OldName, data.User.Name)
		}
	}
	return c.told(ctx, e.At, e.RoomID, text)
}

// said prints a message.
func (c *command) said(ctx context.Context, m client.Message, mark string) error {
	text := m.Sender.Name + ": " + m.Text
	for _, file := range m.Attachments {
		text += " [" + file.Name + "]"
	}
	if m.DeletedAt != nil {
		text += "(deleted)"
	}
	return c.told(ctx, m.CreatedAt, m.RoomID, text+mark)
}

// told prints a line: when, where, what.
func (c *command) told(ctx context.Context, at time.Time, room int64, text string) error {
	line := at.Local().Format(time.DateTime) + " "
	if room != 0 {
		title, err := c.rooms.title(ctx, room)
		if err != nil {
			return err
		}
		line += title + " "
	}
	return c.print(line + plain.Line(text))
}

func (c *command) print(line string) error {
	if _, err := fmt.Fprintln(c.out, line); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
