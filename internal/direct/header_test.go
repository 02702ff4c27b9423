package direct

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The header is the one that net/http writes for the same answer, but for what says where the body ends.
func TestHeader(t *testing.T) {
	t.Parallel()
	var mine []byte
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h["Ratelimit-Limit"] = []string{"5"}
		h.Add("Vary", "Origin")
		h.Add("Vary", "Accept")
		h.Set("X-Split", "one\r\nX-Evil: two")
		if r.URL.Path == "/dated" {
			h.Set("Date", "Tue, 15 Nov 1994 08:12:31 GMT")
		}
		mine = header(h, r)
		_ = http.NewResponseController(w).Flush()
	}))
	defer web.Close()
	for _, path := range []string{"/", "/dated"} {
		resp, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		got, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(mine))), nil)
		if err != nil {
			t.Fatalf("%v: %q", err, mine)
		}
		_ = got.Body.Close()
		if !got.Close || got.Status != resp.Status || got.ContentLength != -1 || len(got.TransferEncoding) > 0 {
			t.Errorf("the answer is %+v", got)
		}
		for _, h := range []http.Header{got.Header, resp.Header} {
			if d := h.Get("Date"); len(d) != len(http.TimeFormat) {
				t.Errorf("Date is %q", d)
			}
			if path == "/" {
				h.Del("Date")
			}
		}
		resp.Header.Del("Connection")
		got.Header.Del("Connection")
		if a, b := text(resp.Header), text(got.Header); a != b {
			t.Errorf("net/http writes\n%s\nthis package\n%s", a, b)
		}
	}
}

func text(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

// An old client is answered in its version.
func TestHeaderOfHTTP10(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	if got := string(header(http.Header{}, r)); !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\nDate: ") || !strings.HasSuffix(got, "\r\nConnection: close\r\n\r\n") {
		t.Errorf("%q", got)
	}
}

// wrapped has all methods, whatever is below.
type wrapped struct {
	http.ResponseWriter
	http.Hijacker
}

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// What cannot be taken is left to the handler: TLS, HTTP/2, and writers that are no connection.
func TestTakeable(t *testing.T) {
	t.Parallel()
	can := func(h http.ResponseWriter) http.ResponseWriter { return wrapped{ResponseWriter: h} }
	whole := struct {
		http.ResponseWriter
		http.Hijacker
	}{httptest.NewRecorder(), nil}
	for name, tt := range map[string]struct {
		w     http.ResponseWriter
		proto int
		url   string
		want  bool
	}{
		"plain": {whole, 1, "/", true}, "wrapped": {can(can(whole)), 1, "/", true}, "HTTP/2": {whole, 2, "/", false},
		"TLS": {whole, 1, "https://x/", false}, "recorder": {can(httptest.NewRecorder()), 1, "/", false},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.url, nil)
		r.ProtoMajor = tt.proto
		if got := takeable(tt.w, r); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
