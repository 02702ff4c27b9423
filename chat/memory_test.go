package chat

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/models"
)

// memory is a Store of the few tables that the tests of this package need; a look into any other panics.
type memory struct {
	Tx

	mu       sync.Mutex
	clock    time.Time
	broken   error // what Do answers
	commands int
	asked    int // sessions looked up
	state
}

// state is what a command changes; a refused one leaves it as it was.
type state struct {
	users    map[int64]models.User
	hashes   map[int64]string
	sessions map[int64]models.Session
	tickets  map[string]models.Ticket
	blocks   map[[2]int64]bool
	events   []models.Event
}

func newMemory() *memory {
	return &memory{clock: time.UnixMilli(1_700_000_000_000), state: state{
		users: map[int64]models.User{}, hashes: map[int64]string{}, sessions: map[int64]models.Session{},
		tickets: map[string]models.Ticket{}, blocks: map[[2]int64]bool{},
	}}
}

func (m *memory) service() *Service {
	return New(Options{Store: m, Hasher: quickHasher(), Clock: m.now})
}

func (m *memory) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock
}

func (m *memory) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock = m.clock.Add(d)
}

func (m *memory) View(_ context.Context, read func(r Reader) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return read(m)
}

func (m *memory) Do(_ context.Context, cmd Command) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands++
	if m.broken != nil {
		return m.broken
	}
	before := state{
		maps.Clone(m.users), maps.Clone(m.hashes), maps.Clone(m.sessions), maps.Clone(m.tickets), maps.Clone(m.blocks),
		slices.Clone(m.events),
	}
	err := cmd(m)
	if err != nil {
		m.state = before
	}
	return err
}

// Scrub has nothing to do.
func (m *memory) Scrub(context.Context) error { return nil }

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

// add makes an account with a session.
func (m *memory) add(t *testing.T, s *Service, name string, role models.Role, password string) Actor {
	t.Helper()
	hash := ""
	if password != "" {
		var err error
		if hash, err = s.hasher.Hash(t.Context(), password); err != nil {
			t.Fatal(err)
		}
	}
	login, err := do(t.Context(), s, func(tx Tx) (Login, error) {
		return s.enroll(tx, models.User{Name: name, Key: models.NameKey(name), DisplayName: name, Role: role}, hash, Device{})
	})
	if err != nil {
		t.Fatal(err)
	}
	return login.Actor
}

func get[K comparable, V any](rows map[K]V, k K) (V, error) {
	v, ok := rows[k]
	if !ok {
		return v, ErrNotFound
	}
	return v, nil
}

func (m *memory) Now() models.Time                          { return models.At(m.clock) }
func (m *memory) NextID() int64                             { return int64(len(m.events)) + 1 }
func (m *memory) User(id int64) (models.User, error)        { return get(m.users, id) }
func (m *memory) PasswordHash(id int64) (string, error)     { return get(m.hashes, id) }
func (m *memory) Ticket(hash []byte) (models.Ticket, error) { return get(m.tickets, string(hash)) }
func (m *memory) Blocked(a, b int64) (bool, error) {
	return m.blocks[[2]int64{a, b}] || m.blocks[[2]int64{b, a}], nil
}
func (m *memory) AddressBans() ([]models.Ban, error)            { return nil, nil }
func (m *memory) BansOfNetworks([]string) ([]models.Ban, error) { return nil, nil }
func (m *memory) Unfinished() ([]Unfinished, error)             { return nil, nil }
func (m *memory) InsertBlock(a, b int64) error                  { m.blocks[[2]int64{a, b}] = true; return nil }
func (m *memory) DeleteBlock(a, b int64) error                  { delete(m.blocks, [2]int64{a, b}); return nil }
func (m *memory) SetPassword(id int64, hash string) error       { m.hashes[id] = hash; return nil }
func (m *memory) DeleteSession(id int64) error                  { delete(m.sessions, id); return nil }
func (m *memory) InsertTicket(k models.Ticket) error            { m.tickets[string(k.Hash)] = k; return nil }
func (m *memory) UpdateUser(u models.User) error                { m.users[u.ID] = u; return nil }
func (m *memory) InsertUser(u models.User, hash string) error {
	m.users[u.ID], m.hashes[u.ID] = u, hash
	return nil
}
func (m *memory) Session(id int64) (models.Session, error) {
	m.asked++
	return get(m.sessions, id)
}

func (m *memory) Append(e models.Event, _ any) (models.Event, error) {
	e.ID = m.NextID()
	m.events = append(m.events, e)
	return e, nil
}

func (m *memory) UserByKey(key string) (models.User, error) {
	for _, u := range m.users {
		if u.Key == key {
			return u, nil
		}
	}
	return models.User{}, ErrNotFound
}

func (m *memory) SessionByHash(hash []byte) (models.Session, error) {
	for _, s := range m.sessions {
		if string(s.TokenHash) == string(hash) {
			return s, nil
		}
	}
	return models.Session{}, ErrNotFound
}

func (m *memory) SessionsOf(userID int64) (list []models.Session, err error) {
	for _, s := range m.sessions {
		if s.UserID == userID {
			list = append(list, s)
		}
	}
	return list, nil
}

func (m *memory) InsertSession(s models.Session) (models.Session, error) {
	s.ID = int64(len(m.sessions)) + 1
	m.sessions[s.ID] = s
	return s, nil
}

func (m *memory) TouchSession(id int64, used, expires models.Time) error {
	s, err := m.Session(id)
	if err == nil {
		s.LastUsedAt, s.ExpiresAt = used, expires
		m.sessions[id] = s
	}
	return err
}

func (m *memory) TouchSessions(sessions []models.Session, used, expires models.Time) error {
	for _, s := range sessions {
		_ = m.TouchSession(s.ID, used, expires) // it may have ended
	}
	return nil
}

func (m *memory) SetTicketUse(hash []byte, used, closed models.Time) error {
	k, err := m.Ticket(hash)
	k.UsedAt, k.ClosedAt = used, closed
	m.tickets[string(hash)] = k
	return err
}

func (m *memory) CloseTickets(at models.Time) error {
	for hash, k := range m.tickets {
		if !k.UsedAt.IsZero() && k.ClosedAt.IsZero() {
			k.ClosedAt = at
			m.tickets[hash] = k
		}
	}
	return nil
}
