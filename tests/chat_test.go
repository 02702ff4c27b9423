package tests

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/tests/harness"
)

// Ann comes in by the menu, talks with Bob, who is a program somewhere, in public and in private, and takes another name.
func TestChatInATerminal(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	stream := bob.Stream(harness.Query("types", "message.created,user.renamed"))
	ann := chatAt(t, s.URL(), 100, 30, nil)
	ann.registers("ann").shows("online", "nothing has been said here yet")

	ann.line("Hello from a terminal").shows("ann  Hello from a terminal").hides("sending")
	if e := stream.Want("message.created")[0]; e.Text() != "Hello from a terminal" {
		t.Errorf("Bob hears %s", e.JSON)
	}
	bob.Send("lobby", "你好，@ann")
	ann.shows("bob  你好，@ann")

	// In private: what Bob says opens the conversation, what Ann says goes there.
	bob.Send("@ann", "between us")
	ann.matches(`2 ● @bob +1`)
	ann.line("/msg bob yes?").shows("bob  between us", "ann  yes?").hides("sending")
	events := stream.Want("message.created", "message.created", "message.created")
	if e := events[2]; e.Text() != "yes?" || e.RoomID != events[1].RoomID {
		t.Errorf("Bob hears %s", e.JSON)
	}
	ann.line("/msg nobody hello?").shows("@nobody: ", "› /msg nobody hello?").keys("\x15")

	ann.line("/rename bob").shows("taken")
	ann.line("/rename Änne").shows("you are called Änne now", "ann is called Änne now", "Änne  yes?")
	if e := stream.Want("user.renamed")[0]; !strings.Contains(e.JSON, `"Änne"`) {
		t.Errorf("Bob hears %s", e.JSON)
	}
	bob.Post("/v1/rename", map[string]any{"name": "robert"}).Want(200)
	ann.shows("@robert", "bob is called robert now", "robert  between us")
	ann.keys(escKey).shows("Public chat", "Private chat", "Rename").keys("1").shows("Hello from a terminal").hides("between us")
	ann.line("/quit").ends()
}

// The menu of the oldest client does what it did.
func TestChatMenu(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("bob").Send("lobby", "hi")
	cat := chatAt(t, s.URL(), 80, 24, nil)
	cat.shows("Log in", "Come as a guest", s.URL()).keys("3").shows("Name (or none)").line("bob").shows("taken")
	cat.keys("by").line("").shows("#lobby", "bobby")
	cat.keys(escKey).shows("Private chat").keys("2").shows("With").keys("bo", tabKey).shows("bob").line("").shows("@bob", "nothing has been said")
	cat.line("psst").shows("bobby  psst").hides("sending")
	cat.keys(escKey).shows("Rename").keys("3").shows("New name").line("bob").shows("taken").keys("\x15").line("cat").shows("you are called cat now")
	cat.keys(escKey).shows("Log out").keys("4").shows("Log in").keys("1").shows("Password").line("bob").line("wrong password")
	cat.matches(`(?i)password|name`).shows("Enter goes on").keys(escKey).shows("Exit").keys("0").ends()
}

