package tests

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/tests/harness"
)

// foreignPage registers, gets a ticket, opens the stream and sends, all at another origin than its own, and tells what
// came of it. The flow of a page that is somebody else's.
const foreignPage = `(async (server, name) => {
  const call = async (path, token, body) => {
    const headers = token ? {Authorization: 'Bearer ' + token} : {};
    if (body) headers['Content-Type'] = 'application/json';
    const answer = await fetch(server + path, {method: 'POST', headers, body: body && JSON.stringify(body)});
    if (!answer.ok) throw new Error(path + ' ' + answer.status);
    return [await answer.json(), answer.headers];
  };
  try {
    const [{token}] = await call('/v1/register', '', {name, password: 'correct horse'});
    const [{ticket}] = await call('/v1/tickets', token);
    const stream = new EventSource(server + '/v1/events/stream?ticket=' + ticket);
    const heard = new Promise((resolve, reject) => {
      stream.onmessage = m => {
        const e = JSON.parse(m.data);
        if (e.type === 'message.created') resolve(e.data.message.text);
      };
      stream.onerror = () => reject(new Error('the stream breaks'));
    });
    await new Promise(resolve => stream.onopen = resolve);
    const [, headers] = await call('/v1/send', token, {text: 'from afar'});
    const left = headers.get('RateLimit-Remaining'), id = headers.get('X-Request-Id');
    const refused = await fetch(server + '/v1/me');
    const text = await heard;
    stream.close();
    return [text, left !== null, id !== null, refused.status, (await refused.json()).code].join(' ');
  } catch (e) { return String(e); }
})`

// TestBrowserOfAnotherOrigin lets a page of another origin talk: with --cors-origin it can, without it cannot.
func TestBrowserOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>elsewhere</title>"))
	}))
	t.Cleanup(front.Close)
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p := &tab{t, ctx}
	p.do(chromedp.Navigate(front.URL))
	talks := func(s *harness.Server, name string) string {
		return evaluate[string](p, fmt.Sprintf("%s(%q, %q)", foreignPage, s.URL(), name))
	}
	listed := harness.Start(t, harness.RateLimited(), harness.Flags("--cors-origin", front.URL))
	if got := talks(listed, "ann"); got != "from afar true true 401 unauthorized" {
		t.Errorf("a page that is listed: %s", got)
	}
	anybody := harness.Start(t, harness.RateLimited(), harness.Flags("--cors-origin", "*"))
	if got := talks(anybody, "ann"); got != "from afar true true 401 unauthorized" {
		t.Errorf("any page: %s", got)
	}
	others := harness.Start(t, harness.Flags("--cors-origin", "https://page.example"))
	if got := talks(others, "ann"); got != "TypeError: Failed to fetch" {
		t.Errorf("a page that is not listed: %s", got)
	}
	if n := len(others.User("bob").History("lobby")); n != 0 {
		t.Errorf("it has said %d things", n)
	}
}
