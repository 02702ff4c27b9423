package tests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the README's tour runs against, and how its blocks are found.
const (
	readmeAddr = "127.0.0.1:8080"
	tourMark   = "<!-- tour -->"
)

var tourBlock = regexp.MustCompile(tourMark + "\\s*```sh\n((?s:.*?))```")

// tourPrints is what somebody who pastes the tour must see, and how often at least.
var tourPrints = []struct {
	text  string
	times int
}{
	{`"token":"`, 3},             // two registrations and a login
	{`"type":"ready"`, 1},        // Bob's stream
	{`"Hello everyone"`, 4},      // the answer, the stream, the history, the long-poll
	{`"type":"room.created"`, 1}, // the stream tells of the new conversation
	{`"Just between us"`, 3},     // the answer, the stream, the long-poll
	{`"status":"online"`, 1},     // who
	{`"old_name":"ann"`, 1},      // the stream tells of the new name
	{`"name":"anna"`, 2},         // the answer and the stream
	{`"has_before":false`, 1},    // the history
	{`"more":false`, 1},          // the long-poll
	{`"name":"attic"`, 3},        // a private channel, what the invitation is to, and that it is accepted
	{`"announcement":true`, 1},   // the announcement
	{`"Diner is ready"`, 1},
	{`"Dinner is getting cold"`, 2},
	{`"unread":1`, 1},           // the lobby, in the list of rooms
	{`"Ann of the Hill"`, 1},    // the profile
	{`"current":true`, 1},       // the sessions
	{`"role":"agent"`, 1},       // the new role
	{`"kind":"account"`, 1},     // the ban
	{`"action":"user.kick"`, 1}, // the audit log
	{`"slow_mode":10`, 3},       // the answers
	{`"reason":"Off topic"`, 1}, // the mute
	{`"archived":true`, 1},      // the answer

	{`"display_name":"李伟"`, 4},                 // the visitor, its conversation
	{`"state":"assigned"`, 3},                  // opened, read, transferred
	{`"On its way to you"`, 2},                 // the answer, the history
	{`"load":1`, 1},                            // the agents
	{`"Wants a refund, @anna please look"`, 2}, // the answer, the notes
	{`"rendered":"Hello 李伟, I am eve."`, 1},    // the canned reply
	{`"score":5`, 1},                           // the rating
	{`On its way to you`, 3},                   // the transcript too
	{`"assignment":"manual"`, 2},               // the department, the list of them
	{`"timezone":"Europe/Berlin"`, 3},          // the hours, the figures
	{`"state":"closed"`, 2},                    // the ends
	{`"reactions":[{"emoji":"👍","user":`, 1},   // who reacted
	{`[{"count":1,"emoji":"👍","me":true}]`, 1}, // the pinned message, as Bob sees it
	{`"pinned_by":`, 1},                        // the pins
	{`"mentions_room":true`, 2},                // the answer in a thread, the thread
	{`"replies":[{`, 1},                        // the thread

	{"logged in to", 1},
	{"stored\n", 1},
	{"#attic anna: The backup is done\n", 1},
	{`{"id":`, 1}, // the event
}

// TestReadmeTour pastes the README's tour into a shell, in front of a server that was started as
// the README says.
func TestReadmeTour(t *testing.T) {
	t.Parallel()
	script, blocks := tour(t)
	program, dir := buildProgram(t, "."), t.TempDir() // ./data will be in dir
	start := func(args ...string) (*process, error) {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		return tryLaunch(t, cmd)
	}
	p, err := start()
	if err != nil && strings.Contains(err.Error(), "address already in use") {
		t.Logf("somebody has %s: the tour runs on another port", readmeAddr)
		p, err = start("--addr", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.line, "curl ") {
		t.Errorf("the first line does not say where to go next: %q", p.line)
	}
	script = strings.ReplaceAll(script, "http://"+readmeAddr, p.url)
	out := paste(t, script, program)
	for _, want := range tourPrints {
		if n := strings.Count(out, want.text); n < want.times {
			t.Errorf("the tour prints %s %d times, want %d", want.text, n, want.times)
		}
	}
	if strings.Contains(out, `"code":"`) {
		t.Error("the tour meets an error")
	}
	if t.Failed() {
		t.Logf("%d blocks printed\n%s", blocks, out)
	}
}

// tour is what the README's marked blocks have, one after the other.
func tour(t *testing.T) (script string, blocks int) {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := tourBlock.FindAllStringSubmatch(string(readme), -1)
	if len(found) == 0 || len(found) != strings.Count(string(readme), tourMark) {
		t.Fatalf("%d blocks of sh stand right behind a %s", len(found), tourMark)
	}
	for _, block := range found {
		script += block[1]
	}
	if n := len(regexp.MustCompile(`(?m)^curl `).FindAllString(script, -1)); n < 9 {
		t.Errorf("the tour has %d curl lines", n)
	}
	return script, len(found)
}

// paste runs a script in an empty directory, which is a home too; each command must succeed.
func paste(t *testing.T, script, program string) string {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "parley")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "tour.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	// No measure of speed: a hundred programs are started.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", file)
	cmd.Dir = dir
	cmd.Env = append(withoutParley(os.Environ()), "HOME="+dir, "XDG_CONFIG_HOME="+dir+"/.config", "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.WaitDelay = 5 * time.Second // for what the tour leaves running
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Errorf("%w\n%s", err, out))
	}
	return string(out)
}

// The page in the README is the one that TestBrowser opens.
func TestReadmePage(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../examples/eventsource.html")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```html\n"+string(page)+"```") {
		t.Error("the README shows another page than examples/eventsource.html")
	}
}
