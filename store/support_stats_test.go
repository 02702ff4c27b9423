package store

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// figureWorld is what happened to conversations, as the one who did it knows it. From it the figures are worked out anew, by
// the words of the spec and without haste.
type figureWorld struct {
	t     *testing.T
	store *Store
	rand  *rand.Rand
	now   atomic.Int64 // the clock, in ms

	agents []models.User
	queues map[int64]string
	all    []*figured
	next   int64
}

// figured is a conversation.
type figured struct {
	c      models.Conversation // as it is stored
	queue  int64               // that it was opened in
	spells []*agentSpell
	score  int
}

type agentSpell struct {
	agent, queue int64
	waits        time.Time // since when the conversation had waited
	from, to     time.Time // to zero: still
}

func (w *figureWorld) clock() time.Time { return time.UnixMilli(w.now.Load()).UTC() }

// pass lets some time go by, now and then none.
func (w *figureWorld) pass(most time.Duration) {
	if w.rand.IntN(10) > 0 {
		w.now.Add(w.rand.Int64N(most.Milliseconds()))
	}
}

func newFigureWorld(t *testing.T, o Options, seed uint64, from time.Time) *figureWorld {
	t.Helper()
	w := &figureWorld{t: t, rand: rand.New(rand.NewPCG(seed, 7)), queues: map[int64]string{1: "general"}, next: 1 << 20}
	w.now.Store(from.UnixMilli())
	o.Clock = w.clock
	w.store = mustOpen(t, o)
	for _, name := range []string{"zoe", "Ben", "ann"} {
		w.agents = append(w.agents, newUser(t, w.store, name, models.RoleAgent))
	}
	for id, name := range map[int64]string{2: "Sales", 3: "billing"} {
		w.exec("INSERT INTO support_queues (id, name, name_key, assignment, hours, created_at) VALUES (?, ?, ?, 'auto', '', 0)",
			id, name, models.NameKey(name))
		w.queues[id] = name
	}
	return w
}

func (w *figureWorld) exec(query string, args ...any) {
	w.t.Helper()
	do(w.t, w.store, func(t chat.Tx) error {
		_, err := t.(*tx).write("test", query, args...)
		return err
	})
}

func (w *figureWorld) do(cmd func(tx chat.Tx) error) {
	w.t.Helper()
	do(w.t, w.store, cmd)
}

func (w *figureWorld) open() {
	w.next++
	f := &figured{queue: 1 + w.rand.Int64N(3)}
	now := models.At(w.clock())
	f.c = models.Conversation{
		ID: w.next, VisitorID: w.next, QueueID: f.queue, State: models.Queued, Place: w.next, OpenedAt: now, QueuedAt: now,
	}
	w.do(func(tx chat.Tx) error { return tx.InsertConversation(f.c) })
	w.all = append(w.all, f)
}

func (w *figureWorld) running(f *figured) *agentSpell {
	if n := len(f.spells); n > 0 && f.spells[n-1].to.IsZero() {
		return f.spells[n-1]
	}
	return nil
}

func (w *figureWorld) release(tx chat.Tx, f *figured) error {
	s := w.running(f)
	if s == nil {
		return nil
	}
	s.to = w.clock()
	return tx.EndAssignment(f.c.ID)
}

// step does something that is possible to the conversation.
func (w *figureWorld) step(f *figured) {
	now := models.At(w.clock())
	switch do := w.rand.IntN(10); {
	case f.c.State == models.Queued && do < 6, f.c.State == models.Assigned && do < 2: // assigned, or transferred
		w.do(func(tx chat.Tx) error {
			if err := w.release(tx, f); err != nil {
				return err
			}
			if do == 0 { // to another department
				f.c.QueueID = 1 + w.rand.Int64N(3)
			}
			f.c.State, f.c.AgentID, f.c.AssignedAt = models.Assigned, w.agents[w.rand.IntN(len(w.agents))].ID, now
			if f.c.FirstAssignedAt.IsZero() {
				f.c.FirstAssignedAt = now
			}
			f.spells = append(f.spells, &agentSpell{agent: f.c.AgentID, queue: f.c.QueueID, waits: f.c.QueuedAt.Time, from: now.Time})
			w.next++
			if err := tx.InsertAssignment(w.next, f.c); err != nil {
				return err
			}
			return tx.UpdateConversation(f.c)
		})
	case f.c.State == models.Assigned && do < 6:
		if f.c.RespondedAt.IsZero() {
			f.c.RespondedAt = now
			w.do(func(tx chat.Tx) error { return tx.UpdateConversation(f.c) })
		}
	case f.c.State == models.Assigned && do == 6:
		w.do(func(tx chat.Tx) error {
			if err := w.release(tx, f); err != nil {
				return err
			}
			f.c.State, f.c.AgentID, f.c.QueuedAt = models.Queued, 0, now
			return tx.UpdateConversation(f.c)
		})
	case f.c.State != models.Closed:
		w.do(func(tx chat.Tx) error {
			f.c.State, f.c.ClosedAt = models.Closed, now
			if err := tx.UpdateConversation(f.c); err != nil {
				return err
			}
			return w.release(tx, f)
		})
	case do < 5 && f.score == 0:
		f.score = 1 + w.rand.IntN(5)
		w.exec("INSERT INTO ratings (conversation_id, score, comment, created_at) VALUES (?, ?, '', 1)", f.c.ID, f.score)
	case do == 5:
		f.c.State, f.c.AgentID, f.c.QueuedAt, f.c.ClosedAt = models.Queued, 0, now, models.Time{}
		w.do(func(tx chat.Tx) error { return tx.UpdateConversation(f.c) })
	}
}

