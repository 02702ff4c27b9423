package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/oapi-codegen/runtime"

	"parley/models"
)

// slowSend reads a body as the steps do that come where the hot way does not take it.
func slowSend(tb testing.TB, op *operation, options *openapi3filter.Options, body []byte) (models.Draft, error) {
	tb.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/v1/send", bytes.NewReader(body))
	r.Header.Set("Content-Type", jsonType)
	if err := checkBody(r, op, body); err != nil {
		return models.Draft{}, err
	}
	err := openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, Route: op.route, Options: options,
	})
	if err != nil {
		return models.Draft{}, validationFault(err)
	}
	var decoded SendJSONRequestBody
	if value, ok := r.Body.(interface{ ValidatedValue() any }); !ok {
		tb.Fatal("the validator has kept no value")
	} else if err := runtime.BindJSONValue(value.ValidatedValue(), &decoded); err != nil {
		return models.Draft{}, err
	}
	return draftOf(SendRequestObject{JSONBody: &decoded})
}

func sendOperation(tb testing.TB) (*operation, *openapi3filter.Options) {
	tb.Helper()
	spec, err := theSpec()
	if err != nil {
		tb.Fatal(err)
	}
	return operations(spec.doc)["POST /v1/send"], validationOptions()
}

// usual are bodies that the hot way must take, or it is of no use.
var usual = []string{
	`{"text":"hello"}`,
	`{"to":"lobby","text":"Hello everyone","nonce":"8d5f1c"}`,
	"{\n  \"to\": 57,\r\n\t\"text\": \"a \\\"b\\\" \\n \\u00e9 \\ud83d\\ude00 \\/\", \"reply_to\" : 9007199254740991 }\n",
	`{"to":"@張三","text":"張三😀 <b>&amp;</b>","nonce":"` + strings.Repeat("é", 64) + `"}`,
	`{"text":"\u0000"}`,
}

func TestHotSendTakesTheUsual(t *testing.T) {
	t.Parallel()
	op, options := sendOperation(t)
	for _, body := range usual {
		got, taken := takeSend([]byte(body))
		want, err := slowSend(t, op, options, []byte(body))
		if !taken || err != nil || got != want {
			t.Errorf("%s: %+v, taken %v, want %+v, %v", body, got, taken, want, err)
		}
	}
}

// FuzzHotSend holds the hot way against the spec: what it takes, the spec takes, and both read the same.
func FuzzHotSend(f *testing.F) {
	for _, body := range append(usual,
		``, `{}`, `[]`, `null`, `{"text":""}`, `{"text":null}`, `{"text":1}`, `{"text":"a","text":"b"}`, `{"Text":"a"}`,
		`{"text":"a"} x`, `{"text":"a",}`, `{,"text":"a"}`, `{"text" "a"}`, `{"text":"a" "to":1}`, `{"te\u0078t":"a"}`,
		`{"text":"\ud800"}`, "{\"text\":\"\xff\"}", "{\"text\":\"a\tb\"}", `{"text":"\x"}`, `{"text":"a`, `{"text":"a\`,
		`{"text":"a","to":""}`, `{"text":"a","to":0}`, `{"text":"a","to":01}`, `{"text":"a","to":-1}`, `{"text":"a","to":1.0}`,
		`{"text":"a","to":1e3}`, `{"text":"a","to":9007199254740992}`, `{"text":"a","to":null}`, `{"text":"a","to":true}`,
		`{"text":"a","nonce":""}`, `{"text":"a","nonce":"`+strings.Repeat("é", 65)+`"}`, `{"text":"a","reply_to":0}`,
		`{"text":"a","reply_to":"1"}`, `{"text":"a","reply_to":1.5}`, `{"text":"a","more":1}`, `{"text":"a","to":12x}`,
		"\ufeff{\"text\":\"a\"}", "{\"text\":\"a\"}\x00", "\v{\"text\":\"a\"}",
	) {
		f.Add([]byte(body))
	}
	op, options := sendOperation(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, taken := takeSend(body)
		if !taken {
			return
		}
		want, err := slowSend(t, op, options, body)
		if err != nil || got != want {
			t.Fatalf("%q: taken as %+v, the spec's is %+v, %v", body, got, want, err)
		}
	})
}

// FuzzSentAnswer holds the answer that is written by hand against the generated one.
func FuzzSentAnswer(f *testing.F) {
	f.Add("hello", "ann", "", int64(57), uint8(0))
	f.Add("<\u2028\xff\">", "張三", "n<", int64(9), uint8(0xff))
	f.Fuzz(func(t *testing.T, text, name, nonce string, id int64, flags uint8) {
		has := func(bit int) bool { return flags>>bit&1 == 1 }
		m := models.Message{
			ID: id, RoomID: id + 1, SenderID: id + 2, SenderName: name, Text: text, Nonce: nonce, Version: id,
			CreatedAt: models.FromMillis(id & (1<<46 - 1)), MentionsRoom: has(0), Announcement: has(1),
		}
		if has(2) {
			m.Mentions = []int64{3, id}
		}
		if has(3) {
			m.ReplyTo, m.ThreadID = id|1, id|2
		}
		want, got := httptest.NewRecorder(), httptest.NewRecorder()
		if err := (Send201JSONResponse{Body: wireMessage(m)}).VisitSendResponse(want); err != nil {
			t.Fatal(err)
		}
		if err := writeSent(got, m); err != nil {
			t.Fatal(err)
		}
		if got.Code != want.Code || got.Body.String() != want.Body.String() || got.Header().Get("Content-Type") != want.Header().Get("Content-Type") {
			t.Fatalf("got  %d %s\nwant %d %s", got.Code, got.Body, want.Code, want.Body)
		}
	})
}

// BenchmarkSendBody compares the two ways.
func BenchmarkSendBody(b *testing.B) {
	op, options := sendOperation(b)
	body, err := json.Marshal(map[string]any{"to": "lobby", "text": strings.Repeat("what is ", 25), "nonce": "8d5f1c"})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("slow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := slowSend(b, op, options, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, taken := takeSend(body); !taken {
				b.Fatal("not taken")
			}
		}
	})
}
