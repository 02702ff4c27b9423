package tests

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"parley/tests/harness"
)

// The page's files come compressed or not, and not at all where the client has them.
func TestDocsFiles(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for _, path := range []string{"/docs", "/docs/page.js", "/docs/page.css", "/docs/swagger-ui.js", "/docs/swagger-ui.css", "/docs/favicon.png"} {
		plain := s.Do("GET", path).Want(200)
		if len(plain.Body) == 0 || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, %v", path, len(plain.Body), plain.Header)
		}
		if zipped := fetchZipped(t, s.URL()+path); !bytes.Equal(zipped, plain.Body) {
			t.Errorf("%s is another when it comes compressed", path)
		}
		for _, none := range []string{"gzip;q=0", "br", "identity"} {
			a := s.Do("GET", path, harness.Header("Accept-Encoding", none)).Want(200)
			if a.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s comes compressed to who accepts %s", path, none)
			}
		}
		if path == "/docs" {
			continue
		}
		again := s.Do("GET", path, harness.Header("If-None-Match", plain.Header.Get("ETag"))).Want(304)
		if len(again.Body) != 0 || again.Header.Get("ETag") != plain.Header.Get("ETag") {
			t.Errorf("%s: 304 with %d bytes and %v", path, len(again.Body), again.Header)
		}
		s.Do("GET", path, harness.Header("If-None-Match", `"another"`)).Want(200)
	}
	for _, path := range []string{"/docs/index.html", "/docs/oauth2-redirect.html", "/docs/..", "/docs/"} {
		s.Do("GET", path).Refused("not_found")
	}
}

func fetchZipped(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "br, GZIP;q=0.5")
	resp, err := plainHTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %v", url, resp.Header)
	}
	r, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// The page may load its own files and call its own server; nothing of it may be inline.
func TestDocsPolicy(t *testing.T) {
	t.Parallel()
	policy := harness.Start(t).Do("GET", "/docs").Want(200).Header.Get("Content-Security-Policy")
	directives := map[string]string{}
	for part := range strings.SplitSeq(policy, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		directives[name] = value
	}
	for name, want := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
		"img-src": "'self' data:", "frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'",
	} {
		if directives[name] != want {
			t.Errorf("%s is %s, want %s", name, directives[name], want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
}

// complaints are what a page says in its console, and what the browser says of it.
type complaints struct {
	mu   sync.Mutex
	said []string
}

func (c *complaints) listen(ctx context.Context) error {
	return chromedp.Listen(ctx, func(event any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			c.said = append(c.said, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		case *runtime.EventExceptionThrown:
			c.said = append(c.said, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				c.said = append(c.said, fmt.Sprintf("console.%s: %s", e.Type, e.Args[0].Value))
			}
		}
	})
}

func (c *complaints) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// The page shows every operation, a call from it works as who is logged in, and the browser finds
// nothing against the policy.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := harness.Start(t)
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	var heard complaints
	if err := heard.listen(ctx); err != nil {
		t.Fatal(err)
	}
	page := &tab{t, ctx}
	page.do(chromedp.Navigate(s.URL() + "/docs"))
	for _, o := range harness.TheSpec().Operations() {
		page.waits(fmt.Sprintf(`document.getElementById('operations-%s-%s') !== null`, tagOf(t, o.ID), o.ID))
	}
	if status := evaluate[int](page, `fetch('/v1/guest', {method: 'POST'}).then(answer => answer.status)`); status != 201 {
		t.Fatalf("a guest is answered %d", status)
	}
	// As a person: open the operation, press «Execute», read the answer.
	page.do(chromedp.Click(chromedp.CSS(`#operations-accounts-getMe .opblock-summary-control`)),
		chromedp.Click(chromedp.CSS(`#operations-accounts-getMe .execute`)))
	page.waits(`/"role": "guest"/.test(document.querySelector('#operations-accounts-getMe .live-responses-table')?.innerText)`)
	page.do(chromedp.Click(chromedp.CSS(`#operations-messages-send .opblock-summary-control`)),
		chromedp.Click(chromedp.CSS(`#operations-messages-send .execute`)))
	page.waits(`/"sender"/.test(document.querySelector('#operations-messages-send .live-responses-table')?.innerText)`)
	if said := heard.all(); len(said) > 0 {
		t.Errorf("the browser says:\n%s", strings.Join(said, "\n"))
	}
}

// waits until an expression in the page is true.
func (p *tab) waits(expression string) {
	p.t.Helper()
	err := eventually(p.t.Context(), func() error {
		if !evaluate[bool](p, expression) {
			return fmt.Errorf("never true: %s", expression)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func tagOf(t *testing.T, operation string) string {
	t.Helper()
	tag := harness.TheSpec().Tag(operation)
	if tag == "" {
		t.Fatalf("%s has no tag", operation)
	}
	return tag
}
