package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// scripted is a server whose streams get what the script says, by their order of path.
func scripted(t *testing.T, streams ...[]int) []listening {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var which int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &which)
		fmt.Fprint(w, ": hi\n\n")
		for _, n := range streams[which] {
			text := newText(100)
			putNumber(text, uint32(n))
			fmt.Fprintf(w, "id: %d\ndata: %s\n\n", n, text)
			_ = http.NewResponseController(w).Flush() // the reader may have seen enough
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	var all []listening
	for i := range streams {
		all = append(all, listening{addr: strings.TrimPrefix(server.URL, "http://"), path: fmt.Sprintf("/%d", i)})
	}
	return all
}

// A server that drops, doubles and swaps is found out, and times are taken of what came.
func TestCrowdFindsFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		streams [][]int
		want    faults
	}{
		"good":    {[][]int{{0, 1, 2}, {0, 1, 2}}, faults{}},
		"doubled": {[][]int{{0, 1, 2}, {0, 1, 1, 2}}, faults{Doubled: 1}},
		"swapped": {[][]int{{0, 1, 2}, {1, 0, 2}}, faults{OutOfOrder: 1}},
	} {
		all := scripted(t, tt.streams...)
		l := newLedger(1, owed(all, 1))
		for range 3 {
			number, _ := l.begin(0, 0, l.began)
			l.accept(number)
		}
		c := newCrowd(all, l)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.open(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.drain(ctx, quiet); err != nil {
			t.Fatal(err)
		}
		c.close()
		if got := c.check(); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if took := c.took(); took.total != int(c.deliveries()) || took.longest <= 0 {
			t.Errorf("%s: %d times of %d deliveries, %v at most", name, took.total, c.deliveries(), took.longest)
		}
	}
}

// What never comes is not waited for without end: here the wait is cut short.
func TestCrowdMisses(t *testing.T) {
	t.Parallel()
	all := scripted(t, []int{0, 1}, []int{1})
	l := newLedger(1, owed(all, 1))
	for range 2 {
		number, _ := l.begin(0, 0, l.began)
		l.accept(number)
	}
	c := newCrowd(all, l)
	if err := c.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for c.deliveries() < 3 {
		if err := pause(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	c.close()
	if got := c.check(); got != (faults{Missing: 1}) || l.delivered() {
		t.Errorf("%+v", got)
	}
}
