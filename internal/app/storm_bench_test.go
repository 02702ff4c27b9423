package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/config"
)

// BenchmarkReconnectStorm restarts a server and has 10,000 people come back at once, while one sends to a
// channel and another reads it. Requests go to the handler and not by the network, whose files would be
// too many for one process; all else is the real thing, the database too. Reported are the heap for each
// person, and what a send took during the storm against quiet: the median, the 99th of a hundred and the
// slowest.
func BenchmarkReconnectStorm(b *testing.B) {
	const people = 10_000
	dir := b.TempDir()
	tokens, sender := enroll(b, dir, people)
	for b.Loop() {
		storm(b, dir, tokens, sender)
	}
}

func benchApp(b *testing.B, dir string) (*App, http.Handler) {
	b.Helper()
	cfg := testConfig(dir)
	cfg.RateLimit = config.Off
	a, err := New(context.Background(), cfg, Options{HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Spread: -1})
	if err != nil {
		b.Fatal(err)
	}
	return a, a.server.http.Handler
}

// enroll makes guests, a sender and their channel, and stops the server.
func enroll(b *testing.B, dir string, people int) (tokens []string, sender string) {
	b.Helper()
	a, handler := benchApp(b, dir)
	defer func() { _ = a.Close(context.Background()) }()
	tokens = make([]string, people)
	var all sync.WaitGroup
	for part := range 64 {
		all.Go(func() {
			for i := part; i < people; i += 64 {
				var s struct{ Token string }
				w := request(handler, "POST", "/v1/guest", "", `{}`)
				if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 201 {
					b.Errorf("guest: %d %s", w.Code, w.Body)
					return
				}
				tokens[i] = s.Token
			}
		})
	}
	all.Wait()
	var s struct{ Token string }
	w := request(handler, "POST", "/v1/register", "", `{"name":"sender","password":"correct horse"}`)
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 201 {
		b.Fatalf("register: %d %s", w.Code, w.Body)
	}
	if w := request(handler, "POST", "/v1/rooms", s.Token, `{"name":"tea"}`); w.Code != 201 {
		b.Fatalf("room: %d %s", w.Code, w.Body)
	}
	return tokens, s.Token
}

func request(handler http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, newRequest(context.Background(), method, path, token, body))
	return w
}

func newRequest(ctx context.Context, method, path, token, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// silent is a client that reads everything at once and says when its stream has begun.
type silent struct {
	header http.Header
	first  func()
	bytes  *atomic.Int64
}

func (s *silent) Header() http.Header { return s.header }
func (s *silent) WriteHeader(int)     {}
func (s *silent) Flush()              {}
func (s *silent) Write(p []byte) (int, error) {
	s.first()
	s.bytes.Add(int64(len(p)))
	return len(p), nil
}
func (s *silent) SetReadDeadline(time.Time) error  { return nil }
func (s *silent) SetWriteDeadline(time.Time) error { return nil }

func storm(b *testing.B, dir string, tokens []string, sender string) {
	b.Helper()
	a, handler := benchApp(b, dir)
	ctx, leave := context.WithCancel(context.Background())
	base := heapInUse()
	sends(b, handler, sender, func(n int) bool { return n < 200 }) // warm
	quiet := sends(b, handler, sender, func(n int) bool { return n < 1000 })

	var streams, ready sync.WaitGroup
	var bytes atomic.Int64
	ready.Add(len(tokens))
	began := time.Now()
	for _, token := range tokens {
		streams.Go(func() {
			w := &silent{header: http.Header{}, first: sync.OnceFunc(ready.Done), bytes: &bytes}
			handler.ServeHTTP(w, newRequest(ctx, "GET", "/v1/events/stream", token, ""))
		})
	}
	var back atomic.Bool
	go func() { ready.Wait(); back.Store(true) }()
	during := sends(b, handler, sender, func(int) bool { return !back.Load() })
	took := time.Since(began)
	after := sends(b, handler, sender, func(n int) bool { return n < 1000 })
	b.ReportMetric(float64(heapInUse()-base)/float64(len(tokens)), "heap-B/person")
	b.ReportMetric(took.Seconds(), "storm-s")
	b.ReportMetric(float64(len(during)), "sends")
	b.ReportMetric(float64(bytes.Load())/float64(len(tokens)), "written-B/person")
	for name, of := range map[string]int{"p50": 50, "p99": 99, "max": 100} {
		b.ReportMetric(at(during, of)/at(quiet, of), name+"-ratio")
		b.ReportMetric(at(after, of)/at(quiet, of), name+"-after-ratio")
	}
	b.Logf("quiet p50 %.2f ms, p99 %.2f ms", at(quiet, 50), at(quiet, 99))
	leave()
	streams.Wait()
	if err := a.Close(context.Background()); err != nil {
		b.Error(err)
	}
}

// sends sends one message after the other and gives what each took, sorted.
func sends(b *testing.B, handler http.Handler, token string, more func(n int) bool) []time.Duration {
	b.Helper()
	var times []time.Duration
	for n := 0; more(n); n++ {
		began := time.Now()
		if w := request(handler, "POST", "/v1/send", token, `{"to":"tea","text":"hello"}`); w.Code != 201 {
			b.Fatalf("send: %d %s", w.Code, w.Body)
		}
		times = append(times, time.Since(began))
		time.Sleep(time.Millisecond)
	}
	slices.Sort(times)
	return times
}

// at is the percentile in milliseconds.
func at(times []time.Duration, percent int) float64 {
	return float64(times[min(len(times)*percent/100, len(times)-1)]) / float64(time.Millisecond)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
