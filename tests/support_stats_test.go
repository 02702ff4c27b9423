package tests

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// stillClock stands still but when it is moved.
type stillClock struct{ ms atomic.Int64 }

func (c *stillClock) now() time.Time         { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *stillClock) pass(d time.Duration)   { c.ms.Add(d.Milliseconds()) }
func (c *stillClock) is(hour, minute, s int) { c.ms.Store(c.at(hour, minute, s).UnixMilli()) }
func (c *stillClock) use() harness.Option {
	return harness.Tune(func(o *app.Options) { o.Clock = c.now })
}
func (c *stillClock) at(h, m, s int) time.Time { return time.Date(2026, 3, 28, h, m, s, 0, time.UTC) }

// desk starts a server with such a clock, at ten to midnight in Berlin before a day of 23 hours, and an agent who takes one
// conversation at once.
func desk(t *testing.T, with ...harness.Option) (*harness.Server, *stillClock, *harness.User) {
	t.Helper()
	clock := new(stillClock)
	clock.is(22, 49, 0)
	s := harness.Start(t, append(with, clock.use(), harness.Flags("--support-leave-after", "1000h"))...)
	clock.pass(time.Minute) // later than what holds just after the start
	eve := s.Agent(s.User("admin"), "eve")
	eve.Stream()
	eve.Serve(1)
	return s, clock, eve
}

func statsOf(u *harness.User, query string) client.SupportStats {
	return harness.Into[client.SupportStats](u.Get("/v1/support/stats?" + query).Want(200))
}

func spans(count int, average, median, p95, most float64) client.DurationFigures {
	return client.DurationFigures{Count: count, Average: &average, Median: &median, P95: &p95, Max: &most}
}

// evening is what happens in the tests below: two conversations of the 28th, the second waits for the first, and one of the
// 29th that nobody took.
func evening(s *harness.Server, clock *stillClock, eve *harness.User) {
	first := s.Visitor("Bo").Open(map[string]any{"text": "hello"})
	clock.pass(10 * time.Second)
	eve.Send(fmt.Sprint(first.RoomID), "hello, Bo")
	second := s.Visitor("Li").Open(nil)
	clock.pass(50 * time.Second)
	act(eve, first.ID, "close").Want(200)
	clock.pass(20 * time.Second)
	eve.Send(fmt.Sprint(second.RoomID), "hello, Li")
	eve.Send(fmt.Sprint(second.RoomID), "how are you?")
	clock.is(23, 10, 0)
	mo := s.Visitor("Mo")
	third := mo.Open(nil)
	clock.pass(time.Minute)
	act(mo, third.ID, "close").Want(200)
	clock.is(23, 20, 0)
	act(eve, second.ID, "close").Want(200)
}

