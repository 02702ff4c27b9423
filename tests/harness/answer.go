package harness

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Answer is a response that was read to its end.
type Answer struct {
	tb     testing.TB
	call   string // for messages
	Status int
	Header http.Header
	Body   []byte
}

// Want ends the test unless the answer has one of the statuses.
func (a *Answer) Want(statuses ...int) *Answer {
	a.tb.Helper()
	if !slices.Contains(statuses, a.Status) {
		a.tb.Fatalf("%s: %d, want %v\n%.1000s", a.call, a.Status, statuses, a.Body)
	}
	return a
}

// Refused ends the test unless the answer is a problem of the code, with its status, about just
// these fields.
func (a *Answer) Refused(code string, fields ...string) Problem {
	a.tb.Helper()
	p := a.Want(codes[code]).Problem()
	if p.Code != code {
		a.tb.Fatalf("%s: code %s, want %s\n%s", a.call, p.Code, code, a.Body)
	}
	if len(fields) == 0 {
		return p
	}
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field)
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		a.tb.Fatalf("%s: errors about %v, want %v\n%s", a.call, got, fields, a.Body)
	}
	return p
}

// Problem decodes the body of a refusal.
func (a *Answer) Problem() Problem {
	a.tb.Helper()
	return Into[Problem](a)
}

// Text is the body without its last newline.
func (a *Answer) Text() string { return strings.TrimSuffix(string(a.Body), "\n") }

// Into decodes the answer's body.
func Into[T any](a *Answer) T {
	a.tb.Helper()
	var v T
	if err := json.Unmarshal(a.Body, &v); err != nil {
		a.tb.Fatalf("%s: decode %.1000q: %v", a.call, a.Body, err)
	}
	return v
}
