package tests

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/internal/pgtest"
	"parley/tests/harness"
)

// makeSnapshot writes databases of the program as it stands into testdata, under this version:
//
//	go test ./tests -run TestMakeSnapshot -make-snapshot v2
var makeSnapshot = flag.String("make-snapshot", "", "version under which TestMakeSnapshot keeps databases in testdata")

// snapshot is what the program that made a database said of it: a later one must say the same.
type snapshot struct {
	Made   time.Time                 `json:"made"`
	Head   int64                     `json:"head"`
	Cursor int64                     `json:"cursor"` // a position in the middle
	People map[string]snapshotPerson `json:"people"`
	Nonce  int64                     `json:"nonce"` // the message that ann's nonce stands for
}

type snapshotPerson struct {
	ID      int64               `json:"id"`
	Token   string              `json:"token"`
	Events  []json.RawMessage   `json:"events"`  // all that the user may get
	History map[string][]string `json:"history"` // texts of each room that the user may read
}

const snapshotNonce = "made by the old program"

// TestUpgrade starts the program on databases that older ones made, of each version that
// testdata has.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/parley-*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("snapshots: %v, %v", files, err)
	}
	for _, file := range files {
		version, _ := strings.CutSuffix(filepath.Base(file), ".json")
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var old snapshot
			raw, err := os.ReadFile(file)
			if err = errors.Join(err, json.Unmarshal(raw, &old)); err != nil {
				t.Fatal(err)
			}
			var place []string
			if strings.HasSuffix(version, "sqlite") {
				dir := t.TempDir()
				unpack(t, "testdata/"+version+".db.gz", filepath.Join(dir, "parley.db"))
				place = []string{"--data", dir}
			} else {
				dsn := pgtest.DSN(t)
				dump, err := os.ReadFile("testdata/" + version + ".sql")
				if err != nil {
					t.Fatal(err)
				}
				pgtest.Load(t, dsn, string(dump))
				place = []string{"--database", dsn}
			}
			// An hour later: the sessions of then must not be too old, whenever the test runs.
			began := time.Now()
			s := harness.Start(t, harness.Flags(place...), harness.Tune(func(o *app.Options) {
				o.Clock = func() time.Time { return old.Made.Add(time.Hour + time.Since(began)) }
			}))
			// What pg_dump wrote is taken for a restore in another place, from the version on that notes the place.
			old.check(t, s, !strings.HasSuffix(version, "postgres"))
			must(t, append([]string{"check"}, place...)...)
		})
	}
}

// TestRestoreOfAnOlderBackup goes on with a backup of the first version, which knew nothing of restores.
func TestRestoreOfAnOlderBackup(t *testing.T) {
	t.Parallel()
	file, dir := filepath.Join(t.TempDir(), "old.db"), t.TempDir()
	unpack(t, "testdata/parley-v1.sqlite.db.gz", file)
	var old snapshot
	raw, err := os.ReadFile("testdata/parley-v1.sqlite.json")
	if err = errors.Join(err, json.Unmarshal(raw, &old)); err != nil {
		t.Fatal(err)
	}
	must(t, "check", file)
	must(t, "restore", file, "--data", dir)
	s := harness.Start(t, harness.Flags("--data", dir))
	ann := s.Login("ann")
	head := ann.Head()
	lossTold(t, ann, []int64{old.Head + 1, head - 1}, head)
	ann.Stream(harness.After(old.Head))
	if m := ann.Send("lobby", "in a new life"); m.ID != head+1 {
		t.Errorf("message %d after head %d", m.ID, head)
	}
	if line := must(t, "check", "--data", dir); !strings.Contains(line, "holes 1") {
		t.Errorf("check: %s", line)
	}
}

// check holds the server against what the old program said, and whether its ids go on where they were.
func (old snapshot) check(t *testing.T, s *harness.Server, goesOn bool) {
	t.Helper()
	for name, was := range old.People {
		u := s.With(was.ID, name, was.Token)
		if now := u.Now(); now.ID != was.ID || now.Name != name {
			t.Errorf("the old token of %s stands for %+v", name, now)
		}
		if got := rawTexts(rawEvents(u, 0)); !slices.Equal(got, rawTexts(was.Events)) {
			t.Errorf("%s is given\n%s\nand was given\n%s", name, strings.Join(got, "\n"), strings.Join(rawTexts(was.Events), "\n"))
		}
		var later []string
		for _, raw := range was.Events {
			var e harness.Event
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			if e.ID > old.Cursor {
				later = append(later, compact(raw))
			}
		}
		if got := rawTexts(rawEvents(u, old.Cursor)); !slices.Equal(got, later) {
			t.Errorf("%s resumes after %d with\n%s, want\n%s", name, old.Cursor, strings.Join(got, "\n"), strings.Join(later, "\n"))
		}
		for room, texts := range was.History {
			if got := texts; !slices.Equal(got, historyTexts(u, room)) {
				t.Errorf("%s reads in %s %q, want %q", name, room, historyTexts(u, room), texts)
			}
		}
	}
	old.checkLife(t, s, goesOn)
}