// Each conversation is of the day on which it was opened, by the clock of the zone; what an agent did is of the time itself.
func TestSupportStats(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			var with []harness.Option
			if database == "postgres" {
				with = append(with, harness.Postgres())
			}
			s, clock, eve := desk(t, with...)
			evening(s, clock, eve)
			none := client.RatingFigures{}
			before := client.SupportFigures{
				Opened: 2, Assigned: 2, Closed: 2, Waiting: spans(2, 25, 25, 50, 50), FirstResponse: spans(2, 15, 15, 20, 20),
				Duration: spans(2, 900, 900, 1740, 1740), Ratings: none,
			}
			after := client.SupportFigures{Opened: 1, Closed: 1, Abandoned: 1, Ratings: none}
			total := before
			total.Opened, total.Closed, total.Abandoned = 3, 3, 1
			in := func(f client.SupportFigures, date, queue string) client.SupportFigures {
				if date != "" {
					f.Date = &date
				}
				if queue != "" {
					f.Queue = &queue
				}
				return f
			}
			now := client.SupportNow{
				Queues: []client.QueueNow{{Queue: "general"}}, Agents: client.AgentsNow{Available: 1, Here: 1, Capacity: 1},
			}
			did := client.AgentFigures{
				User: client.Peer{ID: eve.ID, Name: "eve"}, Assigned: 2, Closed: 2, BusySeconds: 1800,
				Load: client.AgentLoad{Average: new(1.0), Max: 1}, FirstResponse: spans(2, 15, 15, 20, 20), Ratings: none,
			}
			wants := func(query string, want client.SupportStats) {
				t.Helper()
				want.Now = now
				if got := statsOf(eve, query); !reflect.DeepEqual(got, want) {
					t.Errorf("%s:\n got %+v\nwant %+v", query, got, want)
				}
			}
			wants("timezone=Europe/Berlin&from=2026-03-28&to=2026-03-29", client.SupportStats{
				From: "2026-03-28", To: "2026-03-29", Timezone: "Europe/Berlin", Total: total,
				Queues:    []client.SupportFigures{in(total, "", "general")},
				Days:      []client.SupportFigures{in(before, "2026-03-28", ""), in(after, "2026-03-29", "")},
				QueueDays: []client.SupportFigures{in(before, "2026-03-28", "general"), in(after, "2026-03-29", "general")},
				Agents:    []client.AgentFigures{did},
			})
			// From midnight on eve had the second one for twenty minutes more.
			did.Assigned, did.Closed, did.BusySeconds, did.FirstResponse = 1, 1, 1200, client.DurationFigures{}
			wants("timezone=Europe/Berlin&from=2026-03-29&to=2026-03-29&queue=General", client.SupportStats{
				From: "2026-03-29", To: "2026-03-29", Timezone: "Europe/Berlin", Queue: new("general"), Total: after,
				Queues:    []client.SupportFigures{in(after, "", "general")},
				Days:      []client.SupportFigures{in(after, "2026-03-29", "")},
				QueueDays: []client.SupportFigures{in(after, "2026-03-29", "general")},
				Agents:    []client.AgentFigures{did},
			})
			if got := statsOf(eve, ""); got.From != "2026-03-22" || got.To != "2026-03-28" || len(got.Days) != 7 || got.Total.Opened != 3 || got.Days[6].Opened != 3 {
				t.Errorf("of the last week in UTC: %+v", got)
			}
			if got := statsOf(eve, "from=2026-03-27&timezone=Pacific/Auckland"); got.To != "2026-03-29" || got.Days[2].Opened != 3 {
				t.Errorf("where it is the 29th all along: %+v", got)
			}
		})
	}
}

// A figure of what still goes on is as far as it has come.
func TestSupportStatsOfTheMoment(t *testing.T) {
	t.Parallel()
	s, clock, eve := desk(t)
	s.Visitor("Bo").Open(nil)
	clock.pass(30 * time.Second)
	s.Visitor("Li").Open(nil)
	clock.pass(15250 * time.Millisecond)
	got := statsOf(eve, "")
	want := client.SupportNow{
		Queues: []client.QueueNow{{Queue: "general", Waiting: 1, LongestWaitSeconds: new(15.25), Assigned: 1}},
		Agents: client.AgentsNow{Available: 1, Here: 1, Capacity: 1, Load: 1},
	}
	if !reflect.DeepEqual(got.Now, want) {
		t.Errorf("now: %+v, want %+v", got.Now, want)
	}
	if total := got.Total; total.Opened != 2 || total.Assigned != 1 || total.Closed != 0 || total.Duration.Count != 0 || total.Waiting.Count != 1 {
		t.Errorf("in all: %+v", total)
	}
	if a := got.Agents; len(a) != 1 || a[0].BusySeconds != 45.25 || a[0].Assigned != 1 || a[0].Closed != 0 {
		t.Errorf("agents: %+v", a)
	}
	if got := statsOf(eve, "from=2026-05-01&to=2026-05-02"); len(got.Agents) != 0 || got.Total.Opened != 0 || len(got.Days) != 2 {
		t.Errorf("of days to come: %+v", got)
	}
}

