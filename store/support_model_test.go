package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/chat"
	"parley/models"
)

// What follows is support as one would explain it to somebody, worked out anew from lists each time. It shares nothing with
// the rules that it judges but the words of package models.

const (
	leaveAfter  = 2 * time.Minute  // until a visitor has left
	requestsFor = 2 * time.Minute  // for as long an agent without a stream is here after a request
	quietStart  = 30 * time.Second // after the start, nobody is taken for gone
	comesBack   = 24 * time.Hour   // for as long a visitor can go on with what was closed
)

// modelPerson is an account, and how it is here.
type modelPerson struct {
	id            int64
	name          string
	role          models.Role
	streams       int
	polls         int
	until, polled time.Time // present until then, without any; the same by polls alone
	went, asked   time.Time // when the last one ended, and the last request since
}

// modelAgent is what an agent said of themselves.
type modelAgent struct {
	available bool
	capacity  int
	queues    []int64 // none: all
	idle      time.Time
}

type modelConversation struct {
	id, visitor, queue, agent int64
	state                     models.ConversationState
	front                     bool
	place                     int // among those not in front
	reason                    models.CloseReason
	closed                    time.Time
}

func (c modelConversation) open() bool { return c.state != models.Closed }

// supportModel is what should be the case now.
type supportModel struct {
	now     time.Time
	started time.Time
	people  map[int64]*modelPerson
	agents  map[int64]*modelAgent
	list    []*modelConversation // by id
	manual  map[int64]bool       // the departments
	places  int
	told    []string // every change, as the events should tell it
}

// clone is for what is undone.
func (m *supportModel) clone() *supportModel {
	c := *m
	c.agents, c.list, c.told = map[int64]*modelAgent{}, nil, slices.Clone(m.told)
	for id, a := range m.agents {
		other := *a
		c.agents[id] = &other
	}
	for _, v := range m.list {
		other := *v
		c.list = append(c.list, &other)
	}
	return &c
}

func (m *supportModel) present(id int64) bool {
	p := m.people[id]
	return p != nil && (p.streams+p.polls > 0 || m.now.Before(p.until))
}

// here says whether an agent can be given conversations.
func (m *supportModel) here(id int64) bool {
	p := m.people[id]
	return m.present(id) || p != nil && m.now.Sub(p.asked) < requestsFor
}

func (m *supportModel) starting() bool { return m.now.Before(m.started.Add(quietStart)) }

// left says whether a visitor has been away for too long.
func (m *supportModel) left(id int64) bool {
	last := m.started
	for _, at := range []time.Time{m.people[id].went, m.people[id].asked} {
		if at.After(last) {
			last = at
		}
	}
	return !m.starting() && !m.present(id) && m.now.Sub(last) >= leaveAfter
}

func (m *supportModel) arrive(id int64, poll bool) {
	if poll {
		m.people[id].polls++
	} else {
		m.people[id].streams++
	}
}

func (m *supportModel) depart(id int64, poll bool) {
	p := m.people[id]
	if poll {
		p.polls--
		p.polled = m.now.Add(30 * time.Second)
	} else {
		p.streams--
	}
	if p.streams+p.polls > 0 {
		return
	}
	p.until = m.started.Add(quietStart)
	if at := m.now.Add(3 * time.Second); !poll && at.After(p.until) {
		p.until = at
	}
	if p.polled.After(p.until) {
		p.until = p.polled
	}
	p.went, p.asked = m.now, time.Time{}
}

// restart forgets all that is in memory.
func (m *supportModel) restart() {
	m.started = m.now
	for _, p := range m.people {
		p.streams, p.polls = 0, 0
		p.until, p.polled, p.went, p.asked = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	}
}

