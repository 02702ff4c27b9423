package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const password = "correct horse"

// person is somebody who calls the server, over a network of their own choice.
type person struct {
	rec  *record
	id   int64
	name string
	url  string // of the server, or of a bad network in front of it
	http *http.Client
	dice *rand.Rand
	said int           // words
	once time.Duration // how long one try of a call may take; 0: as long as it takes

	mu    sync.Mutex
	token string
	fresh chan struct{} // closed when there is another token
	away  bool          // banned: 401 is no surprise
}

// transport is for calls; each scenario has its own, so that it can let go of its connections.
func transport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
}

func (p *person) bearer() (token string, fresh <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token, p.fresh
}

func (p *person) renew(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.away = token, false
	if p.fresh != nil {
		close(p.fresh)
	}
	p.fresh = make(chan struct{})
}

func (p *person) banish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = true
}

func (p *person) isAway() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

// answer is what a call got. Status 0 is none.
type answer struct {
	status int
	body   []byte
	token  string          // with which it was asked
	fresh  <-chan struct{} // closed when there is another one
}

// try makes a call once.
func (p *person) try(ctx context.Context, method, path string, body any) (a answer, err error) {
	if p.once > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.once)
		defer cancel()
	}
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return a, fmt.Errorf("encode %v: %w", body, err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, in)
	if err != nil {
		return a, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	a.token, a.fresh = p.bearer()
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = resp.Body.Close() }()
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, err
	}
	a.status = resp.StatusCode
	p.look(method, path, resp, a.body)
	return a, nil
}

// look holds an answer against what every error must be like.
func (p *person) look(method, path string, resp *http.Response, body []byte) {
	if resp.StatusCode < 400 {
		return
	}
	var problem struct{ Code string }
	err := json.Unmarshal(body, &problem)
	good := err == nil && problem.Code != "" && resp.Header.Get("Content-Type") == "application/problem+json"
	if resp.StatusCode >= 500 {
		good = good && resp.StatusCode == http.StatusServiceUnavailable && problem.Code == "unavailable" && resp.Header.Get("Retry-After") != ""
		for _, inside := range []string{"sqlite", "parley.db", "SQLSTATE", "goroutine", "/tmp"} {
			good = good && !strings.Contains(string(body), inside)
		}
		p.rec.count("503")
	}
	if !good {
		p.rec.fault("%s %s is answered %s %s: %s", method, path, resp.Status, resp.Header.Get("Content-Type"), body)
	}
}

// pause is a moment to let go of the processor where nothing tells when to ask again.
func pause(ctx context.Context) error { return pauseFor(ctx, 50*time.Millisecond) }

func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tries says how a call came to its answer.
type tries struct {
	answer
	unsure bool // a try before the last one may have been done
}

// insist repeats a call until it is answered: by something else than 503, and not 401 while its caller is banned.
func (p *person) insist(ctx context.Context, method, path string, body any) (t tries, err error) {
	for {
		a, err := p.try(ctx, method, path, body)
		switch {
		case ctx.Err() != nil:
			return t, fmt.Errorf("%s %s: %w", method, path, context.Cause(ctx))
		case err != nil || a.status == http.StatusServiceUnavailable:
			t.unsure = true
			p.rec.count("tries lost")
			if err := pause(ctx); err != nil {
				return t, err
			}
		case a.status == http.StatusUnauthorized && p.banned(a):
			select {
			case <-a.fresh:
			case <-ctx.Done():
				return t, context.Cause(ctx)
			}
		default:
			t.answer = a
			return t, nil
		}
	}
}

// banned says whether 401 was to be expected.
func (p *person) banned(a answer) bool {
	token, _ := p.bearer()
	return p.isAway() || token != a.token
}

// want insists and demands a status.
func (p *person) want(ctx context.Context, method, path string, body, into any, statuses ...int) error {
	t, err := p.insist(ctx, method, path, body)
	if err != nil {
		return err
	}
	if slices.Contains(statuses, t.status) {
		return decode(t.body, into)
	}
	return fmt.Errorf("%s %s by user %d: %d %s", method, path, p.id, t.status, t.body)
}

func decode(body []byte, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("decode %.300s: %w", body, err)
	}
	return nil
}

type session struct {
	Token string
	User  struct {
		ID   int64
		Name string
	}
}

// enter makes an account, or logs in again.
func (p *person) enter(ctx context.Context, path, name string) error {
	var body any
	if name != "" {
		body = map[string]string{"name": name, "password": password}
	}
	p.renew("")
	var s session
	if err := p.want(ctx, http.MethodPost, path, body, &s, http.StatusOK, http.StatusCreated); err != nil {
		return err
	}
	p.id, p.name = s.User.ID, s.User.Name
	p.renew(s.Token)
	return nil
}

// errOver ends what people do when the scenario is over.
var errOver = errors.New("the scenario is over")
