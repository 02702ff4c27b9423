package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/models"
)

// pageLimit is how many entries a page has where no limit is given.
const pageLimit = 256

// Page gives what the user is entitled to of the log after a cursor, at most limit entries, and
// the user's standing, from one snapshot. chat.ErrNotFound where there is no such user.
//
// The work grows with the user's rooms and with limit, not with what others were sent: each part
// of the log that is the user's is a range of one audience's index. The parts are merged by
// taking from each only what can still be among the first entries of all.
func (s *Store) Page(ctx context.Context, userID, after int64, limit int) (out models.LogPage, err error) {
	if limit <= 0 {
		limit = pageLimit
	}
	err = s.snapshot(ctx, func(r *reader) error {
		out, err = r.page(userID, after, limit)
		return err
	})
	return out, err
}

func (r *reader) page(userID, after int64, limit int) (models.LogPage, error) {
	standing, served, err := r.standing(userID)
	p := models.LogPage{Standing: standing, To: standing.Head}
	if err != nil || after >= standing.Head {
		return p, err
	}
	parts, err := r.parts(standing, served, after)
	if err != nil {
		return p, err
	}
	ids, err := r.merge(parts, limit)
	if err != nil {
		return p, err
	}
	if p.Events, err = r.entries(ids); err != nil {
		return p, err
	}
	if len(ids) == limit {
		p.To = ids[limit-1]
	}
	return p, nil
}

// part is a range of one audience's entries, both ends included. next is no later than the first
// entry in it, and that entry itself where exact is set.
type part struct {
	audience   models.Audience
	next, last int64
	exact      bool
}

// parts are all parts of the log after the cursor that are the user's and, of rooms, not empty.
func (r *reader) parts(s models.Standing, served []serving, after int64) ([]part, error) {
	own := part{audience: models.ForUser(s.UserID), next: after + 1, last: s.Head}
	parts := []part{own}
	// The user's id is their registration's: before it they are entitled to nothing.
	since := max(after, s.UserID) + 1
	if s.Everyone {
		parts = append(parts,
			part{audience: models.Everyone(), next: since, last: s.Head},
			part{audience: models.InRoom(models.LobbyID), next: since, last: s.Head})
	}
	for _, spell := range served {
		to := spell.to
		if to == 0 {
			to = s.Head
		}
		if to > after {
			parts = append(parts, part{audience: models.Agents(), next: max(after+1, spell.from), last: to})
		}
	}
	spells, err := many[spellRow](r, "find what the log has for each room", r.spellQuery(),
		after, after, s.Head, s.UserID, after, after, s.UserID, after)
	for _, spell := range spells {
		if spell.Next != nil {
			parts = append(parts, part{audience: models.InRoom(spell.RoomID), next: *spell.Next, last: spell.Hi, exact: true})
		}
	}
	return parts, err
}

type spellRow struct {
	RoomID int64
	Hi     int64
	Next   *int64
}

// spellQuery finds for each spell that reaches beyond the cursor its first entry there, with one
// search in the index each. A revoked spell is its last entry only.
func (r *reader) spellQuery() string {
	return "SELECT s.room_id, s.hi, (SELECT id FROM log" + r.byAudience() +
		" WHERE aud_kind = 2 AND aud_id = s.room_id AND id >= s.lo AND id <= s.hi ORDER BY id LIMIT 1) AS next FROM (" +
		"SELECT room_id, CASE WHEN from_id > ? THEN from_id ELSE CAST(? AS bigint) + 1 END AS lo, CAST(? AS bigint) AS hi " +
		"FROM memberships WHERE user_id = ? AND to_id IS NULL UNION ALL " +
		"SELECT room_id, CASE WHEN revoked THEN to_id WHEN from_id > ? THEN from_id ELSE CAST(? AS bigint) + 1 END, to_id " +
		"FROM memberships WHERE user_id = ? AND to_id > ?) s"
}

// mergeWidth is how many parts one query reads.
const mergeWidth = 16

// merge gives the first limit ids of all parts together, each once: spells may overlap. Parts are
// taken by their first entry: once one begins behind the last id that is wanted, so do all that
// follow, and no part is read beyond that id.
func (r *reader) merge(parts []part, limit int) ([]int64, error) {
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.next, b.next) })
	bound := firstBound(parts, limit)
	var chosen []int64
	for len(parts) > 0 && parts[0].next <= bound {
		n := min(len(parts), mergeWidth)
		ids, err := r.idsOf(parts[:n], bound, limit)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, ids...)
		slices.Sort(chosen)
		chosen = slices.Compact(chosen)
		if len(chosen) >= limit {
			chosen = chosen[:limit]
			bound = chosen[limit-1]
		}
		parts = parts[n:]
	}
	return chosen, nil
}

// firstBound is the last id that can be wanted as far as the parts' first entries tell.
func firstBound(parts []part, limit int) int64 {
	var entries []int64
	for _, p := range parts {
		if p.exact {
			entries = append(entries, p.next)
		}
	}
	if entries = slices.Compact(entries); len(entries) < limit {
		return models.MaxID
	}
	return entries[limit-1]
}

// idsOf reads the first ids of each part up to bound, at most limit of each.
func (r *reader) idsOf(parts []part, bound int64, limit int) ([]int64, error) {
	one := "SELECT * FROM (SELECT id FROM log" + r.byAudience() +
		" WHERE aud_kind = ? AND aud_id = ? AND id >= ? AND id <= ? ORDER BY id LIMIT ?) AS p"
	args := make([]any, 0, 5*len(parts))
	for _, p := range parts {
		args = append(args, int64(p.audience.Kind), p.audience.ID, p.next, min(p.last, bound), limit)
	}
	var ids []int64
	scan := func(row scanner) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	}
	err := r.each("read audiences of the log", scan, one+strings.Repeat(" UNION ALL "+one, len(parts)-1), args...)
	return ids, err
}
