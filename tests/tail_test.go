package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

var lineTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d `)

// human is a printed line without its time.
func human(t *testing.T, line string) string {
	t.Helper()
	if !lineTime.MatchString(line) {
		t.Errorf("the line has no time: %q", line)
	}
	return lineTime.ReplaceAllString(line, "")
}

// wantLines demands lines but for their times.
func (r *running) wantLines(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := human(r.t, r.next()); got != w {
			r.t.Errorf("printed %q, want %q", got, w)
		}
	}
}

func TestTailForPeople(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	kitchen := ann.Room("kitchen", "public")
	ann.Add("kitchen", bob, "member")
	r := newTerminal(t, s.URL()).as(ann).start("tail")
	r.says("connected to " + s.URL())
	bob.Send("lobby", "你好，世界 👩‍👧")
	bob.Send("kitchen", "red \x1b[31m\x1b]0;title\x07\n2026-01-01 00:00:00 #lobby ann: forged\u2028x\u202ey")
	bob.Send("@ann", "psst")
	r.wantLines(
		"#lobby bob: 你好，世界 👩‍👧",
		"#kitchen bob: red  [31m ]0;title  2026-01-01 00:00:00 #lobby ann: forged x y",
		"@bob bob: psst",
	)
	// Names as they are at that moment.
	bob.Post("/v1/rename", map[string]any{"name": "张三"}).Want(200)
	ann.Patch("/v1/rooms/kitchen", map[string]any{"name": "厨房"}).Want(200)
	said := bob.Send("厨房", "soup")
	bob.Send("@ann", "again")
	bob.Patch(fmt.Sprintf("/v1/messages/%d", said.ID), map[string]any{"text": "salad"}).Want(200)
	bob.Delete(fmt.Sprintf("/v1/messages/%d", said.ID)).Want(204)
	r.wantLines("#厨房 张三: soup", "@张三 张三: again", "#厨房 张三: salad (changed)", fmt.Sprintf("#厨房 message %d was deleted", said.ID))
	if code, rest := r.signalled(syscall.SIGINT); code != 0 || len(rest) != 0 {
		t.Errorf("exit code %d, %q\n%s", code, rest, r.stderr)
	}
	// Other types are printed where they are asked for, and of one room where that is.
	r = newTerminal(t, s.URL()).as(ann).start("tail", "--after=0", "--types=member.joined,user.renamed,room.updated", "--room="+fmt.Sprint(kitchen.ID))
	r.wantLines("#kitchen ann joined", "#kitchen bob joined", "bob is 张三 now")
	if line := human(t, r.next()); !strings.HasPrefix(line, `#厨房 room.updated {"room":{`) {
		t.Errorf("printed %q", line)
	}
	bob.Send("厨房", "not asked for")
	bob.Post("/v1/rename", map[string]any{"name": "bob"}).Want(200)
	r.wantLines("张三 is bob now")
}

func TestTailAsJSON(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("kitchen", "public")
	bob.Send("@ann", "a\nb\u2028c \x1b 你好")
	x := newTerminal(t, s.URL()).as(ann)
	want := ann.Events(0)
	r := x.start("tail", "--json", "--after=0")
	last := bob.Send("lobby", "the last")
	presence := func(line string) bool { return strings.HasPrefix(line, `{"type":"presence.changed"`) } // comes at any time
	for i := 0; ; i++ {
		var e harness.Event
		line := r.next()
		for presence(line) {
			line = r.next()
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if e.ID == last.ID {
			if i != len(want) {
				t.Errorf("%d events, want %d", i, len(want))
			}
			break
		}
		if i >= len(want) || e.ID != want[i].ID || e.Type != want[i].Type || string(e.Data) != string(want[i].Data) {
			t.Errorf("event %d is %s", i, line)
		}
	}
	ann.Post("/v1/logout", nil).Want(204)
	code, rest := r.wait()
	rest = slices.DeleteFunc(rest, presence)
	if code != 1 || len(rest) != 1 || !strings.Contains(rest[0], `"type":"session.ended"`) || !strings.Contains(rest[0], `"reason":"logout"`) {
		t.Errorf("exit code %d, %q", code, rest)
	}
	if said := r.stderr.String(); !strings.Contains(said, "the session has ended: logout") {
		t.Errorf("stderr: %s", said)
	}
	// A position that the server does not have.
	r = x.as(bob).start("tail", "--json", fmt.Sprintf("--after=%d", last.ID+1000))
	if line := r.next(); !strings.Contains(line, `"type":"reset"`) {
		t.Errorf("printed %s", line)
	}
	r.says("parley: reset: ")
	if code, _ := r.signalled(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, r.stderr)
	}
}