func TestSupportStatsAreRefused(t *testing.T) {
	t.Parallel()
	s, _, eve := desk(t)
	for _, u := range []*harness.User{s.User("member"), s.Guest(""), s.Visitor("Bo")} {
		u.Get("/v1/support/stats").Refused("forbidden")
		u.Get("/v1/support/stats?queue=nowhere").Refused("forbidden")
	}
	s.Do("GET", "/v1/support/stats").Refused("unauthorized")
	for query, field := range map[string]string{
		"from=never": "from", "from=2026-02-30": "from", "from=": "from", "from=2026-3-1&": "from", "to=20260301": "to", "to=2026-13-01": "to",
		"from=2026-03-02&to=2026-03-01": "from", "from=2026-04-01": "from", "from=2025-12-01&to=2026-03-03": "from", "from=0001-01-01": "from",
		"timezone=Mars/Base": "timezone", "timezone=Local": "timezone", "timezone=../UTC": "timezone", "timezone=": "timezone", "timezone=%00": "timezone",
		"queue=nowhere": "queue", "queue=": "queue", "queue=%00": "queue",
	} {
		eve.Get("/v1/support/stats?"+query).Refused("validation_failed", field)
	}
	if got := statsOf(eve, "from=2025-12-01&to=2026-03-02"); len(got.Days) != 92 {
		t.Errorf("%d days", len(got.Days))
	}
	statsOf(eve, "from=9999-12-31&to=9999-12-31")
	statsOf(eve, "from=0001-01-01&to=0001-01-01&timezone=America/Havana")
}

// What happens to conversations is counted, each thing once, and how many there are is known after a restart too.
func TestMetricsOfSupport(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			var with []harness.Option
			if database == "postgres" {
				with = append(with, harness.Postgres())
			}
			s, clock, eve := desk(t, with...)
			before := scrapeOf(t, s)
			evening(s, clock, eve)
			bo, li := s.Visitor("Bo"), s.Visitor("Li")
			last := bo.Open(nil)
			li.Open(nil)
			act(bo, last.ID, "close").Want(200)
			act(bo, last.ID, "reopen").Want(200)
			clock.pass(90 * time.Second)
			roses(t, s, before, map[string]float64{
				`parley_support_opened_total`:                                     5,
				`parley_support_reopened_total`:                                   1,
				`parley_support_closed_total{reason="agent"}`:                     2,
				`parley_support_closed_total{reason="visitor"}`:                   2,
				`parley_support_closed_total{reason="other"}`:                     0,
				`parley_support_waiting_seconds_count`:                            4,
				`parley_support_waiting_seconds_sum`:                              50,
				`parley_support_waiting_seconds_bucket{le="30"}`:                  3,
				`parley_support_first_response_seconds_count`:                     2,
				`parley_support_first_response_seconds_sum`:                       30,
				`parley_support_duration_seconds_count`:                           3,
				`parley_support_duration_seconds_sum`:                             1800,
				`parley_events_published_total{type="support.responded"}`:         2,
				`parley_support_conversations{queue="general", state="queued"}`:   1,
				`parley_support_conversations{queue="general", state="assigned"}`: 1,
				`parley_support_longest_wait_seconds{queue="general"}`:            90,
				`parley_support_load`:                                             1,
			})
			s.Restart()
			eve.Get("/v1/me").Want(200)
			now := scrapeOf(t, s)
			for series, want := range map[string]float64{
				`parley_support_opened_total`:                                     0,
				`parley_support_conversations{queue="general", state="queued"}`:   1,
				`parley_support_conversations{queue="general", state="assigned"}`: 1,
				`parley_support_longest_wait_seconds{queue="general"}`:            90,
				`parley_support_agents_available`:                                 1,
			} {
				if now[series] != want {
					t.Errorf("after a restart %s is %v, want %v", series, now[series], want)
				}
			}
			stream := eve.Stream()
			are := func(present, capacity, load float64) {
				t.Helper()
				err := eventually(t.Context(), func() error {
					now := scrapeOf(t, s)
					got := [3]float64{now[`parley_support_agents_present`], now[`parley_support_capacity`], now[`parley_support_load`]}
					if want := [3]float64{present, capacity, load}; got != want {
						return fmt.Errorf("present, capacity and load are %v, want %v", got, want)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			are(1, 1, 1)
			eve.Serve(3)
			are(1, 3, 2)
			stream.Close()
		})
	}
}

// A database that does not answer takes no numbers away.
func TestMetricsOfSupportWithoutADatabase(t *testing.T) {
	t.Parallel()
	s, _, _ := desk(t)
	s.Visitor("Bo").Open(nil)
	const assigned = `parley_support_conversations{queue="general", state="assigned"}`
	err := eventually(t.Context(), func() error {
		if scrapeOf(t, s)[assigned] != 1 {
			return errors.New("nothing is assigned")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Break()
	if now := scrapeOf(t, s); now[assigned] != 1 {
		t.Errorf("without a database %v are assigned", now[assigned])
	}
	s.Mend()
}
