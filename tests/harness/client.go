package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json/jsontext"
)

// Client is the one HTTP client of the process; every answer through it is checked. It keeps
// no cookies and follows no redirects.
var Client = sync.OnceValue(func() *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.Proxy = nil
	base.MaxIdleConnsPerHost = 64
	base.DisableCompression = true
	base.TLSClientConfig = TLSClient()
	return &http.Client{
		Transport:     &checker{base: base},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// always are the headers of every answer.
var always = []string{
	"X-Request-Id", "X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "Cross-Origin-Resource-Policy",
	"Cache-Control",
}

// checker is the RoundTripper that holds every answer against the spec.
type checker struct{ base *http.Transport }

// RoundTrip implements http.RoundTripper.
func (c *checker) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.transport(req).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := c.check(req, resp); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// transport is the one of all requests, or one of its own for a request with From.
func (c *checker) transport(req *http.Request) *http.Transport {
	from, ok := req.Context().Value(fromKey{}).(string)
	if !ok {
		return c.base
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	own := c.base.Clone()
	own.DisableKeepAlives = true
	own.DialContext = dialer.DialContext
	return own
}

// CloseIdleConnections implements what http.Client asks its transport for.
func (c *checker) CloseIdleConnections() { c.base.CloseIdleConnections() }

func (c *checker) check(req *http.Request, resp *http.Response) error {
	where := req.Method + " " + req.URL.RequestURI()
	for _, name := range always {
		fromProxy := resp.Header.Get("Server") != "" // which has answers of its own
		if resp.Header.Get(name) == "" && (name == "X-Request-Id" || !fromProxy) {
			return seen.fault("%s: %d without %s", where, resp.StatusCode, name)
		}
	}
	route := TheSpec().find(req.Method, req.URL)
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && (media == "text/event-stream" || media == "application/x-ndjson") {
		return c.checkStream(where, media, route, resp)
	}
	body, err := io.ReadAll(resp.Body)
	if e := resp.Body.Close(); err == nil {
		err = e
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return err // the connection broke: no answer to judge
	}
	if err := checkWhole(route, req, resp, media, body); err != nil {
		return seen.fault("%s: %d: %w\n%.2000s", where, resp.StatusCode, err, body)
	}
	if route != nil {
		seen.saw(Pair{route.Operation.OperationID, resp.StatusCode})
	}
	return nil
}

// checkStream lets the stream flow through a check.
func (c *checker) checkStream(where, media string, route *routers.Route, resp *http.Response) error {
	if route == nil || route.Operation.Responses.Status(http.StatusOK).Value.Content.Get(media) == nil {
		return seen.fault("%s: a stream of %s, which is not in the spec", where, media)
	}
	seen.saw(Pair{route.Operation.OperationID, http.StatusOK})
	resp.Body = &streamBody{ReadCloser: resp.Body, where: where, check: newStreamCheck(media)}
	return nil
}

func checkWhole(route *routers.Route, req *http.Request, resp *http.Response, media string, body []byte) error {
	if req.Method == http.MethodHead {
		return nil // has no body to judge
	}
	if isJSON(media) {
		if err := checkJSON(body); err != nil {
			return err
		}
	}
	if resp.StatusCode >= 400 {
		if err := checkProblem(resp, media, body); err != nil {
			return err
		}
	}
	if route == nil {
		preflight := req.Method == http.MethodOptions && req.Header.Get("Origin") != ""
		if !preflight && resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			return errors.New("an answer to what the spec does not have")
		}
		return nil
	}
	return TheSpec().checkAnswer(route, req, resp, body)
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// checkJSON demands one value in UTF-8 without a name twice.
func checkJSON(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err := d.ReadValue(); err != nil {
		return fmt.Errorf("the JSON is not strict: %w", err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// checkProblem holds what every error has in common.
func checkProblem(resp *http.Response, media string, body []byte) error {
	if media != "application/problem+json" {
		return fmt.Errorf("an error as %q", media)
	}
	var raw any
	if err := json.Unmarshal(body, &raw); err != nil {
		return fmt.Errorf("decode problem: %w", err)
	}
	if err := TheSpec().check("Problem", raw); err != nil {
		return err
	}
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("decode problem: %w", err)
	}
	return p.check(resp)
}

// Problem is RFC 9457's body with Parley's members.
type Problem struct {
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Status      int        `json:"status"`
	Detail      string     `json:"detail"`
	Code        string     `json:"code"`
	RequestID   string     `json:"request_id"`
	Errors      []Field    `json:"errors"`
	Oldest      *int64     `json:"oldest"`
	NextOpening *time.Time `json:"next_opening"`
	Cursor      *int64     `json:"cursor"`
}

// Field is what is wrong with one field.
type Field struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// codes are the statuses of api.md, once more: the server's own table is what is tested.
var codes = map[string]int{
	"invalid_request": 400, "unauthorized": 401, "invalid_credentials": 401, "forbidden": 403, "banned": 403,
	"muted": 403, "not_found": 404, "method_not_allowed": 405, "not_acceptable": 406, "name_taken": 409,
	"nonce_reused": 409, "conflict": 409, "no_agent_available": 409, "cursor_expired": 410,
	"precondition_failed": 412, "too_large": 413, "unsupported_media_type": 415, "validation_failed": 422,
	"rate_limited": 429, "slow_mode": 429, "quota_exceeded": 429, "internal": 500, "unavailable": 503,
}

func (p Problem) check(resp *http.Response) error {
	status := resp.StatusCode
	switch {
	case p.Status != status || codes[p.Code] != status:
		return fmt.Errorf("status %d, in the body %d and code %s", status, p.Status, p.Code)
	case p.Type != "/problems/"+p.Code || p.Title == "":
		return fmt.Errorf("type %q and title %q for %s", p.Type, p.Title, p.Code)
	case p.RequestID != resp.Header.Get("X-Request-Id"):
		return fmt.Errorf("request_id %q under X-Request-Id %q", p.RequestID, resp.Header.Get("X-Request-Id"))
	case (p.Code == "validation_failed") != (len(p.Errors) > 0):
		return fmt.Errorf("%s with %d errors", p.Code, len(p.Errors))
	case (p.Code == "cursor_expired") != (p.Oldest != nil && p.Cursor != nil):
		return fmt.Errorf("%s with oldest %v and cursor %v", p.Code, p.Oldest, p.Cursor)
	case p.NextOpening != nil && p.Code != "no_agent_available":
		return fmt.Errorf("%s with next_opening %v", p.Code, p.NextOpening)
	case (status == 429 || status == 503) && resp.Header.Get("Retry-After") == "":
		return fmt.Errorf("%d without Retry-After", status)
	case status == 429 && !hasRateLimit(resp.Header):
		return fmt.Errorf("429 with %v", resp.Header)
	case status == 401 && resp.Header.Get("WWW-Authenticate") == "":
		return errors.New("401 without WWW-Authenticate")
	case status == 405 && resp.Header.Get("Allow") == "":
		return errors.New("405 without Allow")
	}
	for _, f := range p.Errors {
		if f.Field == "" || f.Detail == "" {
			return fmt.Errorf("an error about field %q says %q", f.Field, f.Detail)
		}
	}
	return leaks(p)
}

// hasRateLimit says whether the three headers are there, as numbers.
func hasRateLimit(h http.Header) bool {
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		if n, err := strconv.Atoi(h.Get(name)); err != nil || n < 0 {
			return false
		}
	}
	return true
}

// leaks looks for what no client may read.
func leaks(p Problem) error {
	text := p.Title + " " + p.Detail
	for _, f := range p.Errors {
		text += " " + f.Detail
	}
	for _, word := range []string{"goroutine ", ".go:", "SELECT ", "INSERT ", "UPDATE ", "sqlite", "SQLSTATE", "pgx", "runtime error"} {
		if strings.Contains(text, word) {
			return fmt.Errorf("the problem tells of the inside: %q", word)
		}
	}
	return nil
}
