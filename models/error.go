package models

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable part of an error, the same word as `code` in problem+json.
type Code string

// The codes of api.md; package api maps each to its HTTP status once.
const (
	CodeInvalidRequest     Code = "invalid_request"
	CodeUnauthorized       Code = "unauthorized"
	CodeInvalidCredentials Code = "invalid_credentials"
	CodeForbidden          Code = "forbidden"
	CodeBanned             Code = "banned"
	CodeMuted              Code = "muted"
	CodeNotFound           Code = "not_found"
	CodeMethodNotAllowed   Code = "method_not_allowed"
	CodeNotAcceptable      Code = "not_acceptable"
	CodeNameTaken          Code = "name_taken"
	CodeNonceReused        Code = "nonce_reused"
	CodeConflict           Code = "conflict"
	CodeNoAgentAvailable   Code = "no_agent_available"
	CodeCursorExpired      Code = "cursor_expired"
	CodePreconditionFailed Code = "precondition_failed"
	CodeTooLarge           Code = "too_large"
	CodeUnsupportedMedia   Code = "unsupported_media_type"
	CodeValidationFailed   Code = "validation_failed"
	CodeRateLimited        Code = "rate_limited"
	CodeSlowMode           Code = "slow_mode"
	CodeQuotaExceeded      Code = "quota_exceeded"
	CodeInternal           Code = "internal"
	CodeUnavailable        Code = "unavailable"
)

// Error is a refusal that a client may read: its detail never holds SQL, a path or
// a stack. What went wrong inside is in Cause, which is logged and not sent.
type Error struct {
	Code        Code
	Detail      string
	Fields      []FieldError  // with CodeValidationFailed: at least one
	RetryAfter  time.Duration // with the 429 and 503 codes: when to come again
	Limit       int           // with the 429 codes: how many are allowed at once; 0 is one
	Reset       time.Duration // with the 429 codes: when all of them are again; 0 is RetryAfter
	Oldest      int64         // with CodeCursorExpired: the oldest id that is kept
	Cursor      int64         // with CodeCursorExpired: the position to go on from
	NextOpening Time          // with CodeNoAgentAvailable: when the department opens, where it is closed
	Cause       error
}

// FieldError says what is wrong with one field of a request. Field is the name as
// the client wrote it (`name`, `members/0`, a query parameter, a header).
type FieldError struct {
	Field  string
	Detail string
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Detail
	for _, f := range e.Fields {
		s += fmt.Sprintf(" (%s: %s)", f.Field, f.Detail)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, &Error{Code: c}) true for every error of that code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Detail == ""
}

// Refuse makes an error of the code with a detail for the client.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid is a validation_failed error about one field.
func Invalid(field, format string, args ...any) *Error {
	detail := fmt.Sprintf(format, args...)
	return &Error{
		Code:   CodeValidationFailed,
		Detail: field + ": " + detail,
		Fields: []FieldError{{Field: field, Detail: detail}},
	}
}

// NotFound says that there is no such thing, or none that the caller may know of:
// both read the same.
func NotFound(what string) *Error { return Refuse(CodeNotFound, "no such %s", what) }

// Unavailable says that the server cannot do it now and nothing was done or may be
// presumed: the client should come again after a second.
func Unavailable(cause error, format string, args ...any) *Error {
	return &Error{
		Code:       CodeUnavailable,
		Detail:     fmt.Sprintf(format, args...),
		RetryAfter: time.Second,
		Cause:      cause,
	}
}

// CodeOf gives the code of err: CodeInternal for every error that is not an *Error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
