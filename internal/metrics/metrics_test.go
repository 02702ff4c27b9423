package metrics

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"net/http/httptest"

	"parley/api"
	"parley/broker"
	"parley/chat"
	"parley/models"
	"parley/store"
)

func watching(p Parts) *Metrics {
	m := New(Build{Version: "1.2.3", Revision: "abc", GoVersion: "go0"}, slog.New(slog.DiscardHandler))
	m.Watch(p)
	return m
}

func still() Parts {
	return Parts{
		Store:  func() store.Stats { return store.Stats{} },
		Broker: func() broker.Stats { return broker.Stats{} },
		Chat:   func() chat.Stats { return chat.Stats{} },
	}
}

func (m *Metrics) text(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// Each number is under the name that it belongs to.
func TestPartsAreShownUnderTheirNames(t *testing.T) {
	t.Parallel()
	m := watching(Parts{
		Store: func() store.Stats {
			return store.Stats{
				Commands:   store.Outcomes{Done: 1, Refused: 2, Failed: 3, Abandoned: 4, TurnedAway: 5},
				QueueDepth: 6, QueueCapacity: 7, CacheHits: 8, CacheMisses: 9,
				Readers: store.Readers{InUse: 10, Most: 11, Waits: 12, Waited: 13 * time.Second},
				Files:   store.Files{Database: 14, WAL: 15}, HasFiles: true,
			}
		},
		Broker: func() broker.Stats {
			return broker.Stats{
				Streams: map[broker.Format]int{broker.SSE: 16, broker.NDJSON: 17}, Waiters: 18, Online: 19,
				Deliveries: 20, DeliveredBytes: 21, Pages: 22, PageEvents: 23, Behind: 24, Lag: 25,
				Head: 26, RingEntries: 27, RingBytes: 28, Whispers: 36, Moments: 37,
			}
		},
		Chat: func() chat.Stats {
			return chat.Stats{
				SessionHits: 29, SessionMisses: 30, Sessions: 31,
				Hashes: chat.HashStats{Running: 32, Slots: 33, Waiting: 34, Computed: 35},
				Support: models.SupportNow{
					Queues: []models.QueueNow{
						{Queue: "general", Waiting: 38, Assigned: 39, LongestWait: 40 * time.Second}, {Queue: "Gäste", Waiting: 41},
					},
					Agents: models.AgentsNow{Available: 42, Present: 43, Capacity: 44, Load: 45},
				},
			}
		},
	})
	text := m.text(t)
	for _, want := range []string{
		`parley_build_info{go_version="go0",revision="abc",version="1.2.3"} 1`,
		`parley_commands_total{result="done"} 1`, `parley_commands_total{result="refused"} 2`,
		`parley_commands_total{result="failed"} 3`, `parley_commands_total{result="abandoned"} 4`,
		`parley_commands_total{result="turned_away"} 5`, `parley_writer_queue_depth 6`, `parley_writer_queue_capacity 7`,
		`parley_writer_cache_lookups_total{result="hit"} 8`, `parley_writer_cache_lookups_total{result="miss"} 9`,
		`parley_database_readers_in_use 10`, `parley_database_readers_limit 11`, `parley_database_reader_waits_total 12`,
		`parley_database_reader_wait_seconds_total 13`, `parley_database_size_bytes 14`, `parley_database_wal_size_bytes 15`,
		`parley_streams{format="sse"} 16`, `parley_streams{format="ndjson"} 17`, `parley_long_polls 18`,
		`parley_users_online 19`, `parley_deliveries_total 20`, `parley_delivered_bytes_total 21`,
		`parley_replay_pages_total 22`, `parley_replay_events_total 23`, `parley_replay_streams 24`,
		`parley_replay_lag_events 25`, `parley_log_head 26`, `parley_ring_entries 27`, `parley_ring_bytes 28`,
		`parley_whispers_total 36`, `parley_whispers_kept 37`,
		`parley_session_cache_lookups_total{result="hit"} 29`, `parley_session_cache_lookups_total{result="miss"} 30`,
		`parley_session_cache_entries 31`, `parley_password_hashes_running 32`, `parley_password_hashes_limit 33`,
		`parley_password_hashes_waiting 34`, `parley_password_hashes_total 35`,
		`parley_support_conversations{queue="general",state="queued"} 38`, `parley_support_conversations{queue="general",state="assigned"} 39`,
		`parley_support_longest_wait_seconds{queue="general"} 40`, `parley_support_conversations{queue="Gäste",state="queued"} 41`,
		`parley_support_agents_available 42`, `parley_support_agents_present 43`, `parley_support_capacity 44`, `parley_support_load 45`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// What the tables do not have is counted under one name, whatever it is.
func TestUnknownTypesAndReasonsShareOneSeries(t *testing.T) {
	t.Parallel()
	m := watching(still())
	before := strings.Count(m.text(t), "\n")
	gone := func(reason string) models.Event {
		return models.Event{Type: models.SessionFinished, Change: models.Change{Kind: models.SessionGone, Reason: reason}}
	}
	m.Published([]models.Event{
		{Type: models.MessageCreated}, {Type: "surprise.1"}, {Type: "surprise.2"}, gone("idle"), gone("whim 1"), gone("whim 2"),
	})
	m.Committed(store.Batch{Commands: 3, Took: 30 * time.Millisecond})
	m.CutReader()
	text := m.text(t)
	if after := strings.Count(text, "\n"); after != before {
		t.Errorf("%d lines became %d:\n%s", before, after, text)
	}
	for _, want := range []string{
		`parley_events_published_total{type="message.created"} 1`, `parley_events_published_total{type="other"} 2`,
		`parley_events_published_total{type="session.finished"} 3`, `parley_session_ends_total{reason="idle"} 1`,
		`parley_session_ends_total{reason="other"} 2`, `parley_commit_batch_size_bucket{le="2"} 0`,
		`parley_commit_batch_size_bucket{le="4"} 1`, `parley_commit_duration_seconds_sum 0.03`,
		`parley_slow_readers_cut_total 1`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// Each step of a conversation is counted under its name.
func TestStepsOfSupport(t *testing.T) {
	t.Parallel()
	m := watching(still())
	before := strings.Count(m.text(t), "\n")
	for _, step := range []models.SupportStep{
		{Kind: models.StepOpened}, {Kind: models.StepReopened}, {Kind: models.StepReopened},
		{Kind: models.StepAssigned, Took: 3 * time.Second}, {Kind: models.StepResponded, Took: 20 * time.Second},
		{Kind: models.StepClosed, Reason: models.VisitorLeft},
		{Kind: models.StepClosed, Reason: models.ClosedByAgent, Agent: true, Took: 50 * time.Second},
		{Kind: models.StepClosed, Reason: "whim", Agent: true}, {Kind: models.StepRated, Score: 4}, {},
	} {
		m.Published([]models.Event{{Type: models.SupportUpdated, Change: models.Change{Support: &step}}})
	}
	text := m.text(t)
	if after := strings.Count(text, "\n"); after != before {
		t.Errorf("%d lines became %d", before, after)
	}
	for _, want := range []string{
		`parley_support_opened_total 1`, `parley_support_reopened_total 2`, `parley_support_closed_total{reason="visitor_left"} 1`,
		`parley_support_closed_total{reason="agent"} 1`, `parley_support_closed_total{reason="other"} 1`,
		`parley_support_waiting_seconds_sum 3`, `parley_support_waiting_seconds_bucket{le="1"} 0`, `parley_support_waiting_seconds_bucket{le="5"} 1`,
		`parley_support_first_response_seconds_sum 20`, `parley_support_duration_seconds_sum 50`, `parley_support_duration_seconds_count 2`,
		`parley_support_ratings_total{score="4"} 1`, `parley_support_ratings_total{score="5"} 0`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// What is measured is not what is waited for by the client's own wish.
func TestStreamsHaveNoDuration(t *testing.T) {
	t.Parallel()
	m := watching(still())
	m.Served(api.Served{Method: "GET", Route: "/v1/events/stream", Status: 200, Took: time.Hour, Lasting: true})
	m.Served(api.Served{Method: "GET", Route: "/v1/me", Status: 200, Took: 2 * time.Millisecond})
	text := m.text(t)
	for want, is := range map[string]bool{
		`parley_http_requests_total{code="200",method="GET",route="/v1/events/stream"} 1`:        true,
		`parley_http_request_duration_seconds_count{method="GET",route="/v1/me"} 1`:              true,
		`parley_http_request_duration_seconds_count{method="GET",route="/v1/events/stream"}`:     false,
		`parley_http_request_duration_seconds_bucket{method="GET",route="/v1/me",le="0.0025"} 1`: true,
		`parley_http_request_duration_seconds_bucket{method="GET",route="/v1/me",le="0.001"} 0`:  true,
	} {
		if strings.Contains(text, "\n"+want) != is {
			t.Errorf("%s: want %v", want, is)
		}
	}
}

// A part that fails takes nothing else with it.
func TestAPartThatFails(t *testing.T) {
	t.Parallel()
	p := still()
	asked := 0
	p.Chat = func() chat.Stats {
		if asked++; asked > 1 { // once when it is registered
			panic("broken")
		}
		return chat.Stats{}
	}
	if text := watching(p).text(t); !strings.Contains(text, "parley_build_info") || !strings.Contains(text, "parley_streams") {
		t.Errorf("the answer is %s", text)
	}
}

// BenchmarkServed is what each request pays, BenchmarkPublished what each event does.
func BenchmarkServed(b *testing.B) {
	m := watching(still())
	r := api.Served{Method: "POST", Route: "/v1/send", Status: 201, Took: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		m.Served(r)
	}
}

func BenchmarkPublished(b *testing.B) {
	m := watching(still())
	events := []models.Event{{Type: models.MessageCreated}}
	b.ReportAllocs()
	for b.Loop() {
		m.Published(events)
	}
}
