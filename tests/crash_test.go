package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/client"
)

// How much happens to the server in the short form of TestCrash; PARLEY_TEST_LONG multiplies it.
const (
	crashKills   = 5
	crashSenders = 6
	crashBetween = 150 // messages between two kills, about
)

// TestCrash kills a real server again and again, and stops it once, while people send with nonces
// and others read. Whatever was answered must be there once, in history and on every stream.
func TestCrash(t *testing.T) {
	t.Parallel()
	t.Cleanup(dropConnections)
	program := buildProgram(t, ".")
	for name, test := range map[string]func(*testing.T, string){
		"kills": crash, "stop": testStop, "second signal": testSecondSignal,
		"backup of a crash": testBackupOfACrash, "start and backup on a full disk": testCareOnAFullDisk,
		"two on one directory": testTwoProcesses, "disk full": testDiskFull, "erasure": testKillInErasure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// wreck is one server that is killed, and who uses it.
type wreck struct {
	*town
	program, dir, addr string
	server             *process
	done               chan struct{} // closed when enough has happened
	ticket             string
}

func crash(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	w := &wreck{program: program, dir: t.TempDir(), addr: freePort(t), done: make(chan struct{})}
	w.server = serve(t, program, w.dir, w.addr, unlimited...)
	w.town = &town{server: w.server.url, http: plainHTTP, ledger: newLedger()}
	if err := w.settle(ctx, 2, crashSenders-2, rand.Uint64()); err != nil {
		t.Fatal(err)
	}
	readers, err := w.follow(ctx)
	if err != nil {
		t.Fatal(err)
	}
	senders := w.send(ctx)
	w.havoc(ctx, t, crashKills*max(1, fromEnv(t, "PARLEY_TEST_LONG")))
	close(w.done)
	if err := <-senders; err != nil {
		t.Fatal(err)
	}
	dropConnections()
	end := w.finish(ctx, t)
	if err := readers.wait(); err != nil {
		t.Fatal(err)
	}
	b := readBooks(w.ledger, end)
	t.Logf("%d messages in a log of %d", len(w.ledger.said), end)
	b.report(t)
	w.replay(ctx, t, b, rand.Uint64())
	w.compare(ctx, t, b)
	w.repeatAll(ctx, t)
	if code := w.stop(t); code != 0 {
		t.Errorf("the last stop: exit code %d\n%s", code, w.server.stderr)
	}
}

// follow starts readers that bear it when the server goes.
func (w *wreck) follow(ctx context.Context) (*readers, error) {
	resp, err := w.people[1].CreateTicketWithResponse(ctx)
	if err := answered(err, resp); err != nil {
		return nil, err
	}
	w.ticket = resp.JSON201.Ticket
	ctx, cancel := context.WithCancel(ctx)
	rs := &readers{errs: make(chan error, 8*len(w.people)), cancel: cancel}
	start := func(f *follower, connect func(context.Context) error) {
		rs.all = append(rs.all, f)
		go func() { rs.errs <- f.run(ctx, func(ctx context.Context) error { return survive(ctx, connect) }) }()
	}
	for _, p := range w.people {
		for name, connect := range map[string]func(*follower) func(context.Context) error{
			"SSE":    func(f *follower) func(context.Context) error { return f.sse },
			"NDJSON": func(f *follower) func(context.Context) error { return f.lines },
			"poll":   func(f *follower) func(context.Context) error { return f.poll },
		} {
			f := newFollower(name, p, rand.Uint64())
			start(f, connect(f))
		}
		f := newFollower("client.Events", p, rand.Uint64())
		f.after = 0
		start(f, f.iterate)
	}
	byTicket := newFollower("SSE by ticket", w.people[1], rand.Uint64())
	byTicket.ticket = &w.ticket
	if byTicket.stream, err = client.New(w.town.server, client.WithHTTPClient(w.http)); err != nil {
		return nil, err
	}
	start(byTicket, byTicket.sse)
	return rs, rs.opened(ctx)
}

// survive makes one connection and takes a server that is gone for one that is cut off; a
// refusal is still one.
func survive(ctx context.Context, connect func(context.Context) error) error {
	err := connect(ctx)
	if refusal, ok := errors.AsType[*client.Error](err); err == nil || ok && refusal.Status != http.StatusServiceUnavailable {
		return err
	}
	if errors.Is(err, errBroken) {
		return err
	}
	dropConnections()
	timer := time.NewTimer(10 * time.Millisecond) // nobody listens: no reason to ask at once
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return errCut
}

// send lets everybody talk until enough has happened. The channel gives what went wrong.
func (w *wreck) send(ctx context.Context) <-chan error {
	errs := make(chan error, 1)
	go func() {
		var all sync.WaitGroup
		each := make([]error, len(w.people))
		for i, p := range w.people {
			all.Go(func() {
				for n := 0; each[i] == nil && !w.over(); n++ {
					each[i] = p.insist(ctx, fmt.Sprintf("%d from user %d", n, p.id))
				}
			})
		}
		all.Wait()
		errs <- errors.Join(each...)
	}()
	return errs
}

func (w *wreck) over() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// insist sends a message until it is answered. Its nonce makes that safe.
func (p *person) insist(ctx context.Context, text string) error {
	var m client.Message
	err := eventually(ctx, func() (err error) {
		m, err = p.Send(ctx, client.SendRequest{Text: text, Nonce: &text})
		if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Status != http.StatusServiceUnavailable {
			p.town.ledger.fault("send %q: %v", text, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	s := said{m.ID, m.RoomID, p.id, text, text}
	p.town.ledger.sent(s, 0) // a try that was not answered may have stored it long before
	p.used = append(p.used, s)
	return nil
}

// havoc kills the server at random moments, stops it once, and starts it again each time.
func (w *wreck) havoc(ctx context.Context, t *testing.T, kills int) {
	t.Helper()
	stopAt := rand.IntN(kills + 1)
	for i := range kills + 1 {
		w.ledger.await(ctx, w.ledger.highest()+crashBetween/2+rand.Int64N(crashBetween))
		if i == stopAt {
			if code := w.stop(t); code != 0 {
				t.Errorf("SIGTERM: exit code %d\n%s", code, w.server.stderr)
			}
		} else {
			w.server.kill()
		}
		w.server = serve(t, w.program, w.dir, w.addr, unlimited...)
	}
	w.ledger.await(ctx, w.ledger.highest()+crashBetween)
}

// stop asks the server to go, with everything open.
func (w *wreck) stop(t *testing.T) int {
	t.Helper()
	w.server.signal(syscall.SIGTERM)
	return w.server.wait()
}

// repeatAll sends everything once more: each nonce gives its message, and nothing is added.
func (w *wreck) repeatAll(ctx context.Context, t *testing.T) {
	t.Helper()
	before := idsOf(w.people[0].history(ctx, t, lobby))
	for _, p := range w.people {
		for _, s := range p.used {
			resp, err := p.SendWithResponse(ctx, client.SendRequest{Text: s.text, Nonce: &s.nonce})
			if err := answered(err, resp); err != nil {
				t.Fatalf("repeat %+v: %v", s, err)
			}
			if resp.JSON200 == nil || resp.JSON200.ID != s.id {
				t.Fatalf("repeat %+v: %s %s", s, resp.Status(), resp.Body)
			}
		}
	}
	if after := idsOf(w.people[0].history(ctx, t, lobby)); !slices.Equal(before, after) {
		t.Errorf("repeats changed the history: %s", difference(after, before))
	}
}

// testStop: a stop ends streams and polls within its time, with exit code 0, and says nothing wrong.
func testStop(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server := serve(t, program, t.TempDir(), "127.0.0.1:0")
	crowd := &town{server: server.url, http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(ctx, 0, 3, 1); err != nil {
		t.Fatal(err)
	}
	polled := make(chan error, 1)
	go func() { polled <- crowd.people[0].waitInVain(ctx) }()
	ended := make(chan error, 16)
	open := 0
	for _, p := range crowd.people {
		for name, connect := range map[string]func(*follower) func(context.Context) error{
			"SSE":    func(f *follower) func(context.Context) error { return f.sse },
			"NDJSON": func(f *follower) func(context.Context) error { return f.lines },
		} {
			f := newFollower(name, p, 1)
			go func() { ended <- connect(f)(ctx) }()
			select {
			case <-f.opened:
				open++
			case err := <-ended:
				t.Fatal(err)
			}
		}
	}
	server.signal(syscall.SIGTERM)
	for range open {
		if err := <-ended; !errors.Is(err, errClosed) {
			t.Errorf("a stream of a stopping server: %v", err)
		}
	}
	if err := <-polled; err != nil {
		t.Errorf("a long-poll of a stopping server: %v", err)
	}
	if code := server.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if log := server.stderr.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
		t.Errorf("the stop was not clean:\n%s", log)
	}
}

// waitInVain makes a long-poll that nothing but the server's end can end before its minute is up.
func (p *person) waitInVain(ctx context.Context) error {
	wait, began := 60, time.Now()
	resp, err := p.PollEventsWithResponse(ctx, &client.PollEventsParams{Wait: &wait})
	if err = answered(err, resp); errors.Is(err, client.ErrorCodeUnavailable) {
		return nil // the stop came first
	}
	if err == nil && (len(resp.JSON200.Events) > 0 || time.Since(began) > patience) {
		return fmt.Errorf("answered after %v: %s", time.Since(began), resp.Body)
	}
	return err
}

// testSecondSignal: while the first waits for a request that does not end, a second ends at once.
func testSecondSignal(t *testing.T, program string) {
	server := serve(t, program, t.TempDir(), "127.0.0.1:0")
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// Half a request: whoever waits for the rest waits long.
	_, err = fmt.Fprintf(conn, "POST /v1/guest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 100)); err != nil { // 100 Continue: the handler is at work
		t.Fatal(err)
	}
	server.signal(syscall.SIGTERM)
	if err := eventually(t.Context(), func() error {
		if !strings.Contains(server.stderr.String(), "stopping") {
			return errors.New("the server does not say that it stops")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	server.signal(syscall.SIGTERM)
	if code := server.wait(); code == 0 {
		t.Error("exit code 0, although requests were cut off")
	}
	if took := time.Since(began); took > 5*time.Second { // the first would have waited for 10 s
		t.Errorf("the second signal took %v", took)
	}
}

// testTwoProcesses: a directory has one owner. The other says so in one line and goes.
func testTwoProcesses(t *testing.T, program string) {
	dir := t.TempDir()
	first := serve(t, program, dir, "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	second := exec.CommandContext(ctx, program, "serve", "--addr", "127.0.0.1:0", "--data", dir)
	second.Env = withoutParley(second.Environ())
	out, err := second.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 {
		t.Errorf("%v, want exit code 1\n%s", err, out)
	}
	text := strings.TrimSuffix(string(out), "\n")
	if strings.Contains(text, "\n") || !strings.Contains(text, "another parley process") {
		t.Errorf("want one line that says why, got\n%s", out)
	}
	resp, err := plainHTTP.Get(first.url + "/readyz")
	if err != nil {
		t.Fatalf("the first server: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the first server: %s", resp.Status)
	}
}
