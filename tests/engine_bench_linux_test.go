package tests

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The benchmarks here measure the program from outside, in a process of its own: CPU-seconds (user and system) for a
// million deliveries, and memory (PSS) for an idle stream with a guest's session. PARLEY_BENCH_PROGRAMS names
// the programs to compare, `name=path,name=path`, which take turns; without it, this one is measured.
//
//	go test ./tests -run '^$' -bench 'Engine' -benchtime 3x

// rival is a program that is measured.
type rival struct {
	b       *testing.B
	name    string
	url     string
	profile string // its address for profiles
	pid     int
	tokens  []string
	streams []net.Conn
}

// rivals starts all programs.
func rivals(b *testing.B, people int) []*rival {
	b.Helper()
	programs := "this=" + os.Args[0]
	if given := os.Getenv("PARLEY_BENCH_PROGRAMS"); given != "" {
		programs = given
	}
	var all []*rival
	for program := range strings.SplitSeq(programs, ",") {
		name, path, _ := strings.Cut(program, "=")
		r := &rival{b: b, name: name, profile: freeBenchPort(b)}
		cmd := exec.Command(path, "serve", "--data", b.TempDir(), "--addr", "127.0.0.1:0", "--rate-limit", "off", "--pprof-addr", r.profile)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
		lines := bufio.NewScanner(out)
		for r.url == "" && lines.Scan() {
			r.url = urlInLine.FindString(lines.Text())
		}
		go func() { _, _ = io.Copy(io.Discard, out) }()
		r.pid = cmd.Process.Pid
		r.enroll(people)
		all = append(all, r)
	}
	return all
}

func freeBenchPort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// each does something for many at once.
func each(n int, do func(i int)) {
	var all sync.WaitGroup
	for part := range 32 {
		all.Go(func() {
			for i := part; i < n; i += 32 {
				do(i)
			}
		})
	}
	all.Wait()
}

// enroll makes guests.
func (r *rival) enroll(people int) {
	r.tokens = make([]string, people)
	each(people, func(i int) {
		resp, err := plainHTTP.Post(r.url+"/v1/guest", "application/json", strings.NewReader(`{}`))
		if err != nil {
			r.b.Error(err)
			return
		}
		defer resp.Body.Close()
		var session struct{ Token string }
		_ = json.NewDecoder(resp.Body).Decode(&session)
		r.tokens[i] = session.Token
	})
}

// open opens a stream for each of the guests and has them read.
func (r *rival) open(n int) {
	r.streams = make([]net.Conn, n)
	each(n, func(i int) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err == nil {
			_, err = fmt.Fprintf(conn, "GET /v1/events/stream?types=message.created HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", r.tokens[i])
		}
		buf := make([]byte, 8<<10)
		for got := []byte(nil); err == nil && !bytes.Contains(got, []byte(`"type":"ready"`)); {
			var n int
			n, err = conn.Read(buf)
			got = append(got, buf[:n]...)
		}
		if err != nil {
			r.b.Error(err)
			return
		}
		r.streams[i] = conn
		go func() {
			for err == nil {
				_, err = conn.Read(buf)
			}
		}()
	})
	if r.b.Failed() {
		r.b.FailNow()
	}
}

func (r *rival) close() {
	for _, conn := range r.streams {
		_ = conn.Close()
	}
	for r.metric("parley_streams{format=\"sse\"}") > 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// metric reads one of the program's numbers.
func (r *rival) metric(name string) float64 {
	resp, err := plainHTTP.Get(r.url + "/metrics")
	if err != nil {
		r.b.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	_, rest, _ := strings.Cut(string(body), "\n"+name+" ")
	line, _, _ := strings.Cut(rest, "\n")
	v, err := strconv.ParseFloat(line, 64)
	if err != nil {
		r.b.Fatalf("%s: %q", name, line)
	}
	return v
}

// cpu is the processor time that the program has used.
func (r *rival) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.pid))
	if err != nil {
		r.b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// pss is the program's memory after a collection, in bytes.
func (r *rival) pss() float64 {
	for range 6 { // a stack shrinks by half at a time
		resp, err := plainHTTP.Get("http://" + r.profile + "/debug/pprof/heap?gc=1")
		if err != nil {
			r.b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	last := 0.0
	for {
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", r.pid))
		if err != nil {
			r.b.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(rollup), "\nPss:")
		now, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if now >= last*0.99 && last != 0 {
			return now * 1024
		}
		last = now
		time.Sleep(3 * time.Second) // while the runtime gives memory back
	}
}

// send posts messages to the lobby, by so many senders one after the other, and at most so often.
func (r *rival) send(senders, messages int, pause time.Duration) {
	body := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 200))
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			next := time.Now()
			for range messages / senders {
				req, _ := http.NewRequest(http.MethodPost, r.url+"/v1/send", strings.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+r.tokens[s%len(r.tokens)])
				req.Header.Set("Content-Type", "application/json")
				resp, err := plainHTTP.Do(req)
				if err != nil {
					r.b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if next = next.Add(pause); pause > 0 {
					time.Sleep(time.Until(next))
				}
			}
		})
	}
	all.Wait()
}

