package broker

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"parley/models"
)

// FuzzFrame holds that every payload makes exactly one SSE message and one line, between
// others, and that its JSON arrives as it was.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"text":"a\nb\r\n\r\rc"}`, "{\n \"a\": 1\r\n}", "plain\n\ndata: x\n\n", "\ufeff", "\u2028\u2029", "\x00\xff", "",
	} {
		f.Add(int64(57), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, id int64, payload []byte) {
		if id <= 0 || id > models.MaxID-1 {
			t.Skip()
		}
		var data any = json.RawMessage(payload)
		if !json.Valid(payload) {
			data = map[string]string{"text": string(payload)}
		}
		e := models.Event{
			ID: id, At: models.At(time.Unix(0, 0)), Type: models.MessageCreated, Audience: models.Everyone(),
		}
		if err := e.Encode(data); err != nil {
			t.Skip()
		}
		next := models.Event{ID: id + 1, Audience: models.Everyone(), JSON: []byte(`{}`)}
		stream := append(newEntry(e).bytes(SSE), newEntry(next).bytes(SSE)...)
		i := int64(0)
		for msg, err := range sse.Read(bytes.NewReader(stream), nil) {
			if err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
			want := []string{string(e.JSON), `{}`}[min(i, 1)]
			if msg.Data != want || msg.Type != "" || msg.LastEventID != strconv.FormatInt(id+i, 10) {
				t.Fatalf("message %d: %+v, want %q", i, msg, want)
			}
			i++
		}
		if i != 2 {
			t.Fatalf("%d messages of 2", i)
		}
		if line := newEntry(e).bytes(NDJSON); bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("line %q", line)
		}
	})
}