// play lets conversations go on until the time has come.
func (w *figureWorld) play(until time.Time, pause time.Duration) {
	for w.clock().Before(until) {
		w.pass(pause)
		if w.rand.IntN(4) == 0 || len(w.all) == 0 {
			w.open()
			continue
		}
		w.step(w.all[max(0, len(w.all)-1-w.rand.IntN(6))])
	}
}

// spreadOf is the oracle's: it goes by the definitions.
func spreadOf(all []time.Duration) models.Spread {
	if len(all) == 0 {
		return models.Spread{}
	}
	slices.Sort(all)
	s := models.Spread{Count: len(all), Max: slices.Max(all)}
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	s.Average = time.Duration(math.Round(float64(sum) / float64(len(all))))
	if n := len(all); n%2 == 1 {
		s.Median = all[n/2]
	} else {
		s.Median = (all[n/2-1] + all[n/2]) / 2
	}
	for _, d := range all { // the smallest that 95 % are not above
		within := 0
		for _, other := range all {
			if other <= d {
				within++
			}
		}
		if within*100 >= 95*len(all) {
			s.P95 = d
			break
		}
	}
	return s
}

func ratingsOf(scores []int) (r models.RatingFigures) {
	for _, score := range scores {
		if score > 0 {
			r.Count++
			r.Scores[score-1]++
			r.Average += float64(score)
		}
	}
	if r.Count > 0 {
		r.Average /= float64(r.Count)
	}
	return r
}

// figuresOf are those of the conversations that fit.
func (w *figureWorld) figuresOf(fits func(f *figured) bool) (s models.SupportFigures) {
	var waits, responses, durations []time.Duration
	var scores []int
	for _, f := range w.all {
		if !fits(f) {
			continue
		}
		s.Opened++
		scores = append(scores, f.score)
		closed := f.c.State == models.Closed
		if closed {
			s.Closed++
		}
		if len(f.spells) == 0 {
			if closed {
				s.Abandoned++
			}
			continue
		}
		s.Assigned++
		first := f.spells[0]
		waits = append(waits, first.from.Sub(first.waits))
		if !f.c.RespondedAt.IsZero() {
			responses = append(responses, f.c.RespondedAt.Sub(first.from))
		}
		if closed {
			var with time.Duration
			for _, spell := range f.spells {
				with += spell.to.Sub(spell.from)
			}
			durations = append(durations, with)
		}
	}
	s.Waiting, s.FirstResponse, s.Duration, s.Ratings = spreadOf(waits), spreadOf(responses), spreadOf(durations), ratingsOf(scores)
	return s
}

// queueOf is the department that a conversation counts for now.
func (w *figureWorld) queueOf(id int64) int64 {
	if _, there := w.queues[id]; there {
		return id
	}
	return models.GeneralQueue
}

// want works out the answer to a query for the days that the first list names.
func (w *figureWorld) want(dates []string, zone *time.Location, queue int64) models.SupportStats {
	date := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	in := func(f *figured) bool {
		return slices.Contains(dates, date(f.c.OpenedAt.Time)) && (queue == 0 || queue == w.queueOf(f.queue))
	}
	byQueue := func(fits func(f *figured) bool) []models.QueueFigures {
		list := []models.QueueFigures{}
		for _, id := range []int64{3, 1, 2} { // by name
			if q := w.figuresOf(func(f *figured) bool { return fits(f) && w.queueOf(f.queue) == id }); q.Opened > 0 {
				list = append(list, models.QueueFigures{Queue: w.queues[id], SupportFigures: q})
			}
		}
		return list
	}
	s := models.SupportStats{
		From: dates[0], To: dates[len(dates)-1], Timezone: zone.String(), Queue: "", Total: w.figuresOf(in), Queues: byQueue(in),
	}
	if queue != 0 {
		s.Queue = w.queues[queue]
	}
	for _, d := range dates {
		that := func(f *figured) bool { return in(f) && date(f.c.OpenedAt.Time) == d }
		s.Days = append(s.Days, models.DayFigures{Date: d, SupportFigures: w.figuresOf(that), Queues: byQueue(that)})
	}
	s.Agents = []models.AgentFigures{}
	for _, i := range []int{2, 1, 0} { // by name
		if a := w.agentOf(w.agents[i], dates, date, queue); a.Assigned > 0 {
			s.Agents = append(s.Agents, a)
		}
	}
	return s
}

