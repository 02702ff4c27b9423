package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/client"
)

// limitFiles makes every file of the process fail to grow beyond a size, as a full disk would.
func (p *process) limitFiles(bytes uint64) {
	p.t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		p.t.Fatalf("limit the size of files: %v", err)
	}
}

// testDiskFull: what does not fit is answered 503 and nobody hears of it; the rest of the server lives,
// and when there is room again everything goes on.
func testDiskFull(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	server := serve(t, program, dir, "127.0.0.1:0", unlimited...)
	crowd := &town{server: server.url, http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(ctx, 1, 2, 1); err != nil {
		t.Fatal(err)
	}
	rs := &readers{errs: make(chan error, len(crowd.people)), cancel: cancel}
	for _, p := range crowd.people {
		f := newFollower("SSE", p, 1)
		rs.all = append(rs.all, f)
		go func() { rs.errs <- f.run(ctx, f.sse) }()
	}
	if err := rs.opened(ctx); err != nil {
		t.Fatal(err)
	}
	wal, err := os.Stat(filepath.Join(dir, "parley.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	server.limitFiles(uint64(wal.Size()) + 256<<10)
	pending := crowd.fill(ctx, t)
	crowd.checkWhileFull(ctx, t)
	server.limitFiles(unix.RLIM_INFINITY)
	for _, text := range pending {
		if err := crowd.people[0].insist(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	end := crowd.finish(ctx, t)
	if err := rs.wait(); err != nil {
		t.Fatal(err)
	}
	b := readBooks(crowd.ledger, end)
	t.Logf("%d messages, %d of them after 503", len(crowd.ledger.said), len(pending))
	b.report(t)
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	crowd.replay(ctx, t, b, rand.Uint64())
	crowd.compare(ctx, t, b)
}

// fill sends until the disk is full and a little longer. It gives the texts that were refused.
func (t *town) fill(ctx context.Context, tb testing.TB) (refused []string) {
	tb.Helper()
	p := t.people[0]
	for n := 0; len(refused) < 10; n++ {
		if n > 2000 {
			tb.Fatal("the disk does not get full")
		}
		text := fmt.Sprintf("%d %s", n, strings.Repeat("x", rand.IntN(8000)))
		nonce := strconv.Itoa(n)
		resp, err := p.SendWithResponse(ctx, client.SendRequest{Text: text, Nonce: &nonce})
		if err != nil {
			tb.Fatal(err)
		}
		if resp.JSON201 != nil {
			m := resp.JSON201
			t.ledger.sent(said{m.ID, m.RoomID, p.id, text, nonce}, 0)
			continue
		}
		checkUnavailable(tb, resp.HTTPResponse, resp.Body)
		short := fmt.Sprintf("again %d", n) // what is sent later, with a nonce of its own
		refused = append(refused, short)
		if _, err := p.Send(ctx, client.SendRequest{Text: short, Nonce: &short}); err == nil {
			// A short one may find a place; insist answers it once more.
			continue
		} else if !errors.Is(err, client.ErrorCodeUnavailable) {
			tb.Fatal(err)
		}
	}
	return refused
}

func checkUnavailable(tb testing.TB, resp *http.Response, body []byte) {
	tb.Helper()
	err := client.Check(resp, body)
	refusal, ok := errors.AsType[*client.Error](err)
	if !ok || refusal.Status != http.StatusServiceUnavailable || refusal.Code != client.ErrorCodeUnavailable ||
		refusal.RetryAfter < time.Second || resp.Header.Get("Content-Type") != "application/problem+json" {
		tb.Fatalf("a full disk is answered %v, %v: %s", err, resp.Header, body)
	}
	for _, inside := range []string{"sqlite", "parley.db", "/tmp", "goroutine"} {
		if strings.Contains(string(body), inside) {
			tb.Errorf("the answer tells of the inside: %s", body)
		}
	}
}

// checkWhileFull: what needs no writing works.
func (t *town) checkWhileFull(ctx context.Context, tb testing.TB) {
	tb.Helper()
	for _, path := range []string{"/healthz", "/readyz", "/v1/me", "/v1/rooms", "/v1/rooms/lobby/messages", "/v1/events?after=0&wait=0"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.server+path, nil)
		if err != nil {
			tb.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+t.people[0].Token())
		resp, err := t.http.Do(req)
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
			tb.Errorf("GET %s while the disk is full: %s %v %.300s", path, resp.Status, err, body)
		}
	}
}