func TestTailSaysNo(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("kitchen", "public")
	ann.Room("attic", "private")
	x := newTerminal(t, s.URL()).as(bob)
	broken := filepath.Join(t.TempDir(), "cursor")
	if err := os.WriteFile(broken, []byte("here"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		x    *terminal
		args []string
		code int
		want string
	}{
		{x, []string{"--room=lobby,nowhere"}, 1, "--room nowhere: no such room"},
		{x, []string{"--room=attic"}, 1, "--room attic: no such room"},
		{x, []string{"--room=attic", "--join"}, 1, "--room attic: "},
		{x, []string{"--room=#kitchen"}, 1, "say --join too"},
		{x, []string{"--room=@nobody"}, 1, "--room @nobody: no such user"},
		{x, []string{"--types=message.sung"}, 1, "message.sung"},
		{x, []string{"--cursor=" + broken}, 1, "the file holds no position"},
		{x, []string{"--cursor=" + filepath.Dir(broken) + "/no/cursor"}, 1, "keep the cursor: "},
		{x, []string{"--after=-1"}, 2, "--after: must be 0 or an id"},
		{x, []string{"-n", "201"}, 2, "--last: must be from 0 to 200"},
		{x, []string{"-n1", "--after=1"}, 2, "--last: goes without --after"},
		{x, []string{"-n1", "--json"}, 2, "--last: goes without --json"},
		{x, []string{"--join"}, 2, "--join: goes with --room"},
		{x, []string{"lobby"}, 2, "unexpected argument lobby"},
		{x.with("PARLEY_TOKEN=wrong"), nil, 1, "the session has ended, or the token is wrong: log in"},
		{newTerminal(t, s.URL()), nil, 1, "no session is kept"},
	} {
		r := tt.x.run("", append([]string{"tail"}, tt.args...)...).want(t, tt.code, "", tt.want)
		if r.stdout != "" {
			t.Errorf("%q printed %s", tt.args, r.stdout)
		}
	}
}

// Who reads no more ends the command at once, not only with the next event, and without a word.
func TestTailUnread(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ann.Send("lobby", "something to read")
	for _, more := range []bool{false, true} {
		r := newTerminal(t, s.URL()).as(ann).open("tail", "--after=0", "--json", "--types=message.created")
		if line, err := bufio.NewReader(r.out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "{") {
			t.Errorf("%q, %v", line, err)
		}
		if err := r.out.Close(); err != nil {
			t.Fatal(err)
		}
		if more {
			ann.Send("lobby", "more")
		}
		err := r.cmd.Wait()
		if err != nil || strings.Contains(strings.TrimPrefix(r.stderr.String(), "parley: connected"), "parley") {
			t.Errorf("more %v: %v\n%s", more, err, r.stderr)
		}
	}
}

// keepTalking sends numbered messages to the room until stop is called, which gives how many there were.
func keepTalking(t *testing.T, u *harness.User, rooms ...string) (stop func() (said int)) {
	t.Helper()
	done, n := make(chan struct{}), 0
	var talking sync.WaitGroup
	talking.Go(func() {
		for ; ; n++ {
			select {
			case <-done:
				return
			default:
				u.Send(rooms[n%len(rooms)], fmt.Sprint("message ", n))
			}
		}
	})
	stop = sync.OnceValue(func() int {
		close(done)
		talking.Wait()
		return n
	})
	t.Cleanup(func() { stop() })
	return stop
}

// Ended and started again while others talk, it prints each message once; killed, none too few.
func TestTailFromItsCursor(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	x := newTerminal(t, s.URL()).as(ann)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		file := filepath.Join(t.TempDir(), "cursor")
		head := ann.Head()
		stop := keepTalking(t, bob, "lobby")
		var printed []int64
		take := func(line string) {
			var e client.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			printed = append(printed, e.ID)
		}
		start := func() *running {
			return x.start("tail", "--json", "--types=message.created", "--cursor="+file, fmt.Sprint("--after=", head))
		}
		for range 6 {
			r := start()
			for range 20 {
				take(r.next())
			}
			code, rest := r.signalled(signal)
			for _, line := range rest {
				take(line)
			}
			if signal == syscall.SIGTERM && code != 0 {
				t.Errorf("exit code %d\n%s", code, r.stderr)
			}
		}
		stop()
		var want []int64
		for _, e := range ann.Events(head) {
			want = append(want, e.ID)
		}
		r := start()
		for printed[len(printed)-1] != want[len(want)-1] {
			take(r.next())
		}
		r.signalled(syscall.SIGTERM)
		if signal == syscall.SIGKILL { // what was printed last may come again
			slices.Sort(printed)
			printed = slices.Compact(printed)
		}
		if !slices.Equal(printed, want) {
			t.Errorf("%v: %d events printed, %d happened", signal, len(printed), len(want))
		}
		if at, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(at)) == "" {
			t.Errorf("the cursor is %q, %v", at, err)
		}
	}
}

