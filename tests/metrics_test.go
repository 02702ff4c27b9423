package tests

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"parley/internal/app"
	"parley/tests/harness"
)

// scrape is /metrics at one moment: each series by its name and labels as Prometheus writes them.
type scrape map[string]float64

func scrapeOf(t *testing.T, s *harness.Server) scrape {
	t.Helper()
	a := s.Do("GET", "/metrics").Want(200)
	if media := a.Header.Get("Content-Type"); !strings.HasPrefix(media, "text/plain; version=0.0.4;") {
		t.Fatalf("/metrics is %s", media)
	}
	families, err := parse(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := scrape{}
	for _, samples := range families {
		for _, sample := range samples {
			all[sample.Metric.String()] = float64(sample.Value)
		}
	}
	return all
}

// parse reads the text format, family by family.
func parse(text []byte) (map[string]model.Vector, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	all := map[string]model.Vector{}
	for name, family := range families {
		if all[name], err = expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// rose says by how much the series grew from before; one that was not there was 0.
func (now scrape) rose(before scrape, series string) float64 { return now[series] - before[series] }

// roses waits until the series have risen by as much: a request is counted when its answer was written,
// which its client may have read before.
func roses(t *testing.T, s *harness.Server, before scrape, want map[string]float64) scrape {
	t.Helper()
	var now scrape
	err := eventually(t.Context(), func() error {
		now = scrapeOf(t, s)
		var wrong []string
		for series, by := range want {
			if got := now.rose(before, series); got != by {
				wrong = append(wrong, fmt.Sprintf("%s rose by %v, want %v", series, got, by))
			}
		}
		if len(wrong) > 0 {
			slices.Sort(wrong)
			return errors.New(strings.Join(wrong, "\n"))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return now
}

// Names, units and help are as Prometheus wants them, and every number is there from the start.
func TestMetricsAreWellFormed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("ann").Send("lobby", "hello")
		text := s.Do("GET", "/metrics").Want(200).Body
		problems, err := promlint.New(bytes.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		families, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		ours := 0
		for name := range families {
			if !strings.Contains(string(text), "# HELP "+name+" ") {
				t.Errorf("%s has no help", name)
			}
			if strings.HasPrefix(name, "parley_") {
				ours++
			}
		}
		if ours < 30 || families["go_goroutines"] == nil || families["process_start_time_seconds"] == nil {
			t.Errorf("%d metrics of ours among %v", ours, slices.Sorted(maps.Keys(families)))
		}
	})
}

// Each number rises by what was done.
func TestMetricsFollowWhatIsDone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		stream, lines := bob.Stream(), ann.NDJSON()
		before := scrapeOf(t, s)
		for n := range 3 {
			ann.Send("lobby", fmt.Sprint("number ", n))
		}
		ann.Post("/v1/send", map[string]any{"text": "to nobody", "to": "nowhere"}).Refused("not_found")
		again := s.Login("ann")
		again.Post("/v1/logout", nil).Want(204)
		for range 3 {
			stream.Until("message.created")
			lines.Until("message.created")
		}
		now := roses(t, s, before, map[string]float64{
			`parley_http_requests_total{code="201", method="POST", route="/v1/send"}`:             3,
			`parley_http_requests_total{code="404", method="POST", route="/v1/send"}`:             1,
			`parley_http_request_duration_seconds_count{method="POST", route="/v1/send"}`:         4,
			`parley_http_request_duration_seconds_count{method="GET", route="/v1/events/stream"}`: 0,
			`parley_events_published_total{type="message.created"}`:                               3,
			`parley_events_published_total{type="session.finished"}`:                              1,
			`parley_session_ends_total{reason="logout"}`:                                          1,
			`parley_commands_total{result="done"}`:                                                5, // a login and a logout too
			`parley_commands_total{result="refused"}`:                                             1,
			`parley_commit_duration_seconds_count`:                                                5,
			`parley_commit_batch_size_sum`:                                                        5,
			`parley_deliveries_total`:                                                             6,
			`parley_log_head`:                                                                     4,
			`parley_ring_entries`:                                                                 4,
			`parley_password_hashes_total`:                                                        1,
			`parley_session_cache_lookups_total{result="miss"}`:                                   1,
			`parley_session_cache_lookups_total{result="hit"}`:                                    4,
			`parley_streams{format="sse"}`:                                                        0,
			`parley_commands_total{result="failed"}`:                                              0,
		})
		if now.rose(before, "parley_delivered_bytes_total") < 600 || now["parley_ring_bytes"] == 0 {
			t.Errorf("%v bytes delivered, %v in the ring", now.rose(before, "parley_delivered_bytes_total"), now["parley_ring_bytes"])
		}
		stream.Close()
		lines.Close()
	})
}

// Gauges go up with what is open, and down again.
func TestMetricsOfStreams(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	is := func(when string, sse, ndjson, online float64) {
		t.Helper()
		err := eventually(t.Context(), func() error {
			now := scrapeOf(t, s)
			got := []float64{now[`parley_streams{format="sse"}`], now[`parley_streams{format="ndjson"}`], now["parley_users_online"]}
			if want := []float64{sse, ndjson, online}; !slices.Equal(got, want) {
				return fmt.Errorf("%s: %v, want %v", when, got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	is("at the start", 0, 0, 0)
	first, second := ann.Stream(), ann.Stream()
	third := bob.NDJSON()
	is("with three", 2, 1, 2)
	first.Close()
	third.Close()
	is("with one", 1, 0, 1)
	second.Close()
	is("with none", 0, 0, 0)
	roses(t, s, scrape{}, map[string]float64{
		`parley_http_requests_total{code="200", method="GET", route="/v1/events/stream"}`: 2,
		`parley_http_requests_total{code="200", method="GET", route="/v1/events/ndjson"}`: 1,
	})
}

// A resume that memory does not hold is served from the log, which is seen.
func TestMetricsOfAReplay(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Tune(func(o *app.Options) { o.RingSize = 2 }))
	ann := s.User("ann")
	head := ann.Head()
	for range 5 {
		ann.Send("lobby", "hello")
	}
	before := scrapeOf(t, s)
	stream := ann.Stream(harness.After(head))
	for range 5 {
		stream.Until("message.created")
	}
	now := scrapeOf(t, s)
	stream.Close()
	if pages, events := now.rose(before, "parley_replay_pages_total"), now.rose(before, "parley_replay_events_total"); pages != 1 || events != 5 {
		t.Errorf("%v pages of %v events", pages, events)
	}
}

// Nothing that a client can write makes a series of its own.
func TestMetricsStayFewUnderAttack(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	attack := func(n int) {
		ann.Get(fmt.Sprintf("/odd/path-%d", n)).Want(404)
		ann.Get(fmt.Sprintf("/v1/rooms/room-%d", n)).Want(404)
		ann.Get(fmt.Sprintf("/docs/file-%d", n)).Want(404)
		ann.Get(fmt.Sprintf("/v1/users/@nobody%d", n)).Want(404)
		ann.Do(fmt.Sprintf("BREW%d", n), "/v1/send").Want(405)
		ann.Do(fmt.Sprintf("BREW%d", n), fmt.Sprintf("/odd/%d", n)).Want(404)
		ann.Get(fmt.Sprintf("/v1/events?types=odd%d", n)).Want(422)
	}
	attack(0)
	before := roses(t, s, scrape{}, map[string]float64{ // all of them are counted
		`parley_http_requests_total{code="404", method="GET", route="/docs/{file}"}`:     1,
		`parley_http_requests_total{code="404", method="OTHER", route="unrouted"}`:       1,
		`parley_http_requests_total{code="422", method="GET", route="/v1/events"}`:       1,
		`parley_http_requests_total{code="201", method="POST", route="/v1/register"}`:    1,
		`parley_http_requests_total{code="404", method="GET", route="/v1/users/{user}"}`: 1,
	})
	if _, scraped := before[`parley_http_requests_total{code="200", method="GET", route="/metrics"}`]; !scraped {
		before = scrapeOf(t, s) // its own series is there after the first
	}
	const many = 1000 / 7
	for n := range many {
		attack(n + 1)
	}
	now := roses(t, s, before, map[string]float64{
		`parley_http_requests_total{code="404", method="GET", route="unrouted"}`:         many,
		`parley_http_requests_total{code="405", method="OTHER", route="unrouted"}`:       many,
		`parley_http_requests_total{code="404", method="OTHER", route="unrouted"}`:       many,
		`parley_http_requests_total{code="404", method="GET", route="/v1/rooms/{room}"}`: many,
	})
	for series := range now {
		if _, known := before[series]; !known && strings.HasPrefix(series, "parley_") {
			t.Errorf("a new series: %s", series)
		}
	}
}

// Numbers are wanted most when the database fails.
func TestMetricsWithoutADatabase(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ann.Get("/v1/me").Want(200) // from now on the session is known without the database
	before := scrapeOf(t, s)
	s.Break()
	ann.Post("/v1/send", map[string]any{"text": "lost"}).Refused("unavailable")
	roses(t, s, before, map[string]float64{
		`parley_commands_total{result="failed"}`:                                  1,
		`parley_http_requests_total{code="503", method="POST", route="/v1/send"}`: 1,
	})
	s.Mend()
}
