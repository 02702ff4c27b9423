package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowser is the main job: two people talk, one with curl, one with a browser's EventSource,
// and the server goes down and comes back in the middle.
func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	program, examples := buildProgram(t, "."), buildProgram(t, "./examples")
	html, err := os.ReadFile("../examples/eventsource.html")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(html, []byte("\n")); n > 15 {
		t.Errorf("the page has %d lines, the README promises 15", n)
	}
	t.Run("page", func(t *testing.T) {
		talk(t, browser, program, func(p *tab, server string) {
			front := launch(t, exec.Command(examples, "-addr", "127.0.0.1:0", "-parley", server))
			p.do(chromedp.Navigate(front.url))
		})
	})
	// The same page at the server's own address, without anything in between.
	t.Run("same origin", func(t *testing.T) {
		talk(t, browser, program, func(p *tab, server string) {
			body, script := splitPage(t, string(html))
			p.mayScript()
			p.do(chromedp.Navigate(server + "/healthz"))
			evaluate[int](p, fmt.Sprintf("document.body.innerHTML = %q; (async () => {%s})(); 0", body, script))
		})
	})
}

var scriptOfPage = regexp.MustCompile(`(?s)^(.*)<script type="module">(.*)</script>`)

func splitPage(t *testing.T, html string) (body, script string) {
	t.Helper()
	parts := scriptOfPage.FindStringSubmatch(html)
	if parts == nil {
		t.Fatal("the page has no module")
	}
	return parts[1], parts[2]
}

// openBrowser starts a headless browser with a profile of its own; the test is skipped where there
// is none, but not in CI.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" && os.Getenv("CI") == "true" {
		t.Fatal("no chromium on the PATH, and CI must have one")
	}
	if path == "" {
		t.Skip("no chromium on the PATH: the browser's EventSource is not tested")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true))...)
	browser, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(browser); err != nil { // waits until it has gone
			t.Errorf("close the browser: %v", err)
		}
		closeBrowser()
		cancel()
	})
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return browser
}

// tab is a page of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context // chromedp keeps a page in its context
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// mayScript lets scripts do in a page what its Content-Security-Policy forbids: the API's answers, of which the test
// makes pages, may do nothing.
func (p *tab) mayScript() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
		return err
	}))
}

// evaluate gives the value of an expression in the page.
func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// lines is what the page shows.
func (p *tab) lines() []string {
	p.t.Helper()
	return evaluate[[]string](p, `[...document.querySelectorAll('#log li')].map(li => li.textContent)`)
}

// say types into the page as a person does.
func (p *tab) say(text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#say input"), text+kb.Enter))
}

// shows waits until the page shows these lines and no others.
func (p *tab) shows(want ...string) {
	p.t.Helper()
	err := eventually(p.t.Context(), func() error {
		if got := p.lines(); !slices.Equal(got, want) {
			return fmt.Errorf("the page shows %q, want %q", got, want)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func talk(t *testing.T, browser context.Context, program string, open func(p *tab, server string)) {
	dir, addr := t.TempDir(), freePort(t)
	server := serve(t, program, dir, addr)
	bob := &curler{t: t, jar: filepath.Join(t.TempDir(), "bob.cookies"), url: server.url}
	bob.run("-c", bob.jar, "-d", "name=bob", "-d", "password=battery staple", bob.url+"/v1/register")
	heard := bob.listen()

	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p := &tab{t, ctx}
	open(p, server.url)
	guest := bob.waitsForGuest()

	bob.say("Hello browser")
	p.shows("bob: Hello browser")
	p.say("Hello <b>curl</b>")
	want := []string{"bob: Hello browser", guest + ": Hello <b>curl</b>"}
	p.shows(want...)
	heard.has(`"text":"Hello \u003cb\u003ecurl\u003c/b\u003e"`, `"text":"Hello <b>curl</b>"`)

	for i, end := range []func(){server.kill, func() { server.signal(syscall.SIGTERM); server.wait() }} {
		end()
		// EventSource comes back after a broken connection, and gives up on an answer like 502.
		if status := evaluate[int](p, `fetch('/v1/me').then(answer => answer.status, () => 0)`); status != 0 {
			t.Errorf("the page gets the status %d while the server is down", status)
		}
		server = serve(t, program, dir, addr)
		// The browser is not back yet, or not everywhere: it must get this all the same, once.
		for n := range 3 {
			text := fmt.Sprintf("after restart %d, number %d", i+1, n+1)
			bob.say(text)
			want = append(want, "bob: "+text)
		}
		p.shows(want...)
		p.say("still here")
		want = append(want, guest+": still here")
		p.shows(want...)
	}
}

// curler is a person with curl and a file of cookies.
type curler struct {
	t        *testing.T
	jar, url string
}

// run makes one call, which must succeed.
func (c *curler) run(args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "curl", append([]string{"-sS", "--fail-with-body"}, args...)...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (c *curler) say(text string) {
	c.t.Helper()
	c.run("-b", c.jar, "--data-urlencode", "text="+text, c.url+"/v1/send")
}

var guestName = regexp.MustCompile(`"name":"(guest-[0-9]+)"`)

// waitsForGuest waits until the browser is online and gives its name.
func (c *curler) waitsForGuest() (name string) {
	c.t.Helper()
	err := eventually(c.t.Context(), func() error {
		found := guestName.FindStringSubmatch(c.run("-b", c.jar, c.url+"/v1/who"))
		if found == nil {
			return errors.New("the browser does not come")
		}
		name = found[1]
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return name
}

// listening is a `curl -N` in the background.
type listening struct {
	t   *testing.T
	out *shared
}

func (c *curler) listen() *listening {
	c.t.Helper()
	l := &listening{c.t, &shared{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	cmd := exec.CommandContext(ctx, "curl", "-sSN", "-b", c.jar, c.url+"/v1/events/stream")
	cmd.Stdout, cmd.Stderr = l.out, l.out
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed, or its server was
	})
	l.has(`"type":"ready"`)
	return l
}

// has waits until one of the texts has come.
func (l *listening) has(texts ...string) {
	l.t.Helper()
	err := eventually(l.t.Context(), func() error {
		got := l.out.String()
		if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(got, s) }) {
			return fmt.Errorf("curl has not got %q but\n%s", texts, got)
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}
