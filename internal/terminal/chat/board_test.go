package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
)

// table is a board, and what happens to it in a test.
type table struct {
	*board
	t  *testing.T
	at int64
}

const me, bob = 10, 11

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newTable(t *testing.T) *table {
	t.Helper()
	b := newBoard(me, "ann", func() time.Time { return noon })
	b.people.met(bob, "bob")
	b.asked()
	b.take([]client.Room{channel(lobbyID, "lobby"), channel(2, "kitchen")}, 100)
	return &table{board: b, t: t, at: 100}
}

func channel(id int64, name string) client.Room {
	return client.Room{ID: id, Kind: client.RoomKindChannel, Name: &name}
}

// event applies the next event, or with a room 0 one that is not about a room.
func (b *table) event(kind client.EventType, room int64, data any) wish {
	b.t.Helper()
	b.at++
	return b.eventAt(b.at, kind, room, data)
}

func (b *table) eventAt(id int64, kind client.EventType, room int64, data any) wish {
	b.t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.apply(client.Event{ID: id, Type: kind, At: noon, RoomID: room, Data: raw})
}

func (b *table) says(room, sender int64, text string, mentions ...int64) wish {
	b.t.Helper()
	m := message(b.at+1, room, sender, text)
	m.Mentions = mentions
	return b.event(client.EventTypeMessageCreated, room, client.MessageData{Message: m})
}

func message(id, room, sender int64, text string) client.Message {
	return client.Message{ID: id, RoomID: room, Sender: client.Peer{ID: sender, Name: "bob"}, Text: text, CreatedAt: noon}
}