// agentOf looks at every millisecond at which something of the agent's changes, and at those at which the days do.
func (w *figureWorld) agentOf(agent models.User, dates []string, date func(time.Time) string, queue int64) models.AgentFigures {
	a := models.AgentFigures{UserID: agent.ID, Name: agent.Name}
	last := w.clock()
	within := func(t time.Time) bool { return slices.Contains(dates, date(t)) }
	// The bounds of the days, found by going through all hours and their quarters.
	var moments []time.Time
	for t := w.clock().Add(-40 * 24 * time.Hour).Truncate(time.Hour); t.Before(last.Add(time.Hour)); t = t.Add(15 * time.Minute) {
		if within(t) != within(t.Add(-1)) {
			moments = append(moments, t)
		}
	}
	var spells []agentSpell
	var responses []time.Duration
	var scores []int
	for _, f := range w.all {
		answered, had := false, false
		for i, spell := range f.spells {
			end := spell.to
			if end.IsZero() {
				end = last
			}
			mine := spell.agent == agent.ID && (queue == 0 || w.queueOf(spell.queue) == queue)
			covers := !f.c.RespondedAt.IsZero() && !f.c.RespondedAt.Before(spell.from) && !f.c.RespondedAt.After(end)
			counted := queue == 0 || w.queueOf(spell.queue) == queue
			if covers && counted && !answered {
				answered = true
				if mine && within(f.c.RespondedAt.Time) {
					responses = append(responses, f.c.RespondedAt.Sub(spell.from))
				}
			}
			touches := within(spell.from) || within(end)
			for _, m := range moments {
				touches = touches || within(m) && !m.Before(spell.from) && !m.After(end)
			}
			if !mine || !touches {
				continue
			}
			had = true
			spells = append(spells, agentSpell{from: spell.from, to: end})
			moments = append(moments, spell.from, end)
			if i == len(f.spells)-1 && f.c.State == models.Closed && f.c.AgentID == agent.ID && f.c.ClosedAt.Equal(spell.to) && within(spell.to) {
				a.Closed++
				scores = append(scores, f.score)
			}
		}
		if had {
			a.Assigned++
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	var held time.Duration
	for i, m := range moments {
		if !within(m) {
			continue
		}
		at, beside, moment := 0, 0, 0
		for _, spell := range spells {
			if !spell.from.After(m) && spell.to.After(m) {
				at++
			}
			if spell.from.Before(m) && spell.to.After(m) {
				beside++
			}
			if spell.from.Equal(m) && spell.to.Equal(m) { // for no time: beside those that go on
				moment = 1
			}
		}
		a.MaxLoad = max(a.MaxLoad, at, moment*(beside+1))
		if at > 0 && i+1 < len(moments) {
			took := moments[i+1].Sub(m)
			a.Busy += took
			held += time.Duration(at) * took
		}
	}
	if a.Busy > 0 {
		a.AverageLoad = float64(held) / float64(a.Busy)
	}
	if a.Assigned > 0 {
		a.MaxLoad = max(a.MaxLoad, 1)
	}
	a.FirstResponse, a.Ratings = spreadOf(responses), ratingsOf(scores)
	return a
}

func (w *figureWorld) check(dates []string, zone *time.Location, queue int64) {
	w.t.Helper()
	service := chat.New(chat.Options{Store: w.store, Clock: w.clock, Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1})})
	got, err := service.SupportStats(w.t.Context(), chat.Actor{User: w.agents[0]}, chat.StatsQuery{
		From: dates[0], To: dates[len(dates)-1], Timezone: zone.String(), Queue: w.queues[queue],
	})
	if err != nil {
		w.t.Fatal(err)
	}
	want := w.want(dates, zone, queue)
	want.Now = w.wantNow(queue)
	same(w.t, fmt.Sprintf("%s to %s, %s, department %d", dates[0], dates[len(dates)-1], zone, queue), got, want)
}