// The session is kept for its owner alone, and the next start goes straight in.
func TestChatKeepsTheSession(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin := s.User("admin")
	first := chatAt(t, s.URL(), 80, 24, nil)
	first.registers("ann").keys(ctrlC).ends()
	kept := 0
	err := filepath.WalkDir(filepath.Join(first.home, "config"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o700)
		if !d.IsDir() {
			want, kept = 0o600, kept+1
		}
		if filepath.Base(path) != "config" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || kept == 0 {
		t.Fatalf("%d files, %v", kept, err)
	}
	again := chatAt(t, s.URL(), 80, 24, []string{"HOME=" + first.home})
	again.shows("#lobby", "ann").hides("Log in")

	// Kicked, she is at the start menu, told why, and so is the next start.
	admin.Post("/v1/users/@ann/kick", map[string]any{"reason": "Lunch time"}).Want(204)
	again.shows("You were kicked: Lunch time", "Log in").keys("0").ends()
	third := chatAt(t, s.URL(), 80, 24, []string{"HOME=" + first.home})
	third.shows("Log in", "Register").keys("1").shows("Password").line("ann").line(harness.Password).shows("#lobby").line("/quit").ends()
	admin.Post("/v1/users/@ann/kick", map[string]any{}).Want(204)
	chatAt(t, s.URL(), 80, 24, []string{"HOME=" + first.home}).shows("The session is over", "Log in")

	// -ip and -port, as the oldest client had them.
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	chatAt(t, "http://192.0.2.1", 80, 24, []string{"HOME=" + first.home}, "-ip", u.Hostname(), "-port="+u.Port()).shows(s.URL()).keys("0").ends()
}

// What one has not seen is counted, and read when one looks at it.
func TestChatCountsTheUnread(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	bob.Room("kitchen", "public")
	ann := chatAt(t, s.URL(), 100, 20, nil)
	ann.registers("ann").line("/rooms").shows("#kitchen · 1 member")
	ann.keys("/join kit", tabKey).shows("› /join kitchen").line("").shows("nothing has been said here yet", "1 online")
	bob.Send("lobby", "one")
	bob.Send("lobby", "two @ann")
	ann.matches(`#lobby +@1 2`)
	if r := unreadIn(t, s.Login("ann"), "lobby"); r != 2 {
		t.Errorf("%d are unread in the lobby", r)
	}
	ann.keys("\x1b1").shows("── new ──", "bob  one", "two @ann").matches(`(?m)^ 1 #lobby +│`)
	harness.Eventually(t, "the server knows that it was read", func() bool { return unreadIn(t, s.Login("ann"), "lobby") == 0 })
	bob.Send("lobby", "three")
	ann.shows("bob  three")
	bob.Send("kitchen", "four")
	ann.matches(`#kitchen +1`).keys(ctrlN).shows("bob  four").matches(`(?m)^ 2 #kitchen +│`)
	bob.Send("lobby", "five")
	ann.matches(`#lobby +1`)

	// Read on another device, it is read here.
	other := s.Login("ann")
	lobby := other.History("lobby")
	other.Put("/v1/rooms/lobby/read", map[string]any{"message_id": lobby[len(lobby)-1].ID}).Want(204)
	ann.matches(`(?m)^ 1 #lobby +│`)

	// What is not seen, because another window is, is not read.
	ann.keys("\x1b[O", "z").shows("› z") // what came before the letter has been read
	bob.Send("kitchen", "six @ann")
	ann.matches(`#kitchen +@1 1`).keys("\x1b[I").matches(`(?m)^ 2 #kitchen +│`).keys("\x15")
	ann.line("/leave").hides("2 #kitchen").shows("you left #kitchen", "three")
}

func unreadIn(t *testing.T, u *harness.User, room string) int {
	t.Helper()
	return harness.Into[struct{ Unread int }](u.Get("/v1/rooms/" + room).Want(200)).Unread
}

// Looking up loads what was said before, without a gap or a double.
func TestChatScrollsBack(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	const all = 130
	for i := range all {
		bob.Send("lobby", fmt.Sprintf("line %03d.", i+1))
	}
	ann := chatAt(t, s.URL(), 90, 20, nil)
	ann.registers("ann").shows("line 130.").hides("line 080.")
	// Each page goes on where the one before began: that all are seen, in order, is seen by the way. One that is pressed for
	// while older messages are on their way may be shorter.
	for first := numbers(ann.screen.Text())[0]; first > 1; {
		ann.keys(pageUp).until(fmt.Sprintf("the page above line %d is whole", first), func(screen string) bool {
			n := numbers(screen)
			for i := range n {
				if n[i] != n[0]+i {
					return false
				}
			}
			return len(n) > 10 && n[0] < first && n[len(n)-1] >= first && !strings.Contains(screen, "loading")
		})
		first = numbers(ann.screen.Text())[0]
	}
	bob.Send("lobby", "news @ann")
	ann.matches(`#lobby +@1 1`).shows("line 001.", "Ctrl-End").keys("\x1b[1;5F").shows("news @ann").matches(`(?m)^ 1 #lobby +│`)
	ann.keys(pageUp).shows("Ctrl-End").keys(pageDown).shows("news @ann").hides("Ctrl-End")
}

// numbers are those of the lines on the screen, as long as they are whole.
func numbers(screen string) (all []int) {
	for _, m := range regexp.MustCompile(`line (\d+)\.`).FindAllStringSubmatch(screen, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			continue
		}
		all = append(all, n)
	}
	return all
}

