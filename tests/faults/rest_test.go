package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// load is what the server's process holds.
type load struct{ goroutines, files, streams, heap, cut float64 }

// spareFiles and spareGoroutines are what may be open at rest besides what a fresh process has: connections to the database
// that it keeps, and workers that it has started. A leak is one for each stream or call.
const (
	spareFiles      = 24
	spareGoroutines = 24
)

// atRest demands that what the clients have cost goes with them: as many goroutines and files as a process that has just
// started, but for a few, and no stream.
func (s *scene) atRest() {
	s.t.Helper()
	var after load
	near := func() bool {
		return after.streams == 0 && after.goroutines <= s.young.goroutines+spareGoroutines && after.files <= s.young.files+spareFiles
	}
	ctx, cancel := context.WithTimeoutCause(s.ctx, patience, fmt.Errorf("%w: the server does not come to rest", errBroken))
	defer cancel()
	for after = s.load(); !near(); after = s.load() {
		if pause(ctx) != nil {
			s.t.Errorf("with everybody gone the server holds %+v, a fresh one %+v", after, s.young)
			return
		}
	}
}

// load asks the server, after it has collected its garbage.
func (s *scene) load() load {
	s.t.Helper()
	fetch(s, s.server.profileURL()+"heap?gc=1", func(io.Reader) {})
	return s.metrics()
}

// metrics asks the server as it is.
func (s *scene) metrics() (l load) {
	s.t.Helper()
	fetch(s, s.server.url()+"/metrics", func(body io.Reader) {
		for in := bufio.NewScanner(body); in.Scan(); {
			name, value, _ := strings.Cut(in.Text(), " ")
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			switch name, _, _ := strings.Cut(name, "{"); name {
			case "go_goroutines":
				l.goroutines = v
			case "process_open_fds":
				l.files = v
			case "parley_streams", "parley_long_polls":
				l.streams += v
			case "parley_slow_readers_cut_total":
				l.cut = v
			case "go_memstats_heap_alloc_bytes":
				l.heap = v
			}
		}
	})
	return l
}

// fetch gets a page on a connection that is closed at once.
func fetch(s *scene, url string, read func(io.Reader)) {
	s.t.Helper()
	own := &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := own.RoundTrip(req)
	if err != nil {
		s.t.Fatalf("GET %s: %v", url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	read(resp.Body)
	_, _ = io.Copy(io.Discard, resp.Body)
}