// shown is what a room shows, in a line.
func (b *table) shown(room int64) string {
	var all []string
	for _, e := range b.room(room).line.entries {
		text := e.message.Text
		switch {
		case e.note != "":
			text = "* " + e.note
		case e.message.DeletedAt != nil:
			text = "†"
		}
		for _, r := range e.message.Reactions {
			text += fmt.Sprintf(" %s%d", r.Emoji, r.Count)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func (b *table) want(room int64, shown string, unread, mentions int) {
	b.t.Helper()
	r := b.room(room)
	if got := b.shown(room); got != shown || r.unread != unread || r.mentions != mentions {
		b.t.Errorf("room %d shows %q with %d and @%d unread, want %q with %d and @%d", room, got, r.unread, r.mentions, shown, unread, mentions)
	}
}

func (b *table) react(id int64, kind client.EventType) {
	b.t.Helper()
	b.event(kind, lobbyID, client.ReactionData{MessageID: id, Emoji: "x", User: client.EventUser{ID: bob}})
}

// A page is true of its cursor. What the stream brought before the page came, and behind its cursor, is applied once; what came
// before its cursor is not applied again.
func TestPagesAndEventsMeet(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	lobby := b.room(lobbyID)
	b.asked()
	b.says(lobbyID, bob, "101, in the page")
	b.says(lobbyID, bob, "102, behind the page")
	b.react(101, client.EventTypeReactionAdded) // 103
	b.event(client.EventTypeMessageUpdated, lobbyID, client.MessageData{Message: message(102, lobbyID, bob, "102, edited")})
	b.history(lobby, client.MessageList{Cursor: 101, HasBefore: true, Messages: []client.Message{
		message(90, lobbyID, bob, "90"), message(101, lobbyID, bob, "101, in the page"),
	}}, 0)
	b.want(lobbyID, "90, 101, in the page x1, 102, edited", 2, 0)

	// A page that is ahead of the stream knows the reaction already.
	ahead := message(90, lobbyID, bob, "90")
	ahead.Reactions = []client.Reaction{{Emoji: "x", Count: 1}}
	b.asked()
	b.history(lobby, client.MessageList{Cursor: 105, Messages: []client.Message{message(80, lobbyID, bob, "80"), ahead}}, 90)
	b.react(90, client.EventTypeReactionAdded) // 105
	b.want(lobbyID, "80, 90 x1, 101, in the page x1, 102, edited", 2, 0)
	b.react(90, client.EventTypeReactionRemoved)
	b.event(client.EventTypeMessageDeleted, lobbyID, client.MessageDeletedData{MessageID: 101})
	b.want(lobbyID, "80, 90, †, 102, edited", 2, 0)
	if len(b.journal) != 0 || b.loads != 0 {
		t.Errorf("%d events are kept for %d answers", len(b.journal), b.loads)
	}
}

func TestUnreadIsCountedOnce(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	if w := b.says(2, bob, "one"); w.called {
		t.Error("every message calls")
	}
	if w := b.says(2, bob, "two", me); !w.called {
		t.Error("a mention does not call")
	}
	b.says(2, me, "three")
	kitchen := b.room(2)
	if kitchen.unread != 2 || kitchen.mentions != 1 {
		t.Errorf("%d, @%d", kitchen.unread, kitchen.mentions)
	}
	// The list is of 102, and 103 came: 104 comes while it is asked for.
	b.asked()
	b.says(2, bob, "four")
	unread, mentions, read := 2, 1, int64(50)
	listed := channel(2, "kitchen")
	listed.Unread, listed.Mentions, listed.ReadID = &unread, &mentions, &read
	b.take([]client.Room{channel(lobbyID, "lobby"), listed}, 102)
	if kitchen.unread != 3 || kitchen.mentions != 1 {
		t.Errorf("%d, @%d", kitchen.unread, kitchen.mentions)
	}
	// What was read here is not unread again by a list that does not know it.
	kitchen.seen(104)
	b.asked()
	b.take([]client.Room{channel(lobbyID, "lobby"), listed}, 104)
	if kitchen.unread != 0 || kitchen.mentions != 0 {
		t.Errorf("%d, @%d", kitchen.unread, kitchen.mentions)
	}
}

// A stream that is behind what was asked for brings what is known already: in the page or before it, counted in the list.
func TestAStreamThatIsBehind(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	b.asked()
	b.history(b.room(lobbyID), client.MessageList{Cursor: 100, Messages: []client.Message{message(99, lobbyID, bob, "99")}}, 0)
	for _, id := range []int64{50, 99} {
		b.eventAt(id, client.EventTypeMessageCreated, lobbyID, client.MessageData{Message: message(id, lobbyID, bob, "old")})
	}
	b.want(lobbyID, "99", 0, 0)
}

func TestOwnMessagesAreShownOnce(t *testing.T) {
	t.Parallel()
	for _, eventFirst := range []bool{true, false} {
		b := newTable(t)
		lobby := b.room(lobbyID)
		b.asked()
		b.history(lobby, client.MessageList{Cursor: 100}, 0)
		nonce := "n"
		e := lobby.line.write(client.Message{Sender: client.Peer{ID: me}, Text: "mine", Nonce: &nonce, CreatedAt: noon})
		sent := message(101, lobbyID, me, "mine")
		sent.Nonce = &nonce
		answer := sent
		answer.Nonce = nil // it is known all the same which one was answered
		if !eventFirst {
			b.stored(lobby, e, answer)
			b.want(lobbyID, "mine", 0, 0)
		}
		b.event(client.EventTypeMessageCreated, lobbyID, client.MessageData{Message: sent})
		b.react(101, client.EventTypeReactionAdded)
		if eventFirst {
			b.stored(lobby, e, answer)
		}
		b.want(lobbyID, "mine x1", 0, 0)
	}
}

func TestRefusedMessagesStay(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	lobby := b.room(lobbyID)
	b.asked()
	b.history(lobby, client.MessageList{Cursor: 100}, 0)
	nonce := "n"
	e := lobby.line.write(client.Message{Sender: client.Peer{ID: me}, Text: "mine", Nonce: &nonce, CreatedAt: noon})
	b.says(lobbyID, bob, "before")
	b.refuse(lobby, e, "too long")
	b.says(lobbyID, bob, "after")
	b.want(lobbyID, "before, mine, after", 2, 0)
}

func TestRoomsComeAndGo(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	den := "den"
	b.event(client.EventTypeRoomCreated, 3, client.RoomData{Room: client.EventRoom{ID: 3, Kind: client.RoomKindChannel, Name: &den}})
	if b.room(3) != nil {
		t.Error("a public channel of others is listed")
	}
	if w := b.event(client.EventTypeMemberJoined, 3, client.MemberData{User: client.EventUser{ID: me}}); w.room != 3 || b.room(3) == nil {
		t.Errorf("%+v", w)
	}
	b.direct(bob) // opened before it is there
	b.event(client.EventTypeRoomCreated, 4, client.RoomData{Room: client.EventRoom{
		ID: 4, Kind: client.RoomKindDirect, Members: []client.Peer{{ID: me, Name: "ann"}, {ID: bob, Name: "bob"}},
	}})
	var titles []string
	for _, r := range b.rooms {
		titles = append(titles, b.title(r))
	}
	if want := []string{"#lobby", "#den", "#kitchen", "@bob"}; !slices.Equal(titles, want) {
		t.Errorf("%q, want %q", titles, want)
	}
	// A list from before does not take away what came since, and does not bring back what went.
	b.asked()
	b.here = b.room(2)
	w := b.event(client.EventTypeMemberLeft, 2, client.MemberData{User: client.EventUser{ID: me}, Reason: new("removed")})
	b.take([]client.Room{channel(lobbyID, "lobby"), channel(2, "kitchen")}, 101)
	if w.gone == "" || b.room(2) != nil || b.room(3) == nil || b.room(4) == nil || b.here != b.room(lobbyID) {
		t.Errorf("%+v %v", w, b.rooms)
	}
	b.event(client.EventTypeUserRenamed, 0, client.UserRenamedData{User: client.EventUser{ID: bob, Name: "robert"}, OldName: "bob"})
	if r := b.called("@ROBERT"); r != b.room(4) || b.called("den") != b.room(3) || b.called("#nowhere") != nil {
		t.Errorf("%+v", r)
	}
}

func TestResetForgetsAllButTheUnsent(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	lobby := b.room(lobbyID)
	b.asked()
	b.history(lobby, client.MessageList{Cursor: 100, Messages: []client.Message{message(90, lobbyID, bob, "90")}}, 0)
	nonce := "n"
	lobby.line.write(client.Message{Sender: client.Peer{ID: me}, Text: "mine", Nonce: &nonce, CreatedAt: noon})
	b.asked()
	if w := b.eventAt(0, client.EventTypeReset, 0, client.ResetData{}); !w.everything || b.loads != 0 || b.epoch != 1 || lobby.line.loaded {
		t.Errorf("%+v", w)
	}
	b.want(lobbyID, "mine", 0, 0)
}

func TestScroll(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	lobby := b.room(lobbyID)
	var page []client.Message
	for i := range int64(30) {
		page = append(page, message(50+i, lobbyID, bob, fmt.Sprintf("line %d\nmore", i)))
	}
	b.asked()
	b.history(lobby, client.MessageList{Cursor: 100, HasBefore: true, Messages: page}, 0)
	p := painter{ruler{}, b.board, 40}
	seen := func() string { return strings.TrimSpace(p.window(&lobby.line, 4)[3]) }
	for _, step := range []struct {
		by   int
		want string // the last line
	}{{0, "more"}, {-1, "line 29"}, {-2, "line 28"}, {1, "more"}, {-6, "more"}, {6, "more"}, {100, "more"}, {-1000, "line 1"}, {4, "line 3"}} {
		p.scroll(&lobby.line, step.by, 4)
		if got := seen(); !strings.HasSuffix(got, step.want) {
			t.Errorf("after %d: %q, want %q", step.by, got, step.want)
		}
	}
	// What comes does not move what one reads, at another width neither.
	before := seen()
	b.says(lobbyID, bob, "news")
	p.width = 80
	if after := seen(); !strings.HasSuffix(after, "line 3") || !strings.HasSuffix(before, "line 3") || lobby.line.atEnd() {
		t.Errorf("%q became %q", before, after)
	}
	p.scroll(&lobby.line, 1000, 4)
	if !lobby.line.atEnd() || !strings.HasSuffix(seen(), "news") {
		t.Errorf("%q", seen())
	}
}

// A room that is looked at all day does not grow for ever, and what went is loaded again by a look back.
func TestTimelineIsTrimmed(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	lobby := b.room(lobbyID)
	b.asked()
	b.history(lobby, client.MessageList{Cursor: 100}, 0)
	for i := range 2 * keepMost {
		b.says(lobbyID, bob, fmt.Sprint(i))
	}
	if n := len(lobby.line.entries); n > keepMost || !lobby.line.hasBefore || lobby.line.last() != b.at {
		t.Errorf("%d entries, the last is %d of %d", n, lobby.line.last(), b.at)
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	b := newTable(t)
	b.people.met(12, "Bea")
	b.people.met(13, "张三")
	b.public = []string{"kiosk"}
	b.here = b.room(lobbyID)
	for before, want := range map[string]string{
		"":            "",
		"/re":         "/rename",
		"/":           "/msg /join /leave /room /rooms /who /rename /help /logout /quit",
		"b":           "@Bea @bob",
		"hey @B":      "@Bea @bob",
		"张":           "@张三",
		"/msg b":      "Bea bob",
		"/msg bob b":  "@Bea @bob",
		"/join ki":    "kiosk kitchen",
		"/join #KI":   "#kiosk #kitchen",
		"/room ki":    "kitchen",
		"ann":         "", // oneself
		"hello world": "",
	} {
		if _, got := b.choices(before); strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", before, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"hello":         "text hello",
		" /Msg  bob hi": "command msg bob hi",
		"//etc":         "text /etc",
		"/who":          "command who ",
		"a /who":        "text a /who",
	} {
		name, rest, isCommand := parse(line)
		got := "text " + rest
		if isCommand {
			got = "command " + name + " " + rest
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	for line, want := range map[string]string{"/msg": "/msg NAME [TEXT]", "/foo": "no command /foo", "/who": "", "/rename x": ""} {
		name, rest, _ := parse(line)
		if got := check(name, rest); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