func (w *figureWorld) wantNow(queue int64) (now models.SupportNow) {
	for _, id := range []int64{3, 1, 2} {
		if _, there := w.queues[id]; !there || queue != 0 && queue != id {
			continue
		}
		q := models.QueueNow{Queue: w.queues[id]}
		for _, f := range w.all {
			switch {
			case f.c.QueueID != id:
			case f.c.State == models.Queued:
				q.Waiting++
				q.LongestWait = max(q.LongestWait, w.clock().Sub(f.c.QueuedAt.Time))
			case f.c.State == models.Assigned:
				q.Assigned++
			}
		}
		now.Queues = append(now.Queues, q)
	}
	return now
}

// same compares part by part, so that what differs can be read. Averages of loads are sums in another order.
func same(t *testing.T, where string, got, want models.SupportStats) {
	t.Helper()
	for i := range min(len(got.Agents), len(want.Agents)) {
		if g := &got.Agents[i]; math.Abs(g.AverageLoad-want.Agents[i].AverageLoad) < 1e-9 {
			g.AverageLoad = want.Agents[i].AverageLoad
		}
	}
	for name, pair := range map[string][2]any{
		"total": {got.Total, want.Total}, "queues": {got.Queues, want.Queues}, "days": {got.Days, want.Days},
		"agents": {got.Agents, want.Agents}, "now": {got.Now, want.Now},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %s:\n got %+v\nwant %+v", where, name, pair[0], pair[1])
		}
	}
	if got.From != want.From || got.To != want.To || got.Timezone != want.Timezone || got.Queue != want.Queue {
		t.Errorf("%s: got %s to %s, %s, %q", where, got.From, got.To, got.Timezone, got.Queue)
	}
}

// datesFrom gives n days from the first on.
func datesFrom(first string, n int) (dates []string) {
	t, err := time.Parse(time.DateOnly, first)
	if err != nil {
		panic(err)
	}
	for i := range n {
		dates = append(dates, t.AddDate(0, 0, i).Format(time.DateOnly))
	}
	return dates
}

// Figures are what the spec says, by the clock of any zone, also on days of 23 and 25 hours and on those that
// begin twice or at one o'clock.
func TestSupportFigures(t *testing.T) {
	t.Parallel()
	zones := map[string]string{ // with a day on which the clock is moved
		"Europe/Berlin": "2026-03-29", "America/Havana": "2026-11-01", "UTC": "2026-07-15", "Africa/Cairo": "2026-04-24", "Asia/Kathmandu": "2026-01-01",
		"Australia/Lord_Howe": "2026-04-05", "Atlantic/Azores": "2026-10-25", "America/New_York": "2026-11-01",
	}
	for i, name := range slices.Sorted(maps.Keys(zones)) {
		if testing.Short() && name != "Europe/Berlin" {
			continue // one call after the other: the race detector would find the same in each
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			onBoth(t, func(t *testing.T, o Options) {
				moved, _ := time.Parse(time.DateOnly, zones[name])
				w := newFigureWorld(t, o, uint64(i), moved.Add(-60*time.Hour))
				w.play(moved.Add(84*time.Hour), time.Hour)
				first := moved.AddDate(0, 0, -3).Format(time.DateOnly)
				w.check(datesFrom(first, 8), zone, 0)
				w.check(datesFrom(zones[name], 1), zone, 0)
				w.check(datesFrom(zones[name], 1), zone, 2)
				w.check(datesFrom(moved.AddDate(0, 0, -1).Format(time.DateOnly), 1), zone, 0)
				w.check(datesFrom(moved.AddDate(0, 0, 1).Format(time.DateOnly), 2), zone, 3)
				w.check(datesFrom(moved.AddDate(0, 0, 30).Format(time.DateOnly), 3), zone, 0)

				// What a department had that is no more, is the general one's.
				w.exec("UPDATE conversations SET queue_id = 1 WHERE queue_id = 3")
				w.exec("DELETE FROM support_queues WHERE id = 3")
				delete(w.queues, 3)
				for _, f := range w.all {
					f.c.QueueID = w.queueOf(f.c.QueueID)
				}
				w.check(datesFrom(first, 8), zone, 0)
				w.check(datesFrom(first, 8), zone, 1)
			})
		})
	}
}

// How long agents had a conversation is what its end is told with.
func TestServed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		w := newFigureWorld(t, o, 5, fixedClock())
		w.play(fixedClock().Add(24*time.Hour), 20*time.Minute)
		view(t, w.store, func(r chat.Reader) error {
			for _, f := range w.all {
				var want time.Duration
				for _, spell := range f.spells {
					if !spell.to.IsZero() {
						want += spell.to.Sub(spell.from)
					}
				}
				if got, err := r.Served(f.c.ID); got != want || err != nil {
					t.Errorf("conversation %d: %v, %v, want %v", f.c.ID, got, err, want)
				}
			}
			return nil
		})
	})
}
