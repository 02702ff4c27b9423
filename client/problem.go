package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is a refusal by the server. Where something between answered that is no Parley (a
// proxy's 502), Code is empty and Title the status' text.
type Error struct {
	Problem
	// RetryAfter is how long the server asks to wait, 0 where it does not say.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Title
	if e.Code != "" {
		s = string(e.Code)
	}
	if e.Detail != nil && *e.Detail != "" {
		s += ": " + *e.Detail
	}
	return fmt.Sprintf("%s (status %d)", s, e.Status)
}

// Is makes errors.Is(err, ErrorCodeNameTaken) true for every error of that code.
func (e *Error) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && e.Code == code
}

// Error makes a code a target of errors.Is.
func (e ErrorCode) Error() string { return string(e) }

// Check gives nil for an answer of success, else the *Error that it carries. Use it on the
// two fields that every …WithResponse answer has:
//
//	resp, err := c.ListRoomsWithResponse(ctx, nil)
//	if err == nil {
//		err = client.Check(resp.HTTPResponse, resp.Body)
//	}
func Check(resp *http.Response, body []byte) error {
	if resp.StatusCode < 300 {
		return nil
	}
	e := &Error{RetryAfter: retryAfter(resp)}
	if json.Unmarshal(body, &e.Problem) != nil || e.Code == "" {
		e.Problem = Problem{Title: http.StatusText(resp.StatusCode), RequestID: resp.Header.Get("X-Request-Id")}
	}
	e.Status = resp.StatusCode
	return e
}

// retryAfter reads the header in seconds; the form of a date, which Parley never sends, is as none.
func retryAfter(resp *http.Response) time.Duration {
	s, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(s) * time.Second
}
