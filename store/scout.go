package store

import (
	"errors"
	"fmt"

	"parley/models"
)

// Where the database is at the other end of a connection, looking up what each command of a batch
// needs, one after the other, takes most of the time. So the commands are first run for
// their questions only: a look-up that the cache cannot answer is noted and ends the run, as does
// the first write. What all have asked is fetched with one query for each table, and so on until
// there are no more new questions; then the commands run in earnest. All of it happens after the
// head was locked, so the answers cannot grow old.

// errScout ends a command that was only run for its questions.
var errScout = errors.New("only asking")

// scoutFrom is how many commands make asking first worth it.
const scoutFrom = 3

// maxRounds bounds the asking, whatever commands do.
const maxRounds = 8

// scout collects questions. Each is asked once: what there is no row for, the command asks again
// in earnest.
type scout struct {
	round   int
	waits   bool // the present command ended at a question of this round
	users   questions[int64]
	names   questions[string]
	rooms   questions[int64]
	keys    questions[string]
	directs questions[pair]
	spells  questions[pair]
	blocks  questions[pair]
	nonces  questions[nonceKey]

	restrictions questions[restrictionKey]
}

type nonceKey struct {
	userID int64
	nonce  string
}

// questions are the keys to ask for now, and in which round each key was first asked for.
type questions[K comparable] struct {
	asked map[K]int
	now   []K
}

// ask notes a question and gives the error that ends the command.
func ask[K comparable](s *scout, q *questions[K], k K) error {
	round, known := q.asked[k]
	if !known {
		if q.asked == nil {
			q.asked = map[K]int{}
		}
		q.asked[k] = s.round
		q.now = append(q.now, k)
	}
	s.waits = !known || round == s.round
	return errScout
}

// askAll notes several questions of which the command needs all answers.
func askAll[K comparable](s *scout, q *questions[K], keys []K) error {
	waits := false
	for _, k := range keys {
		_ = ask(s, q, k)
		waits = waits || s.waits
	}
	s.waits = waits
	return errScout
}

// take gives the questions of this round.
func (q *questions[K]) take() []K {
	now := q.now
	q.now = nil
	return now
}

// learn finds out what the jobs will look up. Its errors are the transaction's. In a database of this process's own only
// nonces are worth it: each is another one, so that none is ever remembered.
func (t *tx) learn(jobs []*job) error {
	if len(jobs) < scoutFrom {
		return nil
	}
	s := &scout{}
	t.nonceKnown = map[nonceKey]*models.Nonce{}
	if !t.lockHead() {
		t.questions(s, jobs)
		return t.answerNonces(s.nonces.take())
	}
	for jobs = t.questions(s, jobs); len(jobs) > 0 && s.round < maxRounds; jobs = t.questions(s, jobs) {
		if err := t.answer(s); err != nil {
			return err
		}
	}
	return nil
}

// questions runs the jobs for their questions and gives those that have more to ask after the
// answers.
func (t *tx) questions(s *scout, jobs []*job) (open []*job) {
	s.round++
	t.scout, t.asking = s, true
	t.now = models.At(t.w.clock())
	for _, j := range jobs {
		s.waits = false
		if j.ended() == nil {
			_ = t.call(j.cmd) // ended by errScout, or refused: it will run again anyhow
		}
		if s.waits {
			open = append(open, j)
		}
	}
	t.scout, t.asking = nil, false
	return open
}

// answer fetches what was asked in this round. What comes from the database stays in the cache,
// whatever becomes of who asked.
func (t *tx) answer(s *scout) error {
	defer t.w.cache.settle()
	if err := t.answerUsers(s.users.take()); err != nil {
		return err
	}
	if names := s.names.take(); len(names) > 0 {
		if err := t.learnNames(names, map[string]int64{}); err != nil {
			return err
		}
	}
	if err := t.answerRooms(s); err != nil {
		return err
	}
	if err := t.answerSpells(s.spells.take()); err != nil {
		return err
	}
	if err := t.answerBlocks(s.blocks.take()); err != nil {
		return err
	}
	if err := t.answerRestrictions(s.restrictions.take()); err != nil {
		return err
	}
	return t.answerNonces(s.nonces.take())
}

func (t *tx) answerUsers(ids []int64) error {
	users, err := t.Users(ids)
	for _, u := range users {
		t.w.cache.users.put(u.ID, u)
	}
	return err
}

func (t *tx) answerRooms(s *scout) error {
	ids := s.rooms.take()
	if keys := s.keys.take(); len(keys) > 0 {
		found, err := t.ids("SELECT id FROM rooms WHERE name_key = ANY ($1) AND name_key <> '' AND deleted_id IS NULL", keys)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
	}
	if pairs := s.directs.take(); len(pairs) > 0 {
		found, err := t.ids("SELECT r.id FROM unnest($1::bigint[], $2::bigint[]) AS k (a, b) CROSS JOIN LATERAL ("+
			"SELECT id FROM rooms WHERE direct_a = k.a AND direct_b = k.b AND direct_a <> 0 AND deleted_id IS NULL LIMIT 1) r",
			columns(pairs)...)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := many[roomRow](&t.reader, "read rooms",
		"SELECT "+roomColumns+" FROM rooms r WHERE r.deleted_id IS NULL AND "+t.oneOf("r.id"), t.idList(ids))
	for _, row := range rows {
		t.w.cache.putRoom(row.model())
	}
	return err
}

// The queries over several keys look up each key by itself (LATERAL … LIMIT 1): as a join, a plan
// made while the table was small would read all of it for as long as the plan is kept.

// ids reads ids by a query that takes arrays, which GORM would write out as lists.
func (t *tx) ids(query string, args ...any) ([]int64, error) {
	var ids []int64
	err := t.scan(query, args, func(row scanner) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

func (t *tx) scan(query string, args []any, scan func(row scanner) error) error {
	rows, err := t.conn.QueryContext(t.context(), query, args...)
	if err != nil {
		return fmt.Errorf("look up for a batch: %w", err)
	}
	if err := scanAll(rows, scan); err != nil {
		return fmt.Errorf("look up for a batch: %w", err)
	}
	return nil
}

// columns are pairs as two arrays.
func columns(pairs []pair) []any {
	return []any{
		column(pairs, func(p *pair) int64 { return p.a }),
		column(pairs, func(p *pair) int64 { return p.b }),
	}
}

func (t *tx) answerSpells(pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	return t.scan("SELECT m.* FROM unnest($1::bigint[], $2::bigint[]) AS k (a, b) CROSS JOIN LATERAL ("+
		"SELECT room_id, user_id, role, from_id, joined_at FROM memberships "+
		"WHERE room_id = k.a AND user_id = k.b AND to_id IS NULL LIMIT 1) m", columns(pairs), func(row scanner) error {
		var m membershipRow
		err := row.Scan(&m.RoomID, &m.UserID, &m.Role, &m.FromID, &m.JoinedAt)
		t.w.cache.spells.put(pair{m.RoomID, m.UserID}, m.model())
		return err
	})
}

// answerNonces notes also which nonces there are none of: most.
func (t *tx) answerNonces(keys []nonceKey) error {
	if len(keys) == 0 {
		return nil
	}
	for _, k := range keys {
		t.nonceKnown[k] = nil
	}
	query, args := t.noncesOf(keys)
	return t.scan(query, args, func(row scanner) error {
		var n models.Nonce
		var at int64
		err := row.Scan(&n.UserID, &n.Nonce, &n.MessageID, &n.To, &n.Digest, &at)
		n.CreatedAt = moment(at)
		t.nonceKnown[nonceKey{n.UserID, n.Nonce}] = &n
		return err
	})
}