// deliver sends messages to all streams and gives CPU-seconds for a million deliveries.
func (r *rival) deliver(senders, messages int, pause time.Duration) float64 {
	const name = "parley_deliveries_total"
	before, cpu := r.metric(name), r.cpu()
	want := float64(messages * len(r.streams))
	r.send(senders, messages, pause)
	for r.metric(name)-before < want {
		time.Sleep(50 * time.Millisecond)
	}
	return (r.cpu() - cpu).Seconds() / want * 1e6
}

// report gives the median of each program's figures, and the ratio to the first.
func report(b *testing.B, all []*rival, figures map[string][]float64, unit string) {
	b.Helper()
	median := func(name string) float64 {
		slices.SortFunc(figures[name], cmp.Compare)
		return figures[name][len(figures[name])/2]
	}
	for _, r := range all {
		b.ReportMetric(median(r.name), r.name+"-"+unit)
		b.Logf("%s: %.4g %s", r.name, figures[r.name], unit)
		if r != all[0] {
			b.ReportMetric(median(r.name)/median(all[0].name), r.name+"/"+all[0].name)
		}
	}
}

func benchDeliveries(b *testing.B, streams, senders, messages int, pause time.Duration) {
	all := rivals(b, streams)
	for _, r := range all {
		r.open(streams)
		r.deliver(senders, messages/10, pause) // warm
	}
	figures := map[string][]float64{}
	b.ResetTimer()
	for b.Loop() {
		for _, r := range all {
			figures[r.name] = append(figures[r.name], r.deliver(senders, messages, pause))
		}
	}
	report(b, all, figures, "CPU-s/1M")
}

// BenchmarkEngineSteady: 1,000 streams, 50 messages a second.
func BenchmarkEngineSteady(b *testing.B) { benchDeliveries(b, 1000, 1, 250, 20*time.Millisecond) }

// BenchmarkEngineBurst: 1,000 streams, 128 senders as fast as they may.
func BenchmarkEngineBurst(b *testing.B) { benchDeliveries(b, 1000, 128, 2560, 0) }

func benchIdle(b *testing.B, streams int) {
	all := rivals(b, streams)
	figures := map[string][]float64{}
	for b.Loop() {
		for _, r := range all {
			r.open(streams / 10) // what the first few cost is no stream's
			r.close()
			before := r.pss()
			parts := r.parts()
			r.open(streams)
			figures[r.name] = append(figures[r.name], (r.pss()-before)/float64(streams))
			text := r.name + ":"
			for name, was := range parts {
				text += fmt.Sprintf(" %s %.0f", name, (r.metric(name)-was)/float64(streams))
			}
			b.Log(text, "B/stream")
			if out := os.Getenv("PARLEY_BENCH_PROFILES"); out != "" {
				r.profiles(out)
			}
			r.close()
		}
	}
	report(b, all, figures, "B/stream")
}

// parts say what the runtime uses the memory for.
func (r *rival) parts() map[string]float64 {
	parts := map[string]float64{}
	for _, name := range []string{"stack_inuse", "heap_inuse", "heap_alloc", "mspan_inuse", "sys"} {
		name = "go_memstats_" + name + "_bytes"
		parts[name] = r.metric(name)
	}
	return parts
}

// profiles keeps what the heap and the goroutines look like.
func (r *rival) profiles(dir string) {
	for _, kind := range []string{"heap", "goroutine"} {
		resp, err := plainHTTP.Get("http://" + r.profile + "/debug/pprof/" + kind)
		if err != nil {
			r.b.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err := os.WriteFile(dir+"/"+r.name+"."+kind, body, 0o600); err != nil {
			r.b.Fatal(err)
		}
	}
}

// BenchmarkEngineIdle1000 is a quick look; the others are what counts.
func BenchmarkEngineIdle1000(b *testing.B)  { benchIdle(b, 1000) }
func BenchmarkEngineIdle5000(b *testing.B)  { benchIdle(b, 5000) }
func BenchmarkEngineIdle10000(b *testing.B) { benchIdle(b, 10_000) }
