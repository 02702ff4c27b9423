package tests

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/tests/harness"
)

var wsBlock = regexp.MustCompile("<!-- ws -->\\s*```js\n((?s:.*?))```")

// TestBrowserWebSocket pastes what the README has into a browser's console.
func TestBrowserWebSocket(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	snippet := wsBlock.FindSubmatch(readme)
	if snippet == nil {
		t.Fatal("the README has nothing to paste")
	}
	browser := openBrowser(t)
	s := harness.Start(t, withWS())
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p := &tab{t, ctx}
	p.do(chromedp.Navigate("http://" + s.OlderAddr("ws-addr") + "/"))
	evaluate[bool](p, "window.said = []; console.log = text => said.push(text); true")
	evaluate[bool](p, string(snippet[1])+"; true")
	const want = `{"type":1,"sender":1,"receiver":2,"content":"你好, bob"}`
	if !strings.Contains(string(readme), "It prints `"+want+"`") {
		t.Error("the README says something else")
	}
	harness.Eventually(t, "it prints "+want, func() bool { return evaluate[string](p, "said.join()") == want })
}