// The server goes away and comes back: what was said meanwhile is printed, once, and the state is seen.
func TestTailOverARestart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--addr", freePort(t)))
	ann, bob := s.User("ann"), s.User("bob")
	r := newTerminal(t, s.URL()).as(ann).start("tail")
	r.says("connected")
	bob.Send("lobby", "before")
	s.Restart()
	bob.Send("lobby", "after")
	r.wantLines("#lobby bob: before", "#lobby bob: after")
	r.says("trying again in")
	harness.Eventually(t, "parley says that it is connected again", func() bool { return strings.Count(r.stderr.String(), "connected to") == 2 })
	s.Stop()
	late := newTerminal(t, s.URL()).as(ann).start("tail", "--after=0") // it waits for the server, too
	late.says("trying again in")
	s.Restart()
	late.wantLines("#lobby bob: before", "#lobby bob: after")
}

// What was said last comes first, and then all that follows, nothing missing and nothing twice.
func TestTailLast(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("kitchen", "public")
	ann.Add("kitchen", bob, "member")
	x := newTerminal(t, s.URL()).as(ann)
	for i := range 4 {
		bob.Send("lobby", fmt.Sprint("old ", i))
	}
	bob.Send("@ann", "psst")
	ann.Send("kitchen", "soup")
	r := x.start("tail", "-n3")
	r.wantLines("#lobby bob: old 3", "@bob bob: psst", "#kitchen ann: soup")
	r = x.start("tail", "-n2", "--room=lobby,@bob")
	r.wantLines("#lobby bob: old 3", "@bob bob: psst")
	bob.Send("kitchen", "not here")
	bob.Send("lobby", "here")
	r.wantLines("#lobby bob: here")

	stop := keepTalking(t, bob, "lobby", "kitchen", "@ann")
	var all []*running
	for _, args := range [][]string{{"-n20"}, {"-n20", "--room=lobby,kitchen,@bob"}, {"-n200", "--cursor=" + t.TempDir() + "/c"}} {
		all = append(all, x.start(append([]string{"tail"}, args...)...))
	}
	for _, r := range all {
		r.says("connected")
	}
	last := fmt.Sprint(": message ", stop()-1)
	for _, r := range all {
		first := -1
		for i := 0; ; i++ {
			line := r.next()
			_, text, found := strings.Cut(line, ": message ")
			if !found && first < 0 {
				i--
				continue // from before
			}
			var n int
			if _, err := fmt.Sscan(text, &n); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if first < 0 {
				first = n
			}
			if n != first+i {
				t.Fatalf("%q: message %d is in the place of %d", r.cmd.Args, n, first+i)
			}
			if strings.HasSuffix(line, last) {
				break
			}
		}
	}
}

// A conversation that nobody has begun is waited for; what is said elsewhere is not printed.
func TestTailAwaitsAConversation(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
	for _, more := range [][]string{nil, {"-n5"}} {
		r := newTerminal(t, s.URL()).as(ann).start(append([]string{"tail", "--room=@eve"}, more...)...)
		r.says("connected")
		bob.Send("lobby", "to all")
		bob.Send("@ann", "from bob")
		eve.Send("@ann", "from eve")
		r.wantLines("@eve eve: from eve")
		eve.Post("/v1/me/delete", map[string]any{"password": harness.Password}).Want(204)
		eve = s.User("eve")
	}
	_ = eve
}
