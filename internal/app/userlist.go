package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"parley/internal/control"
)

// usersAtOnce is how many users are asked for in one call.
const usersAtOnce = 200

// list prints all users: a table on a terminal, lines with tabs or JSON elsewhere.
func (c *userCommand) list(ctx context.Context) error {
	show, flush := c.printer()
	for after := ""; ; {
		page, err := c.server.List(ctx, control.ListRequest{Query: c.Query, After: after, Limit: usersAtOnce})
		if err != nil {
			return err
		}
		for _, u := range page.Users {
			if err := show(u); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return flush()
		}
	}
}

// printer gives how one user is printed, and what ends the list.
func (c *userCommand) printer() (show func(control.User) error, flush func() error) {
	if c.JSON {
		lines := json.NewEncoder(c.out)
		lines.SetEscapeHTML(false)
		return func(u control.User) error { return lines.Encode(u) }, func() error { return nil }
	}
	out, zone, flush := c.out, time.UTC, func() error { return nil }
	layout := time.RFC3339
	if onTerminal(c.out) {
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tROLE\tMADE\tLAST SEEN\tBANNED")
		out, zone, layout, flush = table, time.Local, "2006-01-02 15:04", table.Flush
	}
	return func(u control.User) error {
		_, err := fmt.Fprintln(out, strings.Join([]string{
			strconv.FormatInt(u.ID, 10), printable(u.Name), string(u.Role),
			u.CreatedAt.In(zone).Format(layout), u.LastSeenAt.In(zone).Format(layout), banText(u.Ban),
		}, "\t"))
		return err
	}, flush
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// banText says until when and why, empty without a ban.
func banText(b *control.Ban) string {
	if b == nil {
		return ""
	}
	text := "until lifted"
	if b.Until != nil {
		text = "until " + b.Until.UTC().Format(time.RFC3339)
	}
	if b.Reason != "" {
		text += ": " + printable(b.Reason)
	}
	return text
}

// printable takes out what would move a terminal's cursor or turn its writing around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return -1
	}, s)
}