// checkLife goes on with the old people.
func (old snapshot) checkLife(t *testing.T, s *harness.Server, goesOn bool) {
	t.Helper()
	ann, bob := s.Login("ann"), s.Login("bob")
	if ann.ID != old.People["ann"].ID || ann.Role != "admin" {
		t.Errorf("ann logs in as %+v", ann)
	}
	repeat := ann.Post("/v1/send", map[string]any{"text": "once", "nonce": snapshotNonce}).Want(200)
	if m := harness.Into[client.Message](repeat); m.ID != old.Nonce {
		t.Errorf("the old nonce stands for message %d, want %d", m.ID, old.Nonce)
	}
	// bob left tea once and was removed from den: what was said meanwhile and after is not his.
	for _, e := range bob.Events(0) {
		if strings.Contains(e.Text(), "not for bob") {
			t.Errorf("bob is given %s", e)
		}
	}
	bob.Get("/v1/rooms/den").Refused("not_found")
	// Whatever their role was, it can be changed.
	for _, role := range []string{"agent", "member", "admin", "agent"} {
		ann.Put("/v1/users/@Caspar/role", inRole(role)).Want(200)
	}
	st := bob.Stream(harness.After(old.Cursor))
	m := ann.Send("tea", "after the upgrade")
	if m.ID <= old.Head || goesOn && m.ID > old.Head+20 {
		t.Errorf("the first message has id %d after head %d", m.ID, old.Head)
	}
	for e := st.Any(); e.ID != m.ID; e = st.Any() {
		if e.Type == "reset" {
			t.Fatalf("an old cursor got %s", e.JSON)
		}
	}
}

// rawEvents are the first 200 events after the cursor as they came.
func rawEvents(u *harness.User, after int64) []json.RawMessage {
	return harness.Into[struct{ Events []json.RawMessage }](
		u.Get("/v1/events", harness.After(after), harness.Queries("wait=0&limit=200")).Want(200)).Events
}

func rawTexts(raw []json.RawMessage) (texts []string) {
	for _, r := range raw {
		texts = append(texts, compact(r))
	}
	return texts
}

func compact(raw []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return err.Error()
	}
	return strings.Replace(b.String(), emptyLists, "", 1)
}

// emptyLists is what the events of messages of the first version are given besides what they were.
const emptyLists = `,"mentions":[],"attachments":[],"reactions":[]`

func historyTexts(u *harness.User, room string) []string {
	texts := []string{}
	for _, m := range u.History(room) {
		texts = append(texts, m.Sender.Name+": "+m.Text)
	}
	return texts
}