// The server goes and comes back: that is seen, what is typed meanwhile is sent once, and what others say arrives once.
func TestChatOverARestart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	way := newRelay(t, s)
	bob := s.User("bob")
	ann := chatAt(t, way.url(), 100, 24, nil)
	ann.registers("ann").line("before").shows("ann  before").hides("sending")

	way.down()
	ann.shows("offline, trying again in")
	ann.line("while offline").shows("while offline sending …").line("and more").shows("and more sending …")
	bob.Send("lobby", "you missed this")
	ann.keys(ctrlC).shows("2 messages are not sent yet")
	s.Restart()
	bob.Send("lobby", "and this")
	way.up(s)
	ann.shows("you missed this", "and this", "while offline", "and more").hides("offline,").hides("sending …")
	bob.Send("lobby", "after")
	ann.shows("bob  after")
	var said []string
	for _, m := range bob.History("lobby") {
		said = append(said, m.Text)
	}
	if got := strings.Join(said, ","); strings.Count(got, "while offline") != 1 || !strings.Contains(got, "while offline,and more") {
		t.Errorf("the history is %s", got)
	}
	screen := ann.screen.Text()
	for _, text := range said {
		if n := strings.Count(screen, "  "+text+"\n"); n != 1 {
			t.Errorf("%q is shown %d times", text, n)
		}
	}
	ann.keys(ctrlC).ends()
}

// A message that the server refuses stays, with the reason.
func TestChatShowsWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--max-message-bytes", "40"))
	bob := s.User("bob")
	ann := chatAt(t, s.URL(), 100, 20, nil)
	ann.registers("ann").line(strings.Repeat("too long ", 5)).shows("✗ not sent: text ").hides("sending")
	bob.Send("lobby", "hm")
	ann.shows("bob  hm", "✗ not sent")
	bob.Do("PUT", "/v1/blocks/@ann").Want(204)
	ann.line("/msg bob hey").shows("@bob", "hey", "✗ not sent").line("/nonsense").shows("there is no command /nonsense")
}

// Others edit, delete and react; what they write cannot take the terminal over.
func TestChatShowsChanges(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	said := bob.Send("lobby", "diner is ready")
	gone := bob.Send("lobby", "a secret")
	ann := chatAt(t, s.URL(), 100, 20, nil)
	ann.registers("ann").shows("diner is ready", "a secret")
	path := fmt.Sprintf("/v1/messages/%d", said.ID)
	bob.Patch(path, map[string]any{"text": "dinner is ready"}).Want(200)
	bob.Delete(fmt.Sprintf("/v1/messages/%d", gone.ID)).Want(204)
	bob.Do("PUT", path+"/reactions/"+url.PathEscape("👍")).Want(204)
	ann.shows("dinner is ready (edited)", "(deleted)", "👍 1").hides("a secret", "diner")
	mine := s.Login("ann")
	mine.Do("PUT", path+"/reactions/"+url.PathEscape("👍")).Want(204)
	ann.shows("[👍 2]")
	bob.Delete(path + "/reactions/" + url.PathEscape("👍")).Want(204)
	ann.shows("[👍 1]")
	bob.Do("PUT", path+"/pin").Want(200, 204)
	ann.shows("(edited) (pinned)")
	mine.Post("/v1/send", map[string]any{"text": "at last", "reply_to": said.ID}).Want(201)
	ann.shows("↳ bob: dinner is ready", "at last")

	bob.Do("POST", "/v1/rooms/lobby/typing").Want(204)
	ann.shows("bob is typing …")
	bob.Send("lobby", "\x1b]0;hacked\x07\x1b[2J\x1b[31mred\x9b1m\u202eevil")
	ann.shows("␛]0;hacked␇␛[2J␛[31mred", "dinner is ready", "evil").hides("typing", "\u202e")
	if strings.Contains(ann.raw.String(), "\x1b]0;hacked") || strings.Contains(ann.raw.String(), "\u202e") {
		t.Error("what others write reaches the terminal as it is")
	}
	bob.Room("den", "public")
	ann.line("/join den").shows("#den")
	bob.Patch("/v1/rooms/den", map[string]any{"topic": "bears"}).Want(200)
	ann.shows("#den  bears", "the topic is now: bears")
	bob.Delete("/v1/rooms/den").Want(204)
	ann.shows("#den was deleted", "dinner is ready")
}

