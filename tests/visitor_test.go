package tests

import (
	"testing"

	"parley/internal/pgtest"
	"parley/tests/harness"
)

// ofVisitors are the calls that a visitor may make: those of the own account, and its stream. True are those that are
// tried here too; the others end the session, or are nothing without a password.
var ofVisitors = map[string]bool{
	"getMe": true, "updateMe": true, "listSessions": true, "createTicket": true, "exportMe": true, "rename": true,
	"streamEvents": true, "streamNDJSON": true, "pollEvents": true,
	"logout": false, "endSession": false, "changePassword": false, "deleteMe": false,
}

// Whatever the spec has, or will have: a visitor is refused, and nothing is done. An operation that is for visitors as
// well must be named above.
func TestVisitorsHaveTheirOwnOnly(t *testing.T) {
	callByCall(t)
	t.Parallel()
	dsn := pgtest.DSN(t)
	s := harness.Start(t, harness.Flags("--database", dsn))
	w := newWorld(t, s)
	visitor := s.User("visitor")
	s.Stop()
	pgtest.Load(t, dsn, "UPDATE users SET role = 'visitor' WHERE name = 'visitor'; UPDATE rooms SET member_count = member_count - 1 WHERE id = 1")
	s.Restart()
	for _, o := range operations {
		if o.public {
			continue
		}
		try, may := ofVisitors[o.id]
		if may && !try {
			continue
		}
		o = o.ready(w)
		o.as = visitor
		switch {
		case !may:
			head := w.admin.Head()
			o.call(w).Refused("forbidden")
			if after := w.admin.Head(); after != head {
				t.Errorf("%s is refused, and the log went from %d to %d", o.id, head, after)
			}
		case o.stream:
			visitor.Stream().Close()
			visitor.NDJSON().Close()
		default:
			o.call(w).Want(o.status)
		}
	}
}
