package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/config"
)

// house is a running App with one account, whose log is kept.
type house struct {
	*App
	t     *testing.T
	lines *page
	token string
}

// onEngines tells a story of streams on connections of their own, and of such in their handlers.
func onEngines(t *testing.T, story func(h *house), tune func(o *Options)) {
	t.Helper()
	for _, plain := range []bool{false, true} {
		t.Run(map[bool]string{false: "direct", true: "plain"}[plain], func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, lines: new(page)}
			o := Options{
				HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Spread: -1, PlainStreams: plain,
				Log: newLogger(h.lines, config.LogJSON, slog.LevelDebug),
			}
			if tune != nil {
				tune(&o)
			}
			var err error
			if h.App, err = New(t.Context(), testConfig(t.TempDir()), o); err != nil {
				t.Fatal(err)
			}
			ran := make(chan error, 1)
			go func() { ran <- h.Run(t.Context()) }()
			t.Cleanup(func() {
				http.DefaultClient.CloseIdleConnections()
				closeApp(t, h.App)
				if err := <-ran; err != nil {
					t.Error(err)
				}
			})
			var session struct{ Token string }
			answer := h.call("POST", "/v1/register", url.Values{"name": {"ann"}, "password": {"correct horse"}})
			if err := json.Unmarshal([]byte(answer), &session); err != nil {
				t.Fatal(err)
			}
			h.token = session.Token
			story(h)
		})
	}
}

// call makes a request and gives the answer's body.
func (h *house) call(method, path string, form url.Values) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 400 {
		h.t.Fatalf("%s %s: %s, %v\n%s", method, path, resp.Status, err, body)
	}
	return string(body)
}

// reader is the client's end of a stream.
type reader struct {
	io.Reader
	id    string // of the request
	close func() error
}

// stream opens one, which has begun.
func (h *house) stream() reader {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(h.t.Context()), http.MethodGet, h.URL()+"/v1/events/stream", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = resp.Body.Close() })
	r := bufio.NewReader(resp.Body)
	if _, err := r.Peek(1); err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s, %v", resp.Status, err)
	}
	return reader{r, resp.Header.Get("X-Request-Id"), resp.Body.Close}
}

// requestLines are those of the log about streams.
func (h *house) requestLines() (lines []map[string]any) {
	for text := range strings.Lines(h.lines.String()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == "request" && line["route"] == "/v1/events/stream" {
			lines = append(lines, line)
		}
	}
	return lines
}

// wait waits until it is so.
func (h *house) wait(what string, so func() bool) {
	h.t.Helper()
	for limit := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			h.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// A stream is told of when it has ended, and not when its handler has: with all bytes of its body.
func TestTheRequestLineOfAStream(t *testing.T) {
	t.Parallel()
	const series = `parley_http_requests_total{code="200",method="GET",route="/v1/events/stream"} 1`
	onEngines(t, func(h *house) {
		stream := h.stream()
		h.call("POST", "/v1/send", url.Values{"text": {"hello"}})
		if n := len(h.requestLines()); n > 0 || strings.Contains(h.call("GET", "/metrics", nil), series) {
			h.t.Errorf("%d streams are told of while one is open", n)
		}
		id := stream.id
		h.call("POST", "/v1/logout", nil)
		body, err := io.ReadAll(stream)
		if err != nil {
			h.t.Fatal(err)
		}
		h.wait("the line of the stream", func() bool { return len(h.requestLines()) > 0 })
		line := h.requestLines()[0]
		if line["bytes"] != float64(len(body)) || line["status"] != 200.0 || line["method"] != "GET" ||
			line["path"] != "/v1/events/stream" || line["request_id"] != id || id == "" || line["user_id"] == nil ||
			line["address"] != "127.0.0.1" {
			h.t.Errorf("after %d bytes, request %s: %v", len(body), id, line)
		}
		h.token = ""
		if metrics := h.call("GET", "/metrics", nil); !strings.Contains(metrics, series) {
			h.t.Error("the stream is not counted")
		}
	}, nil)
}

// A stop waits until all streams have ended and were told of.
func TestAStopWaitsForStreams(t *testing.T) {
	t.Parallel()
	onEngines(t, func(h *house) {
		const streams = 30
		for range streams {
			h.stream()
		}
		closeApp(h.t, h.App)
		if n := len(h.requestLines()); n != streams {
			h.t.Errorf("of %d streams %d have ended", streams, n)
		}
		if text := h.lines.String(); strings.Contains(text, "stopped before all") {
			h.t.Error(text)
		}
	}, nil)
}

// A reader that takes nothing is cut, counted, and holds nothing any more.
func TestAStalledStreamIsCut(t *testing.T) {
	t.Parallel()
	onEngines(t, func(h *house) {
		conn, err := net.Dial("tcp", h.Addr())
		if err != nil {
			h.t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", h.token); err != nil {
			h.t.Fatal(err)
		}
		text := strings.Repeat("x", 16_000)
		h.wait("the cut", func() bool {
			for range 16 {
				h.call("POST", "/v1/send", url.Values{"text": {text}})
			}
			return strings.Contains(h.call("GET", "/metrics", nil), "parley_slow_readers_cut_total 1\n")
		})
		h.wait("the end of the stream", func() bool { return len(h.requestLines()) == 1 })
		if metrics := h.call("GET", "/metrics", nil); !strings.Contains(metrics, "parley_streams{format=\"sse\"} 0\n") {
			h.t.Error("the stream is there still")
		}
	}, func(o *Options) { o.Stall = 300 * time.Millisecond })
}

// A connection counts until it ends, whoever has it.
func TestStreamsCountAsConnections(t *testing.T) {
	t.Parallel()
	onEngines(t, func(h *house) {
		open := h.server.listener.(*boundedListener).open.Load
		http.DefaultClient.CloseIdleConnections()
		var streams []reader
		for range 3 {
			streams = append(streams, h.stream())
		}
		if n := open(); n < 3 {
			h.t.Errorf("%d connections with 3 streams", n)
		}
		for _, stream := range streams {
			_ = stream.close()
		}
		h.wait("no connection is open", func() bool {
			http.DefaultClient.CloseIdleConnections()
			return open() == 0
		})
	}, nil)
}