// Chinese and emoji have two columns, and what stands behind them is in its column all the same.
func TestChatLaysOutByWidth(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	zhang, bob := s.User("张三"), s.User("bob")
	zhang.Room("厨房", "public")
	ann := chatAt(t, s.URL(), 100, 24, nil)
	ann.registers("李四").line("/join 厨房").shows("#厨房")
	bob.Do("POST", "/v1/rooms/厨房/join").Want(200)
	long := strings.Repeat("你好，世界。", 14)
	zhang.Send("厨房", "第一")
	bob.Send("厨房", "second")
	zhang.Send("厨房", long)
	zhang.Send("厨房", "🎉 end")
	ann.shows("第一", "second", "🎉 end")
	begin := ann.screen.column("第一")
	if a, b, c := begin, ann.screen.column("second"), ann.screen.column("🎉 end"); a != b || b != c || a < 0 {
		t.Errorf("the texts begin in the columns %d, %d and %d", a, b, c)
	}
	var rest strings.Builder
	bars := map[int]bool{}
	for i, row := range ann.screen.cellsNow() {
		text := ""
		for x, c := range row {
			if c.text == "│" {
				bars[x] = true
			}
			if x >= begin {
				text += c.text
			}
		}
		if strings.ContainsAny(text, "你好世界") && i > 1 {
			rest.WriteString(strings.TrimSpace(text))
			if first := []rune(strings.TrimSpace(text))[0]; strings.ContainsRune("，。", first) {
				t.Errorf("a line begins with %c", first)
			}
		}
	}
	if rest.String() != long {
		t.Errorf("the long text is shown as %s", rest.String())
	}
	if len(bars) != 1 {
		t.Errorf("the line between the columns is not straight: %v", bars)
	}
	// One press takes one character away, whatever its width.
	ann.keys("你好👍🏽", "\x7f", "\x7f").shows("› 你").hides("› 你好").keys("\x7f", "ok").shows("› ok")
	t.Log("\n" + ann.framed())
}

// A narrow terminal has no list of rooms, and a resize brings it back.
func TestChatInANarrowTerminal(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	ann := chatAt(t, s.URL(), 40, 12, nil)
	ann.registers("ann").line("a line that is longer than forty columns are wide").shows("ann: a line", "wide")
	bob.Room("kitchen", "public")
	ann.line("/join kitchen").shows("#kitchen")
	bob.Send("lobby", "elsewhere")
	ann.shows("1 unread").hides("│")
	t.Log("\n" + ann.framed())
	ann.resize(40, 10)
	ann.shows("#kitchen", "›")
	for _, size := range [][2]int{{20, 5}, {8, 3}, {1, 1}, {200, 60}} {
		ann.resize(size[0], size[1])
	}
	ann.shows("1 #lobby", "2 #kitchen", "│")
	ann.resize(100, 30)
	ann.shows("1 #lobby", "│").keys("\x1b1").shows("a line that is longer than forty columns are wide", "elsewhere")
}

// Without colours there are none, and everything can be told apart all the same.
func TestChatWithoutColours(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	coloured := chatAt(t, s.URL(), 80, 24, nil)
	coloured.registers("ann")
	plain := chatAt(t, s.URL(), 80, 24, []string{"NO_COLOR=1"})
	plain.registers("cat")
	bob.Send("lobby", "hello @cat @ann")
	for _, x := range []*tty{coloured, plain} {
		x.shows("▌", "hello @cat @ann")
	}
	if !coloured.screen.coloured() || plain.screen.coloured() {
		t.Errorf("colours: %v, with NO_COLOR %v", coloured.screen.coloured(), plain.screen.coloured())
	}
}

