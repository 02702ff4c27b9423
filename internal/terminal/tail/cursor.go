package tail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"parley/internal/terminal/durable"
)

// cursor is the file that says how far was printed. It holds the position and a newline, for scripts to read.
type cursor struct {
	file string // empty: none is kept
	at   int64  // -1: none yet
}

// openCursor reads the file. One that is there but no position is an error: to begin from now would hide a loss.
func openCursor(file string) (cursor, error) {
	c := cursor{file: file, at: -1}
	if file == "" {
		return c, nil
	}
	content, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read the cursor: %w", err)
	}
	at, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil || at < 0 {
		return c, fmt.Errorf("--cursor %s: the file holds no position: remove it to begin anew", file)
	}
	c.at = at
	return c, nil
}

// move keeps a position.
func (c *cursor) move(to int64) error {
	if c.file == "" || to == c.at {
		return nil
	}
	if err := durable.Write(c.file, fmt.Appendln(nil, to)); err != nil {
		return fmt.Errorf("keep the cursor: %w", err)
	}
	c.at = to
	return nil
}
