package store

import (
	"context"

	"parley/chat"
	"parley/models"
)

// Head implements chat.Reader.
func (r *reader) Head() (int64, error) {
	return one[int64](r, "read the log's head", "SELECT head FROM log_head")
}

// Standing gives where the user stands in the log, read in one snapshot; chat.ErrNotFound where
// there is no such user.
func (s *Store) Standing(ctx context.Context, userID int64) (out models.Standing, err error) {
	err = s.snapshot(ctx, func(r *reader) error {
		out, _, err = r.standing(userID)
		return err
	})
	return out, err
}

// serving is a spell as agent or admin; to is 0 while it lasts.
type serving struct{ from, to int64 }

// What a row of standingQuery tells. a and b are the log's head and its oldest entry, the user's role in name, the
// ends of a hole, of a spell as agent or admin, or a room with the first entry of the spell there; of a spell that is over, its last.
const (
	standingEnds = iota
	standingUser
	standingHole
	standingServing
	standingRoom
	standingLeft
)

// standingQuery reads all of a standing at once: whoever comes back asks, and all come at once after a restart.
const standingQuery = "SELECT 0 AS what, head AS a, oldest AS b, '' AS name FROM log_head " +
	"UNION ALL SELECT 1, 0, 0, role FROM users WHERE id = ? " +
	"UNION ALL SELECT 2, after_id, before_id, '' FROM log_holes WHERE before_id >= (SELECT oldest FROM log_head) " +
	"UNION ALL SELECT 3, from_id, COALESCE(to_id, 0), '' FROM agent_spells WHERE user_id = ? " +
	"UNION ALL SELECT 4, room_id, from_id, '' FROM memberships WHERE user_id = ? AND to_id IS NULL " +
	"UNION ALL SELECT 5, 0, COALESCE(MAX(to_id), 0), '' FROM memberships WHERE user_id = ? ORDER BY 1, 2"

// standing gives besides where the user stands their spells as agent or admin, in order.
func (r *reader) standing(userID int64) (s models.Standing, served []serving, err error) {
	known := false
	scan := func(row scanner) error {
		var what int
		var a, b int64
		var name string
		if err := row.Scan(&what, &a, &b, &name); err != nil {
			return err
		}
		switch what {
		case standingEnds:
			s.Head, s.Oldest = a, b
		case standingUser:
			known = true
			if s.Everyone = models.Role(name) != models.RoleVisitor; s.Everyone {
				s.Rooms = append(s.Rooms, models.LobbyID)
			}
		case standingHole:
			s.Holes = append(s.Holes, models.Hole{After: a, Before: b})
		case standingServing:
			served = append(served, serving{a, b})
			s.Agent = b == 0
			s.Since = max(s.Since, a, b)
		case standingRoom:
			s.Rooms = append(s.Rooms, a)
			s.Since = max(s.Since, b)
		case standingLeft:
			s.Since = max(s.Since, b)
		}
		return nil
	}
	// The registration is the first change of what the user may see.
	s.UserID, s.Since = userID, userID
	err = r.each("read where the user stands", scan, standingQuery, userID, userID, userID, userID)
	if err == nil && !known {
		err = chat.ErrNotFound
	}
	return s, served, err
}

// Tail gives the newest entries up to an id, the internal ones too, newest first.
func (s *Store) Tail(ctx context.Context, through int64, limit int) (events []models.Event, err error) {
	err = s.snapshot(ctx, func(r *reader) error {
		events, err = r.entriesWhere(" WHERE id <= ? ORDER BY id DESC LIMIT ?", through, limit)
		return err
	})
	return events, err
}

// OldEntries implements chat.Reader. The log is in order of ids, and of time as far as the clock was:
// an entry behind one that is not old stays, so that pruning makes no gaps.
func (r *reader) OldEntries(before models.Time, limit int) (through int64, n int, err error) {
	rows, err := many[struct{ ID, At int64 }](r, "read the oldest entries",
		"SELECT id, at FROM log WHERE id >= (SELECT oldest FROM log_head) ORDER BY id LIMIT ?", limit)
	for _, row := range rows {
		if row.At >= millis(before) {
			break
		}
		through = row.ID
		n++
	}
	return through, n, err
}

const logColumns = "id, at, type, room_id, aud_kind, aud_id, json"

// entries reads the log's entries of these ids, in id order.
func (r *reader) entries(ids []int64) ([]models.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return r.entriesWhere(" WHERE "+r.oneOf("id")+" ORDER BY id", r.idList(ids))
}

// entriesWhere reads the log with what follows its name in a query.
func (r *reader) entriesWhere(rest string, args ...any) (events []models.Event, err error) {
	scan := func(row scanner) error {
		var e models.Event
		var at int64
		err := row.Scan(&e.ID, &at, &e.Type, &e.RoomID, &e.Audience.Kind, &e.Audience.ID, &e.JSON)
		if err != nil {
			return err
		}
		e.At = moment(at)
		e.JSON, err = unpack(e.JSON)
		events = append(events, e)
		return err
	}
	err = r.each("read the log", scan, "SELECT "+logColumns+" FROM log"+rest, args...)
	return events, err
}
