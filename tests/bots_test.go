//go:build unix

package tests

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// The bots of examples/ answer each ping of others once, whatever becomes of the server meanwhile.
func TestBots(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("no %s on the PATH, and CI must have one", tool)
		} else if err != nil {
			t.Skipf("no %s on the PATH: the bots of examples/ are not tested", tool)
		}
	}
	program, bot := buildProgram(t, "."), buildProgram(t, "./examples/bot")
	bots := map[string]func(server, account string) *exec.Cmd{
		"go": func(server, account string) *exec.Cmd {
			return exec.Command(bot, "-server", server, "-room", "kitchen", "-name", account)
		},
		"sh": func(server, account string) *exec.Cmd {
			cmd := exec.Command("../examples/bot.sh", server, "kitchen")
			cmd.Env = []string{"PARLEY_NAME=" + account}
			return cmd
		},
	}
	for name, command := range bots {
		for _, account := range []string{"", "robot"} {
			t.Run(fmt.Sprintf("%s as %q", name, account), func(t *testing.T) {
				t.Parallel()
				b := newBotStory(t, program, account)
				b.begin(command)
				b.tell()
				b.check()
			})
		}
	}
}

// botStory is a server that goes and comes, ann, who says ping, and a bot.
type botStory struct {
	t             *testing.T
	program       string
	addr, dir     string
	server, bot   *process
	account       string
	ann, robot    *client.Client // robot has the bot's account, where it is no guest
	pings, others []int64        // what is to be answered, and what is not
}

func newBotStory(t *testing.T, program, account string) *botStory {
	b := &botStory{t: t, program: program, addr: freePort(t), dir: t.TempDir(), account: account}
	b.start()
	b.ann, b.robot = b.client("ann"), b.client(account)
	resp, err := b.ann.CreateRoomWithResponse(t.Context(), client.CreateRoomRequest{Name: "kitchen"})
	if err != nil || resp.JSON201 == nil {
		t.Fatalf("make the room: %v", err)
	}
	return b
}

func (b *botStory) start() { b.server = serve(b.t, b.program, b.dir, b.addr, unlimited...) }

// client is a new account of that name, nil without one.
func (b *botStory) client(name string) *client.Client {
	b.t.Helper()
	if name == "" {
		return nil
	}
	c, err := client.New(b.server.url, client.WithHTTPClient(&http.Client{Transport: plain}))
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := c.Register(b.t.Context(), name, harness.Password); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *botStory) begin(command func(server, account string) *exec.Cmd) {
	b.t.Helper()
	cmd := command(b.server.url, b.account)
	cmd.Env = append(cmd.Env, "PARLEY_PASSWORD="+harness.Password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.bot = launch(b.t, cmd)
	b.t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // with what a shell has started
}

// say sends, and gives the message's id.
func (b *botStory) say(c *client.Client, to, text string) int64 {
	b.t.Helper()
	m, err := c.Send(b.t.Context(), client.SendRequest{To: client.To(to), Text: text})
	if err != nil {
		b.t.Fatal(err)
	}
	return m.ID
}

func (b *botStory) ping(times int) {
	b.t.Helper()
	for range times {
		b.pings = append(b.pings, b.say(b.ann, "kitchen", "!ping"))
	}
}

// answered waits until the newest ping is: all before it are then, or never will be.
func (b *botStory) answered() {
	b.t.Helper()
	nonce := fmt.Sprint("pong-", b.pings[len(b.pings)-1])
	err := eventually(b.t.Context(), func() error {
		for _, m := range b.history() {
			if m.Nonce != nil && *m.Nonce == nonce {
				return nil
			}
		}
		return errors.New("no answer")
	})
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.bot.stderr)
	}
}

func (b *botStory) history() []client.Message {
	b.t.Helper()
	limit := 200
	resp, err := b.ann.ListMessagesWithResponse(b.t.Context(), "kitchen", &client.ListMessagesParams{Limit: &limit})
	if err != nil || resp.JSON200 == nil {
		b.t.Fatalf("read the history: %v", err)
	}
	return resp.JSON200.Messages
}

func (b *botStory) tell() {
	b.t.Helper()
	b.ping(1)
	b.answered()
	for _, text := range []string{"ping", "! ping", "pong"} {
		b.say(b.ann, "kitchen", text)
	}
	b.say(b.ann, "lobby", "!ping")
	if b.robot != nil {
		b.others = append(b.others, b.say(b.robot, "kitchen", "!ping"))
	}
	// The server stops while the bot is about to answer, or crashes, and people go on before the bot is back.
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM} {
		b.ping(3)
		b.server.signal(end)
		b.server.wait()
		dropConnections()
		b.start()
		b.ping(3)
	}
	b.answered()
	b.ping(1)
	b.answered()
}

// check looks for exactly one answer to each ping, and none to anything else.
func (b *botStory) check() {
	b.t.Helper()
	var got []int64
	for _, m := range b.history() {
		if m.Text != "pong" || m.Nonce == nil {
			continue
		}
		var to int64
		if _, err := fmt.Sscanf(*m.Nonce, "pong-%d", &to); err != nil || b.account != "" && m.Sender.Name != b.account {
			b.t.Errorf("%+v: %v", m, err)
		}
		got = append(got, to)
	}
	if !slices.Equal(got, b.pings) {
		b.t.Errorf("answered were %v, of the pings %v and not of %v", got, b.pings, b.others)
	}
	resp, err := b.ann.ListMessagesWithResponse(b.t.Context(), "lobby", nil)
	if err != nil || resp.JSON200 == nil || len(resp.JSON200.Messages) != 1 {
		b.t.Errorf("the bot speaks elsewhere: %v", err)
	}
	select {
	case <-b.bot.exited:
		b.t.Errorf("the bot has ended: %v\n%s", b.bot.err, b.bot.stderr)
	default:
	}
}
