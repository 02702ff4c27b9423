package api

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"parley/models"
)

// hotReader reads JSON of the usual forms. What it does not take may be good JSON all the same.
type hotReader struct{ rest []byte }

func (r *hotReader) space() {
	for len(r.rest) > 0 {
		switch r.rest[0] {
		case ' ', '\t', '\r', '\n':
			r.rest = r.rest[1:]
		default:
			return
		}
	}
}

// next takes the character, if it comes next.
func (r *hotReader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// end says whether nothing follows.
func (r *hotReader) end() bool {
	r.space()
	return len(r.rest) == 0
}

// name takes the name of a field, as it stands there: none of ours has anything to escape.
func (r *hotReader) name() ([]byte, bool) {
	if !r.next('"') {
		return nil, false
	}
	end := bytes.IndexByte(r.rest, '"')
	if end < 0 {
		return nil, false
	}
	name := r.rest[:end]
	r.rest = r.rest[end+1:]
	return name, r.next(':')
}

// text takes a string.
func (r *hotReader) text() (string, bool) {
	if !r.next('"') {
		return "", false
	}
	for i, c := range r.rest {
		switch {
		case c == '"':
			raw := r.rest[:i]
			r.rest = r.rest[i+1:]
			return string(raw), utf8.Valid(raw)
		case c == '\\':
			return r.escaped(i)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escaped takes a string with an escape at i.
func (r *hotReader) escaped(i int) (string, bool) {
	for ; i < len(r.rest) && r.rest[i] != '"'; i++ {
		if r.rest[i] == '\\' {
			i++
		}
	}
	if i >= len(r.rest) {
		return "", false
	}
	quoted := append(append(make([]byte, 0, i+2), '"'), r.rest[:i+1]...)
	r.rest = r.rest[i+1:]
	text, err := jsontext.AppendUnquote(make([]byte, 0, len(quoted)), quoted) // refuses what is no UTF-8
	return string(text), err == nil
}

// id takes a number from 1 on, without fraction and exponent.
func (r *hotReader) id() (id int64, ok bool) {
	r.space()
	n := 0
	for n < len(r.rest) && r.rest[n]-'0' <= 9 {
		n++
	}
	if n == 0 || n > 16 || r.rest[0] == '0' {
		return 0, false
	}
	id, err := strconv.ParseInt(string(r.rest[:n]), 10, 64)
	r.rest = r.rest[n:]
	return id, err == nil && id <= models.MaxID
}

// ref takes a reference: a number, or a text that is not empty.
func (r *hotReader) ref() (string, bool) {
	r.space()
	if len(r.rest) > 0 && r.rest[0] != '"' {
		id, ok := r.id()
		return strconv.FormatInt(id, 10), ok
	}
	text, ok := r.text()
	return text, ok && text != ""
}
