package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// fake makes a run like a server's that keeps all promises: what is recorded of it is true, entry by entry.
type fake struct {
	run  *Run
	tick Tick
	live map[int64][]*Reader // by user
	in   map[int64]map[int64]bool
}

const (
	root = 2 // registers first
	ann  = 3
	bob  = 4
	eve  = 5
	tea  = 6 // ann's private channel
)

func newFake() *fake {
	f := &fake{run: &Run{Admin: root}, live: map[int64][]*Reader{}, in: map[int64]map[int64]bool{}}
	f.log("room.created", lobby, toEveryone, 0, `"room":{"id":1,"kind":"channel","visibility":"public"}`)
	for user := int64(root); user <= eve; user++ {
		f.log("user.registered", 0, toNone, 0, fmt.Sprintf(`"user":{"id":%d}`, user))
	}
	for user := int64(root); user <= eve; user++ {
		f.stream(user, "SSE", 0)
		f.stream(user, "NDJSON", 0)
	}
	return f
}

func (f *fake) now() Tick { f.tick++; return f.tick }

func (f *fake) head() int64 { return int64(len(f.run.Log)) }

// log appends an entry and brings it to whom it is for.
func (f *fake) log(kind string, room int64, audience int, who int64, data string) int64 {
	id := f.head() + 1
	of := ""
	if room != 0 {
		of = fmt.Sprintf(`"room_id":%d,`, room)
	}
	json := fmt.Sprintf(`{"id":%d,"type":%q,%s"data":{%s}}`, id, kind, of, data)
	f.run.Log = append(f.run.Log, Entry{id, room, kind, audience, who, json})
	for user, readers := range f.live {
		mine := audience == toEveryone || audience == toUser && who == user ||
			audience == toRoom && (room == lobby || f.in[room][user])
		for _, r := range readers {
			if mine {
				f.give(r, Item{Kind: Event, Cursor: id, JSON: json})
			}
		}
	}
	return id
}

func (f *fake) give(r *Reader, item Item) {
	item.At = f.now()
	c := r.Conns[len(r.Conns)-1]
	c.Items = append(c.Items, item)
}

func (f *fake) stream(user int64, name string, after int64) *Reader {
	r := &Reader{Name: fmt.Sprintf("%s of user %d", name, user), User: user}
	f.live[user] = append(f.live[user], r)
	r.Conns = append(r.Conns, &Conn{Start: f.now(), Asked: after})
	f.give(r, Item{Kind: Ready, Cursor: after})
	return r
}

// again makes a new connection of a reader that is at its user's last event.
func (f *fake) again(r *Reader) {
	at := int64(0)
	for _, c := range r.Conns {
		for _, item := range c.Items {
			at = item.Cursor
		}
	}
	r.Conns = append(r.Conns, &Conn{Start: f.now(), Asked: at})
	f.give(r, Item{Kind: Ready, Cursor: at})
}

func (f *fake) open(owner int64) {
	id := f.log("room.created", f.head()+1, toUser, owner, fmt.Sprintf(`"room":{"id":%d,"kind":"channel","visibility":"private"}`, f.head()+1))
	f.in[id] = map[int64]bool{}
	f.join(id, owner)
}

func (f *fake) join(room, user int64) {
	m := Move{Call: Call{By: ann, Start: f.now(), Outcome: Answered}, Room: room, User: user, In: true}
	if len(f.in[room]) > 0 {
		f.log("room.created", room, toUser, user, fmt.Sprintf(`"room":{"id":%d,"kind":"channel","visibility":"private"}`, room))
	}
	f.in[room][user] = true
	f.log("member.joined", room, toRoom, room, fmt.Sprintf(`"user":{"id":%d}`, user))
	m.End = f.now()
	f.run.Moves = append(f.run.Moves, m)
}

func (f *fake) leave(room, user int64, reason string) {
	m := Move{Call: Call{By: ann, Start: f.now(), Outcome: Answered}, Room: room, User: user, Revoked: reason != ""}
	f.log("member.left", room, toRoom, room, fmt.Sprintf(`"user":{"id":%d},"reason":%q`, user, reason))
	delete(f.in[room], user)
	m.End = f.now()
	f.run.Moves = append(f.run.Moves, m)
}

func (f *fake) say(by, room int64, text string) int64 {
	s := Send{Call: Call{By: by, Start: f.now(), Outcome: Answered}, Room: room, Nonce: "n " + text, Text: text}
	id := f.head() + 1
	s.ID = f.log("message.created", room, toRoom, room, fmt.Sprintf(
		`"message":{"id":%d,"room_id":%d,"sender":{"id":%d},"text":%q,"nonce":%q}`, id, room, by, text, "n "+text))
	s.End = f.now()
	f.run.Sends = append(f.run.Sends, s)
	return id
}

// direct begins a conversation.
func (f *fake) direct(a, b int64, text string) {
	room := f.head() + 1
	f.in[room] = map[int64]bool{a: true, b: true}
	data := fmt.Sprintf(`"room":{"id":%d,"kind":"direct","members":[{"id":%d},{"id":%d}]}`, room, a, b)
	f.log("room.created", room, toUser, a, data)
	f.log("room.created", room, toUser, b, data)
	f.say(a, room, text)
	last := &f.run.Sends[len(f.run.Sends)-1]
	last.Room, last.With = 0, b
}

// history reads all of a room.
func (f *fake) history(by, room int64) {
	r := Read{Call: Call{By: by, Start: f.now(), Outcome: Answered}, Room: room, Cursor: f.head(), Limit: 200, Texts: map[int64]string{}}
	for _, e := range f.run.Log {
		if e.Room == room && e.Type == "message.created" {
			r.IDs = append(r.IDs, e.ID)
		}
	}
	r.End = f.now()
	f.run.Reads = append(f.run.Reads, r)
}

// story is a run in which all that the oracle looks at happens.
func story() *fake {
	f := newFake()
	f.open(ann)
	f.say(ann, tea, "to myself")
	f.join(tea, bob)
	f.say(bob, tea, "here I am")
	f.say(eve, lobby, "hello")
	f.direct(ann, eve, "psst")
	for _, readers := range f.live {
		f.again(readers[0])
	}
	f.say(ann, tea, "welcome")
	f.leave(tea, bob, "removed")
	f.say(ann, tea, "behind his back")
	f.history(ann, tea)
	f.join(tea, bob)
	f.say(bob, tea, "back again")
	f.history(bob, tea)
	f.leave(tea, bob, "")
	f.say(ann, tea, "alone")
	f.say(eve, lobby, "good night")
	for _, readers := range f.live {
		for _, r := range readers {
			r.End = f.head()
		}
		f.run.Readers = append(f.run.Readers, readers...)
	}
	slices.SortFunc(f.run.Readers, func(a, b *Reader) int { return strings.Compare(a.Name, b.Name) })
	return f
}

// of gives a user's first reader.
func (f *fake) of(user int64) *Reader { return f.live[user][0] }

// message gives the id of the message with the text.
func (f *fake) message(text string) int64 {
	for _, s := range f.run.Sends {
		if s.Text == text {
			return s.ID
		}
	}
	return 0
}

// item finds an event of a reader: its connection, and its place there.
func item(r *Reader, id int64) (*Conn, int) {
	for _, c := range r.Conns {
		for i, it := range c.Items {
			if it.Kind == Event && it.Cursor == id {
				return c, i
			}
		}
	}
	return nil, -1
}
