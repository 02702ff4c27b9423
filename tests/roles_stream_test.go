package tests

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/app"
	"parley/tests/harness"
)

// streamRow is something that happens, and who is told: live, by a replay while the rooms are there, and by one after they
// were deleted. The columns are the standings; y: is told.
type streamRow struct {
	what               string
	live, kept, buried string
	do                 func(c cast, at rooms)
}

// rooms are those of the script: open is public, secret private, direct that of member and pal.
type rooms struct{ open, secret, direct string }

const (
	toNobody  = ". .... .... . ..."
	toAll     = ". yyyy yyyy y yyy"
	toMembers = ". .... yyyy . yyy"
	toPresent = ". .... yyyy . ..y" // members who were neither removed nor banned
	toTwo     = ". .... .y.. . ..."
)

// streamTable is the row of the role table about streams, event by event, in the order in which they happen. An admin who is
// no member is streamed nothing of a room.
var streamTable = []streamRow{
	{"said in the lobby", toAll, toAll, toAll, func(c cast, _ rooms) { c.pal.Send("lobby", "1") }},
	{"said in the channel", toMembers, toPresent, toNobody, func(c cast, at rooms) { c.pal.Send(at.open, "1") }},
	{"said in private", toMembers, toPresent, toNobody, func(c cast, at rooms) { c.pal.Send(at.secret, "1") }},
	{"said to one", toTwo, toTwo, toTwo, func(c cast, at rooms) { c.pal.Send(at.direct, "1") }},
	{"a topic in public", toMembers, toPresent, toNobody, func(c cast, at rooms) { change(c.people["owner"], at.open, "topic", "new") }},
	{"a topic in private", toMembers, toPresent, toNobody, func(c cast, at rooms) { change(c.people["owner"], at.secret, "topic", "new") }},
	{"removed from the channel", toMembers, ". .... yyyy . y.y", ". .... .... . y..", func(c cast, at rooms) { c.remove("removed", at.open) }},
	{"removed in private", toMembers, ". .... yyyy . y.y", ". .... .... . y..", func(c cast, at rooms) { c.remove("removed", at.secret) }},
	{"banned from the channel", ". .... yyyy . .yy", ". .... yyyy . .yy", ". .... .... . .y.", func(c cast, at rooms) { fall(c.people["owner"], at.open, c.people["banned"], "banned") }},
	{"banned in private", ". .... yyyy . .yy", ". .... yyyy . .yy", ". .... .... . .y.", func(c cast, at rooms) { fall(c.people["owner"], at.secret, c.people["banned"], "banned") }},
	{"muted in the channel", toPresent, toPresent, toNobody, func(c cast, at rooms) { fall(c.people["owner"], at.open, c.people["muted"], "muted") }},
	{"muted in private", toPresent, toPresent, toNobody, func(c cast, at rooms) { fall(c.people["owner"], at.secret, c.people["muted"], "muted") }},
	{"said in the lobby again", toAll, toAll, toAll, func(c cast, _ rooms) { c.pal.Send("lobby", "2") }},
	{"said in the channel again", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Send(at.open, "2") }},
	{"said in private again", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Send(at.secret, "2") }},
	{"joined the channel", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.new.Post("/v1/rooms/"+at.open+"/join", nil).Want(200) }},
	{"made a channel", toAll, toAll, toAll, func(c cast, _ rooms) { c.pal.Post("/v1/rooms", map[string]any{"name": "another"}).Want(201) }},
	{"made a private one", toNobody, toNobody, toNobody, func(c cast, _ rooms) { c.pal.Room("hidden", "private") }},
	{"renamed themselves", toAll, toAll, toAll, func(c cast, _ rooms) { c.new.Post("/v1/rename", map[string]any{"name": "newer"}).Want(200) }},
}

// messageEvents are those of messages, by the operation that makes them.
var messageEvents = map[string][]streamRow{
	"updateMessage": {
		{"edited in the channel", toPresent, toPresent, toNobody, func(c cast, at rooms) { editNewest(c.pal, at.open) }},
		{"edited in private", toPresent, toPresent, toNobody, func(c cast, at rooms) { editNewest(c.pal, at.secret) }},
		{"edited between two", toTwo, toTwo, toTwo, func(c cast, at rooms) { editNewest(c.pal, at.direct) }},
	},
	"putReaction": {
		{"reacted in the lobby", toAll, toAll, toAll, func(c cast, _ rooms) { c.pal.Put(newest(c.pal, "lobby")+thumb, nil).Want(204) }},
		{"reacted in the channel", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Put(newest(c.pal, at.open)+thumb, nil).Want(204) }},
		{"reacted in private", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Put(newest(c.pal, at.secret)+thumb, nil).Want(204) }},
	},
	"pinMessage": {
		{"pinned in private", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.people["owner"].Put(newest(c.pal, at.secret)+"/pin", nil).Want(204) }},
	},
	"announce": {
		{"announced", toAll, toAll, toAll, func(c cast, _ rooms) {
			c.people["admin"].Post("/v1/announcements", map[string]any{"text": "hear, hear"}).Want(201)
		}},
	},
	"deleteMessage": {
		{"deleted in the channel", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Delete(newest(c.pal, at.open)).Want(204) }},
		{"deleted in private", toPresent, toPresent, toNobody, func(c cast, at rooms) { c.pal.Delete(newest(c.pal, at.secret)).Want(204) }},
	},
}

