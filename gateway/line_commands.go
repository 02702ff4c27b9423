package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"

	"parley/models"
)

// whoPage is how many of those online are read at once.
const whoPage = 200

// converse does what the lines say until the connection ends.
func (c *lineConn) converse(ctx context.Context) {
	defer context.AfterFunc(ctx, c.in.stop)()
	var limit *pace
	if c.line.opt.RateLimit {
		limit = newPace(lineBurst, lineEvery)
	}
	for {
		line, err := c.in.next()
		switch {
		case err == nil:
			c.line.opt.Chat.Acted(c.actor)
			c.do(ctx, string(line))
		case errors.Is(err, errLong):
			c.say(c.line.words.long)
		case errors.Is(err, errIdle):
			c.part(c.line.words.kicked)
			return
		case errors.Is(err, errStopped) && ctx.Err() != nil:
			c.part(c.line.words.stopping)
			return
		default:
			return
		}
		// Who does not read is not listened to, and who says much waits.
		if c.out.wait() != nil || limit.wait(ctx) != nil {
			return
		}
	}
}

// do is one line.
func (c *lineConn) do(ctx context.Context, line string) {
	if line == "who" {
		c.who(ctx)
		return
	}
	if name, ok := strings.CutPrefix(line, "rename|"); ok {
		c.rename(ctx, name)
		return
	}
	if rest, ok := strings.CutPrefix(line, "to|"); ok {
		name, text, _ := strings.Cut(rest, "|")
		c.to(ctx, name, text)
		return
	}
	if front, text, ok := strings.Cut(line, "#"); ok {
		if addr, err := netip.ParseAddrPort(front); err == nil {
			c.toAddr(ctx, addr, text)
			return
		}
	}
	id, err := c.send(ctx, models.Draft{Text: line})
	if err != nil {
		c.refuse(err)
		return
	}
	c.lastID = id
}

func (c *lineConn) send(ctx context.Context, d models.Draft) (id int64, err error) {
	m, _, err := c.line.opt.Chat.Send(ctx, c.actor, d)
	return m.ID, err
}

// refuse says why a line came to nothing.
func (c *lineConn) refuse(err error) {
	switch models.CodeOf(err) {
	case models.CodeInternal:
		c.line.opt.Log.Error("a line failed", "user", c.actor.User.ID, "error", err)
	case models.CodeUnauthorized:
		return // the session has ended: the stream says so
	}
	c.say(c.line.words.why(err))
}

func (c *lineConn) who(ctx context.Context) {
	for after := int64(0); ; {
		page, err := c.line.opt.Chat.Who(ctx, c.actor, "", after, whoPage)
		if err != nil {
			c.refuse(err)
			return
		}
		for _, u := range page.Users {
			if !c.line.hub.gone(u.ID) {
				c.out.push(c.line.hub.labelOf(models.Peer{ID: u.ID, Name: u.Name}).line(c.line.words.here))
			}
		}
		if after = page.Next; after == 0 || c.out.wait() != nil {
			return
		}
	}
}

func (c *lineConn) rename(ctx context.Context, name string) {
	profile, err := c.line.opt.Chat.Rename(ctx, c.actor, name)
	switch models.CodeOf(err) {
	case models.CodeNameTaken:
		c.say(c.line.words.taken)
	case models.CodeValidationFailed:
		c.say(c.line.words.badName + detailOf(err))
	default:
		if err != nil {
			c.refuse(err)
			return
		}
		c.line.hub.rename(c, profile.Name)
		c.say(c.line.words.renamed + profile.Name)
	}
}

// to is a private message to a name, which is an address for those on line connections.
func (c *lineConn) to(ctx context.Context, name, text string) {
	if name == "" || text == "" {
		c.say(c.line.words.form)
		return
	}
	account := name
	if addr, err := netip.ParseAddrPort(name); err == nil {
		_, account = c.line.hub.accountAt(addr)
	}
	if c.isSelf(account) {
		c.say(c.line.words.yourself)
		return
	}
	err := error(models.NotFound("user"))
	if account != "" {
		_, err = c.send(ctx, models.Draft{To: "@" + account, Text: text})
	}
	switch {
	case models.CodeOf(err) == models.CodeNotFound:
		c.say(name + c.line.words.nobody)
	case err != nil:
		c.refuse(err)
	}
}

// isSelf says whether the account's name is the own one.
func (c *lineConn) isSelf(account string) bool {
	_, own := c.line.hub.accountAt(c.addr)
	return models.NameKey(account) == models.NameKey(own)
}

// toAddr is a private message of which the other one sees the text alone.
func (c *lineConn) toAddr(ctx context.Context, addr netip.AddrPort, text string) {
	other, account := c.line.hub.accountAt(netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	switch other {
	case nil:
		c.say(c.line.words.noClient + addr.String())
		return
	case c:
		c.say(c.line.words.yourself)
		return
	}
	nonce := rand.Text()
	other.expectRaw(nonce)
	if _, err := c.send(ctx, models.Draft{To: "@" + account, Text: text, Nonce: nonce}); err != nil {
		other.takeRaw(nonce)
		c.refuse(err)
	}
}
