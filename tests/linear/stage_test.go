package linear

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"parley/client"
)

// How many rooms and families are acted upon at once, and for how many operations each: few, so that people meet, and not for long,
// so that what is unknown of an object stays little. The time that porcupine needs grows with both.
const (
	rooms    = 2
	families = 1
	lifetime = 500
)

// place is an object with the accounts that act upon it.
type place struct {
	object string
	family bool
	who    [people]person
	ids    [people]int64

	mu     sync.Mutex
	taken  int     // operations so far
	said   []int64 // messages that anybody has seen
	memory [people]memory
}

// take counts an operation and says whether the place is worn out, to one caller.
func (p *place) take() (worn bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken++
	return p.taken == lifetime
}

// saw remembers messages, so that others act upon them.
func (p *place) saw(messages []shown) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		if at, known := slices.BinarySearch(p.said, m.id); !known {
			p.said = slices.Insert(p.said, at, m.id)
		}
	}
}

// stage is what clients share: the places, the notes of all that they do, and the way to the server.
type stage struct {
	url    string
	door   door
	began  time.Time
	people [people]person // the accounts that act upon rooms
	ids    [people]int64

	mu       sync.Mutex
	made     int // names given to rooms and families
	places   [rooms + families]*place
	all      []*place
	begin    begin
	noted    []porcupine.Operation
	unknown  int
	progress chan struct{} // something was noted
}

func (s *stage) now() int64 { return int64(time.Since(s.began)) }

// act makes an operation, notes it with what came of it, and gives that. client is who waits for the answer, in.who who it is
// made as.
func (s *stage) act(ctx context.Context, client int, at *place, in input, tag string) (output, string, error) {
	for {
		if err := s.door.wait(ctx); err != nil {
			return output{}, "", err
		}
		method, path, body := in.request(&at.ids)
		call := s.now()
		r, err := at.who[in.who].call(ctx, method, path, body, tag)
		back := s.now()
		if errors.Is(err, errNotMade) {
			if err := pause(ctx); err != nil {
				return output{}, "", err
			}
			continue
		}
		if ctx.Err() != nil {
			return output{}, "", ctx.Err()
		}
		o := output{unknown: true}
		if err == nil && r.status != http.StatusServiceUnavailable {
			if o, err = in.read(r, &at.ids); err != nil {
				return o, "", err
			}
			at.saw(o.shown)
		} else {
			back = never
		}
		s.note(porcupine.Operation{ClientId: client, Input: in, Call: call, Output: o, Return: back})
		return o, r.etag, nil
	}
}

// pause is for whom nobody listens to: no reason to ask again at once.
func pause(ctx context.Context) error {
	timer := time.NewTimer(5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stage) note(op porcupine.Operation) {
	s.mu.Lock()
	s.noted = append(s.noted, op)
	if out(op).unknown {
		s.unknown++
	}
	s.mu.Unlock()
	select {
	case s.progress <- struct{}{}:
	default:
	}
}

func (s *stage) count() (ops, unknown int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.noted), s.unknown
}

// name is one that nothing had before: what was cut off may have taken the last one.
func (s *stage) name(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return prefix + strconv.Itoa(s.made)
}

// insist makes a call that is none of the history until it is answered with success. make gives each try another name.
func insist[T any](ctx context.Context, s *stage, p *person, path string, try func() map[string]any) (answer T, err error) {
	for {
		if err := s.door.wait(ctx); err != nil {
			return answer, err
		}
		r, err := p.call(ctx, http.MethodPost, path, try(), "")
		if err == nil && r.status < http.StatusBadRequest {
			return answer, json.Unmarshal(r.body, &answer)
		}
		if err == nil && r.status != http.StatusServiceUnavailable {
			return answer, fmt.Errorf("%s: %d %s", path, r.status, r.body)
		}
		if err := pause(ctx); err != nil {
			return answer, err
		}
	}
}

// settle makes the accounts. The first of a server is its admin, for whom other rules hold.
func (s *stage) settle(ctx context.Context) error {
	register := func(name string) (client.Session, error) {
		p := person{server: s.url, http: newHTTP()}
		return insist[client.Session](ctx, s, &p, "/v1/register", func() map[string]any {
			return map[string]any{"name": name, "password": "correct horse"}
		})
	}
	if _, err := register("admin"); err != nil {
		return err
	}
	for i := range s.people {
		session, err := register("person" + strconv.Itoa(i))
		if err != nil {
			return err
		}
		s.people[i] = person{s.url, newHTTP(), session.Token}
		s.ids[i] = session.User.ID
	}
	for i := range s.places {
		if err := s.replace(ctx, i, i); err != nil {
			return err
		}
	}
	return nil
}

func newHTTP() *http.Client { return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}} }

// replace makes another place, by one of the clients, and lets the others in after its first operations.
func (s *stage) replace(ctx context.Context, i, client int) error {
	p, first, err := s.newPlace(ctx, i, client)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.begin[p.object] = first
	s.all = append(s.all, p)
	s.mu.Unlock()
	if err := s.prologue(ctx, client, client%people, p); err != nil {
		return err
	}
	s.mu.Lock()
	s.places[i] = p
	s.mu.Unlock()
	return nil
}

func (s *stage) newPlace(ctx context.Context, i, client int) (*place, any, error) {
	if i >= rooms {
		return s.newFamily(ctx)
	}
	return s.newRoom(ctx, client%people, i%2 == 1)
}

func (s *stage) newRoom(ctx context.Context, maker int, private bool) (*place, any, error) {
	visibility := "public"
	if private {
		visibility = "private"
	}
	r, err := insist[client.Room](ctx, s, &s.people[maker], "/v1/rooms", func() map[string]any {
		return map[string]any{"name": s.name("room"), "visibility": visibility}
	})
	if err != nil {
		return nil, nil, err
	}
	first := &room{private: private, floor: r.ID}
	first.roles[maker] = owner
	return &place{object: strconv.FormatInt(r.ID, 10), who: s.people, ids: s.ids}, first, nil
}

func (s *stage) newFamily(ctx context.Context) (*place, any, error) {
	p := &place{object: s.name("f") + ".", family: true}
	var first names
	for i := range p.who {
		p.who[i] = person{server: s.url, http: s.people[i].http}
		session, err := insist[client.Session](ctx, s, &p.who[i], "/v1/guest", func() map[string]any {
			return map[string]any{"name": s.name(p.object + "guest")}
		})
		if err != nil {
			return nil, nil, err
		}
		p.who[i].token, p.ids[i] = session.Token, session.User.ID
		first[i] = session.User.Name
	}
	return p, first, nil
}
