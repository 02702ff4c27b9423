package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"parley/chat"
	"parley/models"
)

// injected is an error of Options.Fault: a database that cannot do it now.
type injected struct{ error }

func (i injected) Unwrap() error { return i.error }

// fault says what kind of failure an error of the database is.
type fault int

const (
	faultOther fault = iota
	faultData        // the statement's values are not allowed: nothing is wrong with the database
	faultFull        // no room for this, perhaps for less
	faultBusy        // somebody else has it, or it is too slow: trying again at once is no use
	faultLost        // it cannot be reached
	faultIO          // it cannot read or write its files
)

// client is what a client may read about each.
func (f fault) client() string {
	switch f {
	case faultFull:
		return "the server's disk is full"
	case faultBusy:
		return "the database is busy"
	case faultLost:
		return "the database cannot be reached"
	case faultIO:
		return "the database cannot write"
	case faultOther, faultData:
	}
	return ""
}

// explain makes the database's own failures models.CodeUnavailable and leaves everything else
// as it is.
func explain(err error) error {
	if err == nil || errors.Is(err, chat.ErrNotFound) {
		return err
	}
	if _, ok := errors.AsType[*models.Error](err); ok {
		return err
	}
	if text := faultOf(err).client(); text != "" {
		return models.Unavailable(err, "%s, come again in a moment", text)
	}
	return err
}

func faultOf(err error) fault {
	if _, ok := errors.AsType[injected](err); ok {
		return faultIO
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		return sqliteFault(e)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresFault(e.Code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return faultBusy // the writer's own limit
	}
	if errors.Is(err, errDoubt) {
		return faultLost
	}
	if lost(err) {
		return faultLost
	}
	return faultOther
}

func sqliteFault(e sqlite3.Error) fault {
	switch e.Code {
	case sqlite3.ErrConstraint, sqlite3.ErrMismatch, sqlite3.ErrTooBig, sqlite3.ErrRange:
		return faultData
	case sqlite3.ErrFull:
		return faultFull
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return faultBusy
	case sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrNomem, sqlite3.ErrPerm, sqlite3.ErrProtocol:
		return faultIO
	}
	return faultOther
}

// postgresFault reads the class of an SQLSTATE.
func postgresFault(state string) fault {
	switch {
	case state == "53100":
		return faultFull
	case state == "55P03", state == "57014", // lock not available, statement timeout
		strings.HasPrefix(state, "40"), strings.HasPrefix(state, "53"):
		return faultBusy
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"), state == "25P03", state == "25006":
		return faultLost // 25006: it is a standby now
	case strings.HasPrefix(state, "58"), strings.HasPrefix(state, "XX"):
		return faultIO // XX: its own fault, damage, or a file that may not grow (EFBIG has no state of its own)
	case strings.HasPrefix(state, "22"), strings.HasPrefix(state, "23"):
		return faultData
	}
	return faultOther
}

// lost recognizes a connection that is no more.
func lost(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
