package gateway

import (
	"context"
	"errors"
	"time"

	"parley/models"
)

// wsConfirmAfter is how long, after something was written, the client is asked whether it came: what comes meanwhile is asked
// for with it.
const wsConfirmAfter = 200 * time.Millisecond

// told notes what was written to the client and is not known to have come.
func (c *wsConn) told(roomID, messageID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[roomID] = max(c.written[roomID], messageID)
	c.ring()
}

// notTold takes back what takeWritten gave. soon has it tried again at once, else with the next message or ping.
func (c *wsConn) notTold(upTo map[int64]int64, soon bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for room, message := range upTo {
		c.written[room] = max(c.written[room], message)
	}
	if soon && len(c.written) > 0 {
		c.ring()
	}
}

// ring has look confirm what was written.
func (c *wsConn) ring() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// takeWritten gives what told noted.
func (c *wsConn) takeWritten() map[int64]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	upTo := c.written
	c.written = map[int64]int64{}
	return upTo
}

// look asks the client whether it has what was written, and from time to time whether it is there, until ctx ends. What the client has is
// read by the account; what it has not is told again the next time.
func (c *wsConn) look(ctx context.Context) {
	tick := time.NewTicker(c.socket.ping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.bell:
			if pause(ctx, wsConfirmAfter) != nil {
				return
			}
		case <-tick.C:
		}
		upTo := c.takeWritten()
		err := c.socket.confirm(ctx)
		if errors.Is(err, errSlow) && ctx.Err() == nil {
			c.socket.cut()
		}
		if err == nil && len(upTo) > 0 {
			err = c.save(ctx, upTo)
		}
		if err != nil {
			c.notTold(upTo, errors.Is(err, errBusy))
		}
	}
}

// save moves the account's read marks.
func (c *wsConn) save(ctx context.Context, upTo map[int64]int64) error {
	err := c.ws.opt.Chat.Heard(ctx, c.actor, upTo)
	if err != nil && ctx.Err() == nil && models.CodeOf(err) != models.CodeUnauthorized {
		c.ws.opt.Log.Warn("note what a WebSocket client was told; trying again", "user", c.actor.User.ID, "error", err)
	}
	return err
}