// Tab completes commands, people and rooms, and goes through them where there are several.
func TestChatCompletes(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob, bea := s.User("bob"), s.User("Bea")
	bob.Room("kitchen", "public")
	bob.Send("lobby", "hi")
	bea.Send("lobby", "hi")
	ann := chatAt(t, s.URL(), 100, 20, nil)
	ann.registers("ann").shows("hi")
	ann.keys("/ren", tabKey).shows("› /rename").keys("\x15")
	ann.keys("b", tabKey).shows("› @Bea", "@Bea · @bob").keys(tabKey).shows("› @bob").keys("what?").shows("› @bob what?").keys("\x15")
	ann.keys("/msg bo", tabKey).shows("› /msg bob").keys("\x15")
	ann.keys("/join #k", tabKey).shows("› /join #kitchen").line("").shows("nothing has been said here yet")
	ann.keys("/room l", tabKey).shows("› /room lobby").line("").shows("Bea  hi")
	ann.line("/who").shows("online in #lobby: ann").line("/help").shows("Alt-A", "Ctrl-C")
}

func (s *screen) cellsNow() [][]square {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([][]square, 0, len(s.cells))
	for _, row := range s.cells {
		all = append(all, append([]square(nil), row...))
	}
	return all
}

// By a pipe, a line is a message or a command, and each message is a line.
func TestChatByLines(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	bob := s.User("bob")
	bob.Room("kitchen", "public")
	home := t.TempDir()
	run := func(in string, env []string, args ...string) (out, notes string, code int) {
		cmd := program(t, append([]string{"chat", "--server", s.URL()}, args...)...)
		cmd.Env = append(append(cmd.Env, "HOME="+home, "XDG_CONFIG_HOME="+home), env...)
		var stdout, stderr strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	}
	if _, notes, code := run("hello\n", nil); code != 1 || !strings.Contains(notes, "nobody is logged in") {
		t.Errorf("%d, %s", code, notes)
	}
	out, notes, code := run("hello\n//slash\n/rename piper\n/join kitchen\nin here\n/msg bob psst\n/who\n", nil, "--guest")
	if code != 0 || notes != "" {
		t.Errorf("%d, %s", code, notes)
	}
	for _, want := range []string{": hello\n", ": /slash\n", " #kitchen piper: in here\n", " @bob piper: psst\n", "* online in #kitchen: piper (1)\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if got := bob.History("kitchen"); len(got) != 1 || got[0].Text != "in here" {
		t.Errorf("the kitchen has %v", got)
	}
	// The session is kept, what is refused is told, and the exit code says so.
	out, notes, code = run("again\n/join nowhere\n"+strings.Repeat("x", 20000)+"\nlast\n", nil, "--guest")
	if code != 1 || !strings.Contains(out, " #lobby piper: again\n") || !strings.Contains(out, " #lobby piper: last\n") ||
		!strings.Contains(notes, "/join: ") || !strings.Contains(notes, "not sent: text") || !strings.Contains(notes, "2 lines were not done") {
		t.Errorf("%d, %s\n%s", code, out, notes)
	}
	out, notes, code = run("as bob\n", []string{"PARLEY_PASSWORD=" + harness.Password}, "--login", "bob")
	if code != 0 || !strings.Contains(out, " #lobby bob: as bob\n") {
		t.Errorf("%d, %s\n%s", code, out, notes)
	}
	if _, notes, code = run("as ann\n", []string{"PARLEY_PASSWORD=wrong password"}, "--login", "ann"); code != 1 || !strings.Contains(notes, "come in: ") {
		t.Errorf("%d, %s", code, notes)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) == 0 {
		t.Errorf("nothing is kept: %v", err)
	}
	if _, err := strconv.Atoi(out[:2]); err != nil {
		t.Errorf("no time: %s", out)
	}
}
