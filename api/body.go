package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json/jsontext"

	"parley/models"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// readBody reads the body once, bounded, and refuses what decoders would let through or change in
// silence: trailing JSON, a name twice, broken UTF-8, a repeated form field.
func (s *server) readBody(c *gin.Context) {
	op := operationOf(c)
	if op.body == nil {
		s.dropBody(c)
		return
	}
	body, err := readAll(http.MaxBytesReader(c.Writer, c.Request.Body, s.maxBody), c.Request.ContentLength)
	if err != nil {
		s.refuse(c, readFault(err, s.maxBody))
		return
	}
	if op.hot && isPlainJSON(c.Request.Header.Get("Content-Type")) {
		hot := &aboutOf(c.Request.Context()).hot
		if hot.draft, hot.taken = takeSend(body); hot.taken {
			return
		}
	}
	if err := checkBody(c.Request, op, body); err != nil {
		s.refuse(c, err)
		return
	}
	if form := c.Request.PostForm; form != nil {
		body = []byte(form.Encode()) // as it was read, for those who read it again
		aboutOf(c.Request.Context()).form = form
	}
	aboutOf(c.Request.Context()).body = body
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	c.Request.ContentLength = int64(len(body))
}

// isPlainJSON says whether a media type is JSON as nearly all write it.
func isPlainJSON(header string) bool {
	return header == jsonType || strings.EqualFold(header, jsonType+"; charset=utf-8")
}

// firstRead is how much room a body gets before any of it has come.
const firstRead = 4 << 10

// readAll is io.ReadAll for a body that is said to have so many bytes, -1 where that is not known.
func readAll(r io.Reader, length int64) ([]byte, error) {
	room := int64(512)
	if length >= 0 {
		room = min(length+1, firstRead) // with one byte more the end is seen without growing
	}
	b := make([]byte, 0, room)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// dropBody reads what the operation has no use for, so that the connection is ready for a stream, which ends when
// its client goes.
func (s *server) dropBody(c *gin.Context) {
	if c.Request.ContentLength == 0 {
		return
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(c.Writer, c.Request.Body, s.maxBody)); err != nil {
		s.refuse(c, readFault(err, s.maxBody))
	}
}

func readFault(err error, limit int64) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return models.Refuse(models.CodeInvalidRequest, "the body came too slowly")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return models.Refuse(models.CodeTooLarge, "the body is over %d bytes", limit)
	}
	return models.Refuse(models.CodeInvalidRequest, "the body could not be read to its end")
}

func checkBody(r *http.Request, op *operation, body []byte) error {
	header := r.Header.Get("Content-Type")
	if len(body) == 0 {
		if op.body.Required {
			return models.Refuse(models.CodeInvalidRequest, "the body is missing: send %s", acceptedTypes(op))
		}
		r.Header.Del("Content-Type") // or a decoder would look for a body that may be absent
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	if err != nil || op.body.Content.Get(media) == nil || charset != "" && charset != "utf-8" && charset != "us-ascii" {
		return models.Refuse(models.CodeUnsupportedMedia, "send the body as %s in UTF-8", acceptedTypes(op))
	}
	r.Header.Set("Content-Type", media) // the generated code compares it as text
	if media == formType {
		return checkForm(r, op, body)
	}
	return checkJSON(body)
}

// acceptedTypes names the media types of the operation's body.
func acceptedTypes(op *operation) string {
	if op.body.Content.Get(formType) != nil {
		return jsonType + " or " + formType
	}
	return jsonType
}

// checkJSON demands one JSON value, strictly.
func checkJSON(body []byte) error {
	if jsontext.Value(body).IsValid() {
		return nil
	}
	// Once more, to say where it is wrong.
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for depth := -1; depth != 0; depth = d.StackDepth() {
		if _, err := d.ReadToken(); err != nil {
			return jsonFault(d, err)
		}
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return models.Refuse(models.CodeInvalidRequest, "something follows the JSON value in the body")
	}
	return nil
}

// isNull says whether the field of the request's JSON object is there and null, which decoding makes as if it were not.
func (a *about) isNull(field string) bool {
	var fields map[string]json.RawMessage
	return json.Unmarshal(a.body, &fields) == nil && string(fields[field]) == "null"
}

// jsonFault names the field where the decoder stopped. Text that is no UTF-8, raw or by
// escapes, and a field given twice are faults of that field; all else is broken JSON.
func jsonFault(d *jsontext.Decoder, err error) error {
	at := d.StackPointer()
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = e.JSONPointer
	}
	field := strings.TrimPrefix(string(at), "/")
	message := err.Error()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return models.Invalid(field, "is given twice")
	case strings.Contains(message, "invalid UTF-8") || strings.Contains(message, "surrogate"):
		if field == "" {
			field = "body"
		}
		return models.Invalid(field, "must be UTF-8")
	case field != "":
		return models.Refuse(models.CodeInvalidRequest, "the body is not JSON: it breaks off at %q", field)
	default:
		return models.Refuse(models.CodeInvalidRequest, "the body is not JSON")
	}
}

// checkForm demands known fields, each once, in UTF-8. It parses the form for who comes after: the
// standard library's own parsing would mix in the query.
func checkForm(r *http.Request, op *operation, body []byte) error {
	// A semicolon is text to every client since HTML 5; only Go's parser takes it for a fault.
	values, err := url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
	if err != nil {
		return models.Refuse(models.CodeInvalidRequest, "the body is not form data: %s", "percent-encoding is broken")
	}
	r.PostForm, r.Form = values, values
	known := op.body.Content.Get(formType).Schema.Value.Properties
	e := &models.Error{Code: models.CodeValidationFailed, Detail: "the form has fields that are wrong"}
	for field, list := range values {
		var fault string
		switch {
		case known[field] == nil:
			fault = "is not known"
		case len(list) > 1:
			fault = "is given twice"
		case !utf8.ValidString(list[0]):
			fault = "must be UTF-8"
		default:
			continue
		}
		e.Fields = append(e.Fields, models.FieldError{Field: strings.ToValidUTF8(field, "?"), Detail: fault})
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return fieldsSorted(e)
}

// maxFaults is how many fields an answer names: who sends more that are wrong has other worries, or means harm.
const maxFaults = 20

// fieldsSorted makes the answer the same each time and its detail a sentence.
func fieldsSorted(e *models.Error) error {
	sortFields(e.Fields)
	e.Fields = e.Fields[:min(len(e.Fields), maxFaults)]
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = fmt.Sprintf("%s: %s", f.Field, f.Detail)
	}
	e.Detail = strings.Join(parts, "; ")
	return e
}