// conversation finds one; openOf the visitor's that is open.
func (m *supportModel) conversation(id int64) *modelConversation {
	for _, c := range m.list {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (m *supportModel) openOf(visitor int64) *modelConversation {
	for _, c := range m.list {
		if c.visitor == visitor && c.open() {
			return c
		}
	}
	return nil
}

func (m *supportModel) load(agent int64) (n int) {
	for _, c := range m.list {
		if c.state == models.Assigned && c.agent == agent {
			n++
		}
	}
	return n
}

// free says whether the agent can be given a conversation of the visitor's.
func (m *supportModel) free(agent, visitor int64) bool {
	a, p := m.agents[agent], m.people[agent]
	return a != nil && p != nil && p.role.Staff() && a.available && m.here(agent) && m.load(agent) < a.capacity && agent != visitor
}

// next is who gets a conversation of the department, 0 for nobody: the least loaded, then the longest idle, then the oldest.
func (m *supportModel) next(queue, visitor, not int64) int64 {
	var best int64
	for id, a := range m.agents {
		if id == not || !m.free(id, visitor) || len(a.queues) > 0 && !slices.Contains(a.queues, queue) {
			continue
		}
		if best == 0 || cmp.Or(cmp.Compare(m.load(id), m.load(best)), a.idle.Compare(m.agents[best].idle), cmp.Compare(id, best)) < 0 {
			best = id
		}
	}
	return best
}

// queued gives who waits, of all departments, in their order.
func (m *supportModel) queued() (list []*modelConversation) {
	for _, c := range m.list {
		if c.state == models.Queued {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *modelConversation) int {
		switch {
		case a.front && b.front:
			return cmp.Compare(a.id, b.id)
		case a.front:
			return -1
		case b.front:
			return 1
		}
		return cmp.Compare(a.place, b.place)
	})
	return list
}

// position is the place of a queued conversation in its department.
func (m *supportModel) position(c *modelConversation) (n int) {
	for _, other := range m.queued() {
		if other.queue == c.queue {
			n++
		}
		if other == c {
			break
		}
	}
	return n
}

// tell notes that a conversation is told about.
func (m *supportModel) tell(c *modelConversation) { m.told = append(m.told, c.String()) }

func (c modelConversation) String() string {
	return fmt.Sprintf("%d of %d is %s, agent %d, department %d %s", c.id, c.visitor, c.state, c.agent, c.queue, c.reason)
}

// assign gives a conversation to an agent.
func (m *supportModel) assign(c *modelConversation, agent int64) {
	c.state, c.agent, c.front = models.Assigned, agent, false
	m.tell(c)
}

// frees notes that an agent has lost a conversation just now.
func (m *supportModel) frees(agent int64) {
	if a := m.agents[agent]; a != nil {
		a.idle = m.now
	}
}

// enqueue puts a conversation to the end of its queue; requeue to its head, where the oldest comes first.
func (m *supportModel) enqueue(c *modelConversation) {
	m.places++
	c.state, c.agent, c.front, c.place, c.reason, c.closed = models.Queued, 0, false, m.places, "", time.Time{}
	m.tell(c)
}

func (m *supportModel) requeue(c *modelConversation) {
	m.frees(c.agent)
	c.state, c.agent, c.front = models.Queued, 0, true
	m.tell(c)
}

func (m *supportModel) requeueAll(agent int64) {
	for _, c := range m.list {
		if c.state == models.Assigned && c.agent == agent {
			m.requeue(c)
		}
	}
}

func (m *supportModel) close(c *modelConversation, reason models.CloseReason) {
	had := c.state == models.Assigned
	c.state, c.reason, c.closed, c.front = models.Closed, reason, m.now, false
	m.tell(c)
	if had {
		m.frees(c.agent)
	}
}

// settle gives to agents what can be given.
func (m *supportModel) settle() {
	for again := true; again; {
		again = false
		for _, c := range m.queued() {
			if agent := m.next(c.queue, c.visitor, 0); agent != 0 && !m.manual[c.queue] {
				m.assign(c, agent)
				again = true
				break
			}
		}
	}
}

// look is what the server does by itself each second.
func (m *supportModel) look() {
	for _, c := range slices.Clone(m.list) {
		p := m.people[c.visitor]
		if c.reason != models.VisitorLeft || m.now.Sub(c.closed) >= comesBack || p == nil || p.role.Staff() || !m.present(c.visitor) {
			continue
		}
		if !slices.ContainsFunc(m.list, func(o *modelConversation) bool { return o.visitor == c.visitor && o.id > c.id }) {
			m.enqueue(c)
			m.settle()
		}
	}
	for _, c := range m.list {
		if c.open() && m.left(c.visitor) {
			m.close(c, models.VisitorLeft)
			m.settle()
		}
	}
	for _, c := range m.list {
		if c.state == models.Assigned && !m.here(c.agent) && !m.starting() {
			m.requeueAll(c.agent)
			m.settle()
		}
	}
	m.settle()
}

// What follows are the calls: what is answered, "" for success, and what they do.

func (m *supportModel) opens(visitor, queue int64, wait bool, id int64) models.Code {
	switch {
	case m.people[visitor].role.Staff():
		return models.CodeForbidden
	case m.openOf(visitor) != nil:
		return models.CodeConflict
	}
	before := m.clone()
	c := &modelConversation{id: id, visitor: visitor, queue: queue}
	m.list = append(m.list, c)
	m.enqueue(c)
	m.settle()
	if !wait && c.state == models.Queued {
		people := m.people
		*m = *before
		m.people = people
		return models.CodeNoAgentAvailable
	}
	return ""
}

func (m *supportModel) saysAvailable(agent int64, v chat.Availability, queues []int64) models.Code {
	if !m.people[agent].role.Staff() {
		return models.CodeForbidden
	}
	a := m.agents[agent]
	if a == nil {
		a = &modelAgent{capacity: 1, idle: m.now}
		m.agents[agent] = a
	}
	if v.Available && !a.available {
		a.idle = m.now
	}
	a.available = v.Available
	if v.Capacity != nil {
		a.capacity = *v.Capacity
	}
	if v.Queues != nil {
		a.queues = queues
	}
	if v.Release {
		m.requeueAll(agent)
	}
	m.settle()
	return ""
}

func (m *supportModel) accepts(agent int64, c *modelConversation) models.Code {
	p, capacity := m.people[agent], 1
	if a := m.agents[agent]; a != nil {
		capacity = a.capacity
	}
	switch {
	case !p.role.Staff():
		return models.CodeForbidden
	case c.state == models.Assigned && c.agent == agent:
		return ""
	case c.visitor == agent:
		return models.CodeForbidden
	case c.state == models.Closed, c.state == models.Assigned && p.role != models.RoleAdmin,
		c.state == models.Queued && m.load(agent) >= capacity:
		return models.CodeConflict
	}
	if c.state == models.Assigned { // a take-over, for which the capacity does not count
		m.frees(c.agent)
	}
	m.assign(c, agent)
	m.settle()
	return ""
}

// mayMove says who can do something to an open conversation that is assigned: its agent, and admins.
func (m *supportModel) mayMove(by int64, c *modelConversation) bool {
	return c.state != models.Assigned || c.agent == by || m.people[by].role == models.RoleAdmin
}

func (m *supportModel) transfers(by int64, c *modelConversation, agent, queue int64) models.Code {
	switch {
	case !m.people[by].role.Staff():
		return models.CodeForbidden
	case !c.open():
		return models.CodeConflict
	case !m.mayMove(by, c):
		return models.CodeForbidden
	}
	switch {
	case queue != 0:
		if queue == c.queue {
			return models.CodeConflict
		}
		c.queue = queue
		if c.state == models.Assigned {
			m.requeue(c)
		} else {
			c.front = true
			m.tell(c)
		}
		m.settle()
		return ""
	case agent != 0:
		if !m.people[agent].role.Staff() || agent == c.visitor {
			return models.CodeValidationFailed
		}
		if c.state == models.Assigned && c.agent == agent {
			return models.CodeConflict
		}
		if !m.free(agent, c.visitor) {
			return models.CodeNoAgentAvailable
		}
	default:
		if agent = m.next(c.queue, c.visitor, c.agent); agent == 0 {
			return models.CodeNoAgentAvailable
		}
	}
	if c.state == models.Assigned {
		m.frees(c.agent)
	}
	m.assign(c, agent)
	m.settle()
	return ""
}

// unseen is what somebody is answered about a conversation that is not theirs.
func (m *supportModel) unseen(by int64) models.Code {
	if m.people[by].role == models.RoleVisitor {
		return models.CodeForbidden
	}
	return models.CodeNotFound
}

func (m *supportModel) closes(by int64, c *modelConversation) models.Code {
	reason := models.ClosedByAgent
	if by == c.visitor {
		reason = models.ClosedByVisitor
	}
	switch {
	case !m.people[by].role.Staff() && by != c.visitor:
		return m.unseen(by)
	case !c.open():
		return ""
	case by != c.visitor && !m.mayMove(by, c):
		return models.CodeForbidden
	}
	m.close(c, reason)
	m.settle()
	return ""
}

func (m *supportModel) reopens(by int64, c *modelConversation) models.Code {
	switch {
	case by != c.visitor && !m.people[by].role.Staff():
		return m.unseen(by)
	case by != c.visitor:
		return models.CodeForbidden
	case c.open():
		return ""
	case m.now.Sub(c.closed) >= comesBack:
		return models.CodeConflict
	case m.people[by].role.Staff():
		return models.CodeForbidden
	case m.openOf(by) != nil:
		return models.CodeConflict
	}
	m.enqueue(c)
	m.settle()
	return ""
}

// becomes gives an account another role.
func (m *supportModel) becomes(id int64, role models.Role) {
	p := m.people[id]
	served := p.role.Staff()
	p.role = role
	switch {
	case served && !role.Staff():
		m.resigns(id)
	case !served && role.Staff():
		if c := m.openOf(id); c != nil {
			m.close(c, models.ClosedByAgent)
		}
		m.settle()
	}
}

func (m *supportModel) resigns(id int64) {
	if a := m.agents[id]; a != nil {
		a.available = false
	}
	m.requeueAll(id)
	m.settle()
}

// vanishes deletes an account.
func (m *supportModel) vanishes(id int64) {
	if c := m.openOf(id); c != nil {
		m.close(c, models.VisitorGone)
	}
	m.resigns(id)
	delete(m.people, id)
}

// agentsNow is who takes part, as the list of agents says it.
func (m *supportModel) agentsNow(names map[int64]string) string {
	var lines []string
	for id, a := range m.agents {
		p := m.people[id]
		if p == nil || !p.role.Staff() {
			continue
		}
		var queues []string
		for _, q := range a.queues {
			queues = append(queues, names[q])
		}
		slices.Sort(queues)
		lines = append(lines, agentLine(id, a.available, a.capacity, m.load(id), queues, m.here(id), models.At(a.idle)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// agentLine says whether they are here of those only to whom it matters: requests of others are not noted.
func agentLine(id int64, available bool, capacity, load int, queues []string, here bool, idle models.Time) string {
	here = here && (available || load > 0)
	return fmt.Sprintf("%06d available %v, %d of %d, %q, here %v, idle since %s", id, available, load, capacity, queues, here, idle)
}

// starved says who waits beside a free agent; nobody may, once the server has looked around.
func (m *supportModel) starved() string {
	for _, c := range m.queued() {
		if agent := m.next(c.queue, c.visitor, 0); agent != 0 && !m.manual[c.queue] {
			return fmt.Sprintf("%d waits beside agent %d", c.id, agent)
		}
	}
	return ""
}
