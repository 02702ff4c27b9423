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

// endsRow is where the log begins and ends, and one of its holes, if there is any.
type endsRow struct {
	Head, Oldest      int64
	AfterID, BeforeID *int64
}

// servingRow is a user's role and one of the spells in which they were agent or admin, if there is any.
type servingRow struct {
	Role         string
	FromID, ToID *int64
}

// standing gives besides where the user stands their spells as agent or admin, in order.
func (r *reader) standing(userID int64) (s models.Standing, serving []servingRow, err error) {
	s.UserID = userID
	serving, err = many[servingRow](r, "read user",
		"SELECT role, from_id, to_id FROM users LEFT JOIN agent_spells ON user_id = id WHERE id = ? ORDER BY from_id", userID)
	if err != nil {
		return s, nil, err
	}
	if len(serving) == 0 {
		return s, nil, chat.ErrNotFound
	}
	s.Everyone = models.Role(serving[0].Role) != models.RoleVisitor
	if serving[0].FromID == nil {
		serving = nil
	}
	s.Agent = len(serving) > 0 && serving[len(serving)-1].ToID == nil
	ends, err := many[endsRow](r, "read the log's ends",
		"SELECT head, oldest, after_id, before_id FROM log_head LEFT JOIN log_holes ON before_id >= oldest ORDER BY after_id")
	if err != nil {
		return s, nil, err
	}
	for _, row := range ends {
		s.Head, s.Oldest = row.Head, row.Oldest
		if row.AfterID != nil {
			s.Holes = append(s.Holes, models.Hole{After: *row.AfterID, Before: *row.BeforeID})
		}
	}
	err = r.rooms(&s, serving)
	return s, serving, err
}

// rooms fills in where the user is, and since when all that the user may see is as it is. The registration
// is the first such change.
func (r *reader) rooms(s *models.Standing, serving []servingRow) error {
	s.Since = s.UserID
	for _, spell := range serving {
		s.Since = max(s.Since, *spell.FromID)
		if spell.ToID != nil {
			s.Since = max(s.Since, *spell.ToID)
		}
	}
	if s.Everyone {
		s.Rooms = append(s.Rooms, models.LobbyID)
	}
	scan := func(row scanner) error {
		var room, changed int64
		err := row.Scan(&room, &changed)
		if room != 0 {
			s.Rooms = append(s.Rooms, room)
		}
		s.Since = max(s.Since, changed)
		return err
	}
	return r.each("read memberships", scan, "SELECT room_id, from_id FROM memberships WHERE user_id = ? AND to_id IS NULL "+
		"UNION ALL SELECT 0, COALESCE(MAX(to_id), 0) FROM memberships WHERE user_id = ? ORDER BY 1", s.UserID, s.UserID)
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
