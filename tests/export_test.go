package tests

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// unzip gives the files of an export.
func unzip(t *testing.T, a *harness.Answer) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(a.Body), int64(len(a.Body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	return files
}

// ndjson decodes the lines of a file.
func ndjson[T any](t *testing.T, file []byte) (all []T) {
	t.Helper()
	in := bufio.NewScanner(bytes.NewReader(file))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var v T
		if err := json.Unmarshal(in.Bytes(), &v); err != nil {
			t.Fatalf("%q: %v", in.Text(), err)
		}
		all = append(all, v)
	}
	return all
}

type spellLine struct {
	RoomID  int64  `json:"room_id"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Members []client.Peer
	Role    string `json:"role"`
	FromID  int64  `json:"from_id"`
	ToID    int64  `json:"to_id"`
	Removed bool   `json:"removed"`
}

// An export has all that the account said, wherever that was, and what was said to it in its direct
// conversations; nothing of rooms of others.
func TestExport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		root.Room("hidden", "private")
		root.Send("hidden", "SECRET of root's")
		root.Room("former", "private")
		root.Add("former", ann, "")
		root.Send("former", "SECRET of the former room")
		var want []int64
		want = append(want, ann.Send("former", "I was here").ID)
		root.Delete("/v1/rooms/former/members/@ann").Want(204)
		tea := ann.Room("tea", "private")
		want = append(want, sendMany(t, s, ann, "tea", 700)...)
		direct := []int64{ann.Send("@bob", "hello bob").ID, bob.Send("@ann", "hello ann").ID, ann.Send("@bob", "bye").ID}
		want = append(want, ann.Send("tea", "back again").ID, direct[0], direct[2]) // by room: the conversation is the newest
		s.Login("ann")
		ann.Put("/v1/blocks/@root", nil).Want(204)
		markRead(ann, "@bob", direct[1]).Want(204)

		a := ann.Get("/v1/me/export").Want(200)
		files := unzip(t, a)
		for _, name := range []string{"README.txt", "account.json", "sessions.ndjson", "blocks.ndjson", "rooms.ndjson", "reads.ndjson", "messages.ndjson", "reactions.ndjson", "direct.ndjson"} {
			if files[name] == nil {
				t.Errorf("%s is missing", name)
			}
			if name != "README.txt" && !strings.Contains(string(files["README.txt"]), name) {
				t.Errorf("the README says nothing of %s", name)
			}
		}
		for name, file := range files {
			for _, no := range []string{"SECRET", "hidden", "\"former\"", ann.Token, "argon2"} {
				if bytes.Contains(file, []byte(no)) {
					t.Errorf("%s holds %q", name, no)
				}
			}
		}
		var account client.User
		if err := json.Unmarshal(files["account.json"], &account); err != nil || account.ID != ann.ID || account.Name != "ann" {
			t.Errorf("account.json: %+v, %v", account, err)
		}
		if got := ndjson[struct{ Current bool }](t, files["sessions.ndjson"]); len(got) != 2 || !got[0].Current || got[1].Current {
			t.Errorf("sessions.ndjson: %s", files["sessions.ndjson"])
		}
		if got := ndjson[struct{ User client.EventUser }](t, files["blocks.ndjson"]); len(got) != 1 || got[0].User.ID != root.ID {
			t.Errorf("blocks.ndjson: %s", files["blocks.ndjson"])
		}
		if got := strings.TrimSpace(string(files["reads.ndjson"])); !strings.HasSuffix(got, fmt.Sprintf(`,"message_id":%d}`, direct[1])) {
			t.Errorf("reads.ndjson: %s", got)
		}
		messages := ndjson[client.Message](t, files["messages.ndjson"])
		var ids []int64
		for _, m := range messages {
			if m.Sender.ID != ann.ID || m.Text == "" {
				t.Fatalf("messages.ndjson has %+v", m)
			}
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%d messages, want %d by room and id", len(ids), len(want))
		}
		ids = nil
		for _, m := range ndjson[client.Message](t, files["direct.ndjson"]) {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, direct) {
			t.Errorf("direct.ndjson has %v, want %v", ids, direct)
		}
		spells := ndjson[spellLine](t, files["rooms.ndjson"])
		if len(spells) != 3 {
			t.Fatalf("rooms.ndjson: %s", files["rooms.ndjson"])
		}
		if f := spells[0]; f.Name != "" || !f.Removed || f.ToID == 0 || f.Kind != "channel" {
			t.Errorf("the former room is %+v", f)
		}
		if c := spells[1]; c.RoomID != tea.ID || c.Name != "tea" || c.Role != "owner" || c.ToID != 0 {
			t.Errorf("the own room is %+v", c)
		}
		if d := spells[2]; d.Kind != "direct" || len(d.Members) != 2 {
			t.Errorf("the direct conversation is %+v", d)
		}
	})
}

// sendMany sends n messages, several at once, and gives their ids in order.
func sendMany(t *testing.T, s *harness.Server, u *harness.User, to string, n int) []int64 {
	t.Helper()
	ids := make(chan int64, n)
	var next atomic.Int64
	for range min(n, 16) {
		go func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				a, err := s.Try(t.Context(), "POST", "/v1/send", u.Bearer(), harness.JSON(map[string]any{"to": to, "text": fmt.Sprintf("number %d", i)}))
				if err != nil {
					t.Error(err)
					ids <- 0
					continue
				}
				ids <- sent(a).ID
			}
		}()
	}
	all := make([]int64, 0, n)
	for range n {
		all = append(all, <-ids)
	}
	slices.Sort(all)
	return all
}

func TestExportFileName(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for name, want := range map[string]string{"ann": "ann", "小明": "小明", `a"b;c=d`: `a"b;c=d`, "o'neil.x": "o'neil.x", "é": "é"} {
		u := s.User(name)
		header := u.Get("/v1/me/export").Want(200).Header.Get("Content-Disposition")
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" || !strings.HasSuffix(params["filename"], ".zip") {
			t.Errorf("%s: %q, %v", name, header, err)
		}
		if got, ok := strings.CutPrefix(params["filename"], "parley-"); !ok || got[:min(len(got), len(want))] != want {
			t.Errorf("%s: the file is called %q", name, params["filename"])
		}
		if strings.IndexFunc(header, func(r rune) bool { return r > 126 || r < 32 }) >= 0 {
			t.Errorf("%s: %q is no header for every client", name, header)
		}
	}
}

// One export at a time for an account, and a few on the server; who hangs up makes room.
func TestExportsAtOnce(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	var users []*harness.User
	for i := range 5 {
		users = append(users, s.User(fmt.Sprintf("user%d", i)))
		users[i].Get("/v1/me").Want(200) // from here on the session is known without the database
	}
	held := make(chan struct{}, 16)
	release := s.HoldEach(harness.Begin, held)
	defer release()
	var stops []context.CancelFunc
	ended := make(chan struct{}, 16)
	for _, u := range users[:4] {
		ctx, cancel := context.WithCancel(t.Context())
		stops = append(stops, cancel)
		go func() {
			_, _ = s.Try(ctx, "GET", "/v1/me/export", u.Bearer())
			ended <- struct{}{}
		}()
	}
	for range 4 {
		<-held
	}
	for _, u := range []*harness.User{users[0], users[4]} {
		if p := u.Get("/v1/me/export").Refused("rate_limited"); p.Detail == "" {
			t.Error("it does not say why")
		}
	}
	for _, stop := range stops {
		stop()
	}
	release()
	for range stops {
		<-ended
	}
	harness.Eventually(t, "the others' exports are over", func() bool {
		return users[4].Get("/v1/me/export").Status == 200 && users[0].Get("/v1/me/export").Status == 200
	})
}

// zipped gives how long each file of the zip is.
func zipped(body []byte) (map[string]uint64, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	files := map[string]uint64{}
	for _, f := range z.File {
		files[f.Name] = f.UncompressedSize64
	}
	return files, nil
}

// An export that the database breaks off looks broken to every client, and to an unzip.
func TestExportBreaksOff(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		for range 450 {
			ann.Send("lobby", strings.Repeat(rand.Text(), 3)) // does not deflate to nothing
		}
		files, err := zipped(ann.Get("/v1/me/export").Want(200).Body)
		if err != nil {
			t.Fatal(err)
		}
		begun := 0
		for after, whole := 2, false; !whole; after++ {
			s.BreakAfter(harness.Begin, after)
			req, err := s.NewRequest(t.Context(), http.MethodGet, "/v1/me/export", ann.Bearer())
			if err != nil {
				t.Fatal(err)
			}
			resp, err := plain.RoundTrip(req)
			if err != nil {
				s.Mend()
				continue // cut before the first byte went out
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			s.Mend()
			got, bad := zipped(body)
			switch {
			case err == nil && (bad != nil || !maps.Equal(got, files)):
				t.Fatalf("after %d snapshots: %d with %d bytes, and no error: %v, %v", after, resp.StatusCode, len(body), got, bad)
			case err == nil:
				whole = true
			case bad == nil:
				t.Errorf("after %d snapshots: the piece is a whole zip", after)
			default:
				begun++
			}
		}
		if begun == 0 {
			t.Error("no answer had begun when it was cut")
		}
		ann.Get("/v1/me/export").Want(200)
	})
}