// newest is the path of the newest message of a room.
func newest(u *harness.User, room string) string {
	all := u.History(room)
	return "/v1/messages/" + id(all[len(all)-1].ID)
}

func editNewest(u *harness.User, room string) {
	u.Patch(newest(u, room), map[string]any{"text": "edited"}).Want(200)
}

// streamRows are all whose calls the spec has, the deletions last.
func streamRows() []streamRow {
	all := slices.Clone(streamTable)
	for _, operation := range []string{"updateMessage", "putReaction", "pinMessage", "announce", "deleteMessage"} {
		if inSpec(operation) {
			all = append(all, messageEvents[operation]...)
		}
	}
	return all
}

// lastRows end the rooms: what was theirs is nobody's then, but for the end.
var lastRows = []streamRow{
	{"deleted the channel", toPresent, "", toPresent, func(c cast, at rooms) { c.people["owner"].Delete("/v1/rooms/" + at.open).Want(204) }},
	{"deleted the private one", toPresent, "", toPresent, func(c cast, at rooms) { c.people["owner"].Delete("/v1/rooms/" + at.secret).Want(204) }},
}

func change(u *harness.User, room, field string, value any) {
	u.Patch("/v1/rooms/"+room, map[string]any{field: value}).Want(200)
}

func (c cast) remove(name, room string) { fall(c.people["owner"], room, c.people[name], "removed") }

func TestRoleTableOfStreams(t *testing.T) {
	t.Parallel()
	quick := harness.Tune(func(o *app.Options) { o.Heartbeat = 50 * time.Millisecond }) // tells how far a stream is
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		playStreams(t, newCast(harness.Start(t, quick), nil), func(standing string) bool { return standing != "visitor" && standing != "bot" })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		_, c := castOnPostgres(t, nil, quick)
		playStreams(t, c, func(string) bool { return true })
	})
}

func playStreams(t *testing.T, c cast, has func(standing string) bool) {
	t.Helper()
	owner := c.people["owner"]
	at := rooms{open: id(owner.Room("open", "public").ID), secret: id(owner.Room("secret", "private").ID)}
	for _, room := range []string{at.open, at.secret} {
		owner.Add(room, c.pal, "")
		for standing, role := range atHome {
			owner.Add(room, c.people[standing], role)
		}
	}
	at.direct = id(c.people["member"].Send("@pal", "hi").RoomID)
	start := owner.Head()
	streams := map[string]*harness.Stream{}
	for _, standing := range standings {
		if has(standing) {
			streams[standing] = c.people[standing].Stream(harness.After(start))
		}
	}
	end := start
	ends := make([]int64, 0, 64)
	play := func(rows []streamRow) {
		for _, row := range rows {
			row.do(c, at)
			end = owner.Head()
			ends = append(ends, end)
		}
	}
	first := streamRows()
	all := slices.Concat(first, lastRows)
	play(first)
	told := func(events []harness.Event) (rows []string) {
		for _, e := range events {
			if e.ID > start && e.ID <= end {
				rows = append(rows, all[slices.IndexFunc(ends, func(last int64) bool { return e.ID <= last })].what)
			}
		}
		return rows
	}
	compare := func(how, standing string, events []harness.Event, rows []streamRow, columns func(streamRow) string) {
		t.Helper()
		var want []string
		for _, row := range rows {
			if strings.ReplaceAll(columns(row), " ", "")[slices.Index(standings, standing)] == 'y' {
				want = append(want, row.what)
			}
		}
		if got := slices.Compact(told(events)); !slices.Equal(got, want) {
			t.Errorf("%s, %s is told of\n%q, want\n%q", how, standing, got, want)
		}
	}
	for standing := range streams {
		compare("in replay", standing, c.people[standing].Stream(harness.After(0)).UntilID(end), first, func(r streamRow) string { return r.kept })
	}
	play(lastRows)
	for standing, st := range streams {
		u := c.people[standing]
		compare("live", standing, st.UntilID(end), all, func(r streamRow) string { return r.live })
		compare("in replay after all", standing, u.NDJSON(harness.After(0)).UntilID(end), all, func(r streamRow) string { return r.buried })
		compare("by poll after all", standing, u.Events(0), all, func(r streamRow) string { return r.buried })
	}
}
