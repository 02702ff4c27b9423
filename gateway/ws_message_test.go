package gateway

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"testing"
	"unicode/utf8"

	"parley/models"
)

func TestDecodeWS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		m   wsIn
		err error
	}{
		`{"type":1,"sender":7,"receiver":2,"content":"你好"}`: {wsIn{1, 2, "你好"}, nil},
		` {"TYPE":"3"} `:                         {wsIn{Type: 3}, nil},
		`{"type":" 2 ","receiver":-1.0}`:         {wsIn{Type: 2, Receiver: -1}, nil},
		`{"receiver":1000000042,"content":true}`: {wsIn{Receiver: 1_000_000_042, Content: "true"}, nil},
		`{"receiver":9223372036854775807}`:       {wsIn{Receiver: math.MaxInt64}, nil},
		`{"receiver":"9223372036854775808"}`:     {err: errNotNumber},
		`{"receiver":1e16}`:                      {err: errNotNumber},
		`{"receiver":"NaN"}`:                     {err: errNotNumber},
		`{"receiver":"Inf"}`:                     {err: errNotNumber},
		`{"receiver":true}`:                      {err: errNotNumber},
		`{"type":1,"content":[]}`:                {wsIn{Type: 1}, errNoText},
		`"{}"`:                                   {err: errNotJSON},
		`1`:                                      {err: errNotJSON},
		`{"type":1} x`:                           {err: errNotJSON},
		``:                                       {err: errNotJSON},
	} {
		got, err := decodeWS(text)
		if !errors.Is(err, want.err) || got.Type != want.m.Type || got.Receiver != want.m.Receiver || got.Content != want.m.Content {
			t.Errorf("%s: %+v, %v, want %+v, %v", text, got, err, want.m, want.err)
		}
	}
}

// Whatever comes in, something or one of the known errors comes out; what is written as it should be is read as it is.
func FuzzDecodeWS(f *testing.F) {
	f.Add(`{"type":1,"send":1,"receiver":"2","content":"x"}`, int64(5), "你")
	f.Add(`{"type":1e3,"receiver":null,"content":1}`, int64(-5), "<\x00\u2028>")
	f.Fuzz(func(t *testing.T, text string, id int64, content string) {
		_, err := decodeWS(text)
		if err != nil && !errors.Is(err, errNotJSON) && !errors.Is(err, errNotNumber) && !errors.Is(err, errNoText) {
			t.Errorf("%q: %v", text, err)
		}
		if !utf8.ValidString(content) {
			return
		}
		m := wsMessage{Type: wsSend, Sender: id, Receiver: id, Content: content}
		encoded, err := plainJSON(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeWS(string(encoded))
		if err != nil || got.Type != wsSend || int64(got.Receiver) != id || string(got.Content) != content {
			t.Errorf("%s was read as %+v, %v", encoded, got, err)
		}
		var back wsMessage
		if err := json.Unmarshal(encoded, &back); err != nil || back != m {
			t.Errorf("%s is %+v, %v", encoded, back, err)
		}
	})
}

func TestAsksForWS(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"Connection": "keep-alive, UPGRADE", "Upgrade": "WebSocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	ask := func(change, to string) bool {
		r := &http.Request{ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
		for name, value := range good {
			r.Header.Set(name, value)
		}
		if change != "" {
			r.Header.Set(change, to)
		}
		return asksForWS(r)
	}
	if !ask("", "") {
		t.Error("what should be one is none")
	}
	for name, value := range map[string]string{
		"Connection": "upgraded", "Upgrade": "h2c", "Sec-Websocket-Version": "8", "Sec-Websocket-Key": "c2hvcnQ=",
	} {
		if ask(name, value) || ask(name, "") {
			t.Errorf("with %s: %s it is one", name, value)
		}
	}
}

func TestUIDs(t *testing.T) {
	t.Parallel()
	seen := map[int64]string{}
	for _, uid := range []string{"1", "01", "1 ", "2", "张三", "a", "A", "-1"} {
		id := idOfUID(uid)
		if other, twice := seen[id]; twice || id >= 0 || id != idOfUID(uid) {
			t.Errorf("%q is %d, as %q", uid, id, other)
		}
		seen[id] = uid
	}
}

func TestWSDesk(t *testing.T) {
	t.Parallel()
	d := newWSDesk()
	first := models.SupportAgent{User: models.User{ID: 1}, Capacity: 5}
	d.join(1)
	d.join(1)
	d.join(2)
	d.took(first)
	d.took(models.SupportAgent{User: models.User{ID: 1}, Capacity: 1, Available: true})
	if last, served, before := d.leave(1); last || !served || before.Capacity != 5 {
		t.Errorf("the first to leave: %v, %v, %+v", last, served, before)
	}
	if last, served, before := d.leave(1); !last || !served || before.Capacity != 5 {
		t.Errorf("the last to leave: %v, %v, %+v", last, served, before)
	}
	if last, served, _ := d.leave(2); !last || served {
		t.Errorf("who served nobody: %v, %v", last, served)
	}
	if len(d.here)+len(d.before) != 0 {
		t.Errorf("left are %v and %v", d.here, d.before)
	}
}