// unpack writes what a .gz file holds.
func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	zip, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zip)
	if err = errors.Join(err, os.WriteFile(to, raw, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestMakeSnapshot is no test: it makes what TestUpgrade starts from; see the flag.
func TestMakeSnapshot(t *testing.T) {
	if *makeSnapshot == "" {
		t.Skip("makes databases only where -make-snapshot names a version")
	}
	dir := t.TempDir()
	s := harness.Start(t, harness.Flags("--data", dir))
	keep(t, "sqlite", populate(s))
	s.Stop()
	raw, err := os.ReadFile(filepath.Join(dir, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	zip, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, err = zip.Write(raw)
	err = errors.Join(err, zip.Close())
	write(t, "sqlite.db.gz", zipped.Bytes(), err)

	dsn := pgtest.DSN(t)
	s = harness.Start(t, harness.Flags("--database", dsn))
	keep(t, "postgres", populate(s))
	s.Stop()
	dump, err := exec.CommandContext(t.Context(), "pg_dump", "--inserts", "--no-owner", "--no-privileges", dsn).Output()
	// What is for psql, or for newer servers only, is left out.
	dump = regexp.MustCompile(`(?m)^(\\|SET transaction_timeout).*\n`).ReplaceAll(dump, nil)
	write(t, "postgres.sql", dump, err)
}

func keep(t *testing.T, database string, old snapshot) {
	t.Helper()
	raw, err := json.MarshalIndent(old, "", " ")
	write(t, database+".json", append(raw, '\n'), err)
}

func write(t *testing.T, name string, data []byte, err error) {
	t.Helper()
	file := fmt.Sprintf("testdata/parley-%s.%s", *makeSnapshot, name)
	if err = errors.Join(err, os.WriteFile(file, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", file, len(data))
}

// populateRooms makes some of what hangs on messages and rooms.
func populateRooms(ann, bob, cas *harness.User) {
	first := bob.Send("tea", "who pours, @ann?")
	edit(bob, first, "who pours today, @ann?").Want(200)
	edit(bob, first, "who pours today, @ann and @Caspar?").Want(200)
	reply := sent(send(ann, map[string]any{"to": "tea", "text": "I do", "reply_to": first.ID}))
	sent(send(bob, map[string]any{"to": "tea", "text": "thank you", "reply_to": reply.ID}))
	slip := sent(send(ann, map[string]any{"to": "tea", "text": "a slip", "reply_to": first.ID}))
	ann.Delete(pathOf(slip)).Want(204)
	react(ann, first.ID, "👍").Want(200, 204)
	react(bob, first.ID, "❤️").Want(200, 204)
	unreact(bob, first.ID, "❤️").Want(204)
	pin(ann, first.ID).Want(200, 204)
	markRead(bob, "tea", reply.ID).Want(204)
	ann.Patch("/v1/rooms/tea", map[string]any{"slow_mode": 1}).Want(200)
	ann.Patch("/v1/rooms/tea", map[string]any{"slow_mode": 0}).Want(200)
	ann.Put("/v1/rooms/tea/mutes/"+cas.Ref(), map[string]any{"reason": "loud"}).Want(200)
	ann.Put("/v1/rooms/tea/bans/"+cas.Ref(), nil).Want(200)
	ann.Post("/v1/rooms/den/invites", map[string]any{}).Want(201)
	ann.Room("cellar", "private")
	ann.Patch("/v1/rooms/cellar", map[string]any{"archived": true}).Want(200)
	sent(announce(ann, map[string]any{"text": "the kettle is on"}))
}

// populate makes some of everything that a database can hold, and notes what each may see of it.
func populate(s *harness.Server) snapshot {
	ann, bob, cas := s.User("ann"), s.User("bob"), s.User("cas")
	guest := s.Guest("gil")
	ann.Room("tea", "public")
	ann.Room("den", "private")
	ann.Room("attic", "public")
	bob.Post("/v1/rooms/tea/join", nil).Want(200)
	ann.Add("den", bob, "moderator")
	bob.Send("tea", "bob is in tea")
	ann.Send("den", "bob is in den")
	bob.Post("/v1/rooms/tea/leave", nil).Want(204)
	ann.Delete("/v1/rooms/den/members/" + bob.Ref()).Want(204)
	ann.Send("tea", "in tea, not for bob")
	ann.Send("den", "in den, not for bob")
	bob.Post("/v1/rooms/tea/join", nil).Want(200)
	ann.Send("attic", "deleted with the room")
	ann.Delete("/v1/rooms/attic").Want(204)
	cursor := ann.Head()
	ann.Send("@bob", "just between us")
	guest.Send("lobby", "hello, Ünïcödé 你好 🎈")
	cas.Post("/v1/rename", map[string]any{"name": "Caspar"}).Want(200)
	once := harness.Into[client.Message](ann.Post("/v1/send",
		map[string]any{"text": "once", "nonce": snapshotNonce}).Want(201))
	ann.Patch("/v1/rooms/tea", map[string]any{"topic": "leaves"}).Want(200)
	ann.Post("/v1/tickets", nil).Want(201)
	ann.Get("/v1/me").Want(200)
	gone := s.Login("bob")
	gone.Post("/v1/logout", nil).Want(204)
	populateRooms(ann, bob, cas)
	dan, eve := s.User("dan"), s.User("eve")
	for u, role := range map[*harness.User]string{cas: "agent", dan: "admin"} {
		ann.Put("/v1/users/"+u.Ref()+"/role", inRole(role)).Want(200)
	}
	for _, u := range []*harness.User{dan, eve} {
		u.Post("/v1/rooms/tea/join", nil).Want(200)
		u.Send("tea", "x")
		u.Send("lobby", "a longer text, "+strings.Repeat("and longer ", 100))
		u.Send("@ann", "between us two")
		u.Post("/v1/me/delete", map[string]any{"password": harness.Password, "erase": u == eve}).Want(204)
	}

	old := snapshot{
		Made: time.Now().UTC().Truncate(time.Second), Head: ann.Head(), Cursor: cursor, Nonce: once.ID,
		People: map[string]snapshotPerson{},
	}
	rooms := map[*harness.User][]string{ann: {"lobby", "tea", "den", "@bob"}, bob: {"lobby", "tea", "@ann"}, cas: {"lobby"}, guest: {"lobby"}}
	for u, may := range rooms {
		p := snapshotPerson{ID: u.ID, Token: u.Token, Events: rawEvents(u, 0), History: map[string][]string{}}
		for _, room := range may {
			p.History[room] = historyTexts(u, room)
		}
		old.People[u.Now().Name] = p
	}
	return old
}
