package chat

import (
	"slices"
	"strings"
	"time"

	"parley/client"
)

// people are the users that one has heard of: what they are called now, and whether they are there.
type people map[int64]*person

type person struct {
	name   string
	status client.UserStatus
}

// met notes somebody's name, as the server says it is now.
func (p people) met(id int64, name string) {
	if known := p[id]; known != nil {
		known.name = name
		return
	}
	p[id] = &person{name: name, status: client.UserStatusOffline}
}

// mentioned notes a name only where there is none yet: what an event of the past calls somebody may be an old name.
func (p people) mentioned(id int64, name string) {
	if p[id] == nil {
		p.met(id, name)
	}
}

// name is what somebody is called, harmless on a terminal.
func (p people) name(id int64) string {
	if known := p[id]; known != nil {
		return cleanLine(known.name)
	}
	return "?"
}

func (p people) status(id int64) client.UserStatus {
	if known := p[id]; known != nil {
		return known.status
	}
	return client.UserStatusOffline
}

// named gives the user of a name, 0 where one has heard of none.
func (p people) named(name string) int64 {
	for id, known := range p {
		if strings.EqualFold(known.name, name) {
			return id
		}
	}
	return 0
}

// online takes the list of all who are.
func (p people) online(users []client.WhoUser) {
	for _, known := range p {
		known.status = client.UserStatusOffline
	}
	for _, u := range users {
		p.met(u.ID, u.Name)
		p[u.ID].status = u.Status
	}
}

func (p people) changed(users []client.PresenceUser) {
	for _, u := range users {
		p.met(u.ID, u.Name)
		p[u.ID].status = u.Status
	}
}

// writing are those who are typing in a room, until when.
type writing map[int64]time.Time

// now gives the ids of those who write at a time, and forgets the others.
func (w writing) now(at time.Time) []int64 {
	var ids []int64
	for id, until := range w {
		if until.After(at) {
			ids = append(ids, id)
		} else {
			delete(w, id)
		}
	}
	slices.Sort(ids)
	return ids
}
