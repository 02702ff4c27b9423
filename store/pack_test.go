package store

import (
	"bytes"
	"cmp"
	"fmt"
	"testing"

	"parley/models"
)

// A rewritten entry takes the room that it took, however short the message was, and is read as it was written.
func TestPack(t *testing.T) {
	t.Parallel()
	for _, id := range []int64{2, 57, 1_000_000, models.MaxID} {
		e := models.Event{ID: id, At: models.FromMillis(1763722800123), Type: models.MessageCreated, RoomID: id - 1}
		m := models.Message{ID: id, RoomID: id - 1, SenderID: id - 1, SenderName: "a", Text: "x", CreatedAt: e.At}
		for _, m.Text = range []string{"x", "hello everyone", string(bytes.Repeat([]byte("long "), 3000))} {
			if err := e.Encode(models.MessageData{Message: m.ForEvent()}); err != nil {
				t.Fatal(err)
			}
			size := len(e.JSON)
			if err := e.Bury(models.FromMillis(1763722900456), models.DeletedName(id-1)); err != nil {
				t.Fatal(err)
			}
			stored, err := pack(e.JSON, size)
			if err != nil || len(stored) != size {
				t.Errorf("%d bytes became %d in %d, %v: %s", size, len(stored), len(e.JSON), err, e.JSON)
			}
			if got, err := unpack(stored); err != nil || !bytes.Equal(got, e.JSON) {
				t.Errorf("%q, %v, want %q", got, err, e.JSON)
			}
		}
	}
}

// What was deflated before messages in events had lists is given them; nothing else is touched.
func TestUnpackWhatIsOld(t *testing.T) {
	t.Parallel()
	for old, want := range map[string]string{
		`{"id":5,"type":"message.created","at":"x","room_id":1,"data":{"message":{"id":5,"text":""}}}`: `{"id":5,"type":"message.created","at":"x","room_id":1,` +
			`"data":{"message":{"id":5,"text":"","mentions":[],"attachments":[],"reactions":[]}}}`,
		`{"id":5,"type":"message.created","at":"x","data":{"message":{"text":"","mentions":[7]}}}`: "",
		`{"id":5,"type":"user.renamed","at":"x","data":{"user":{"a":{}}}}`:                         "",
	} {
		stored, err := pack([]byte(old), len(old)-1)
		if err != nil || stored[0] != packed {
			t.Fatalf("%s is not deflated: %v", old, err)
		}
		if got, err := unpack(stored); err != nil || string(got) != cmp.Or(want, old) {
			t.Errorf("%s, %v, want %s", got, err, cmp.Or(want, old))
		}
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte(`{"id":1}`), 4)
	f.Add([]byte(`{"id":1,"id":1,"id":1,"id":1,"id":1,"id":1,"id":1,"id":1}`), 40)
	f.Fuzz(func(t *testing.T, json []byte, size int) {
		json = fmt.Appendf(nil, `{%q}`, json) // entries begin and end with a brace
		stored, err := pack(json, max(0, min(size, 1<<16)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpack(stored); err != nil || !bytes.Equal(got, json) {
			t.Errorf("%q, %v, want %q", got, err, json)
		}
	})
}
