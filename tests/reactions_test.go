package tests

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// reactionPath is that of one emoji at a message.
func reactionPath(message int64, emoji string) string {
	return "/v1/messages/" + id(message) + "/reactions/" + url.PathEscape(emoji)
}

func react(u *harness.User, message int64, emoji string) *harness.Answer {
	return u.Put(reactionPath(message, emoji), nil)
}

func unreact(u *harness.User, message int64, emoji string) *harness.Answer {
	return u.Delete(reactionPath(message, emoji))
}

// counts writes a message's reactions as `👍2+ ❤1`, with a plus where the reader is among them.
func counts(m client.Message) string {
	var out []string
	for _, r := range m.Reactions {
		me := ""
		if r.Me != nil {
			me = "+"
			if !*r.Me {
				me = "-" // it is there only where it is true
			}
		}
		out = append(out, fmt.Sprint(r.Emoji, r.Count, me))
	}
	return strings.Join(out, " ")
}

// reactionsIn are those that the user sees at a message of the room.
func reactionsIn(u *harness.User, room string, message int64) string {
	for _, m := range u.History(room) {
		if m.ID == message {
			return counts(m)
		}
	}
	return "no message"
}

// whoReacted gives all pages of who reacted, as `ann👍`.
func whoReacted(u *harness.User, message int64, limit int, emoji string) (all []string) {
	for page := ""; ; {
		with := []harness.With{harness.Query("limit", fmt.Sprint(limit))}
		if emoji != "" {
			with = append(with, harness.Query("emoji", emoji))
		}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.ReactionList](u.Get("/v1/messages/"+id(message)+"/reactions", with...).Want(200))
		for _, r := range list.Reactions {
			all = append(all, r.User.Name+r.Emoji)
		}
		if list.NextPage == nil {
			return all
		}
		page = *list.NextPage
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
		m := sent(send(ann, map[string]any{"text": "hello", "nonce": "n"})).ID
		other := ann.Send("lobby", "another").ID
		stream := bob.Stream()
		want := func(kind, emoji string, u *harness.User) {
			t.Helper()
			e := stream.Want(kind)[0]
			d := harness.DataOf[client.ReactionData](e)
			if d.MessageID != m || d.Emoji != emoji || d.User.ID != u.ID || d.User.Name != u.Name || e.RoomID != 1 {
				t.Errorf("%v, want %s by %s", e, emoji, u.Name)
			}
		}
		const heart = "❤\ufe0f"
		for range 2 { // the repeat is not told
			react(bob, m, "👍").Want(204)
		}
		react(ann, m, "❤").Want(204)
		react(ann, m, heart).Want(204)
		react(ann, m, "👍").Want(204)
		react(eve, m, heart).Want(204)
		want("reaction.added", "👍", bob)
		want("reaction.added", heart, ann)
		want("reaction.added", "👍", ann)
		want("reaction.added", heart, eve)

		// All answers have the counts, each for its reader, and the other message has none.
		for u, want := range map[*harness.User]string{
			ann: "👍2+ " + heart + "2+", bob: "👍2+ " + heart + "2", eve: "👍2 " + heart + "2+",
		} {
			if got := reactionsIn(u, "lobby", m); got != want {
				t.Errorf("%s reads %q, want %q", u.Name, got, want)
			}
		}
		repeat := harness.Into[client.Message](send(ann, map[string]any{"text": "hello", "nonce": "n"}).Want(200))
		if got := counts(repeat); got != "👍2+ "+heart+"2+" {
			t.Errorf("the repeat has %q", got)
		}
		if got := reactionsIn(ann, "lobby", other); got != "" {
			t.Errorf("the other message has %q", got)
		}
		all := []string{"bob👍", "ann" + heart, "ann👍", "eve" + heart}
		for _, limit := range []int{1, 2, 3, 4, 50} {
			if got := whoReacted(eve, m, limit, ""); !slices.Equal(got, all) {
				t.Errorf("by %d: %v, want %v", limit, got, all)
			}
			if got := whoReacted(eve, m, limit, "❤"); !slices.Equal(got, []string{all[1], all[3]}) {
				t.Errorf("by %d, the heart: %v", limit, got)
			}
		}
		if got := whoReacted(ann, m, 50, "🍵"); got != nil {
			t.Errorf("of tea: %v", got)
		}
		for _, query := range []string{"emoji=a", "emoji=", "emoji=%F0%9F%91%8D%F0%9F%91%8D"} {
			ann.Get("/v1/messages/"+id(m)+"/reactions", harness.Queries(query)).Refused("validation_failed", "emoji")
		}
		ann.Get("/v1/messages/"+id(m)+"/reactions?page=nonsense").Refused("validation_failed", "page")
		ann.Get("/v1/messages/"+id(m)+"/reactions?limit=201").Refused("validation_failed", "limit")

		// Each takes back their own; either way of writing does.
		unreact(bob, m, "❤").Want(204) // bob has none
		unreact(ann, m, "❤").Want(204)
		unreact(ann, m, heart).Want(204)
		unreact(bob, m, "👍").Want(204)
		want("reaction.removed", heart, ann)
		want("reaction.removed", "👍", bob)
		s.Restart()
		if got := reactionsIn(ann, "lobby", m); got != "👍1+ "+heart+"1" {
			t.Errorf("after all: %q", got)
		}
		before := ann.Head()
		react(ann, m, "👍").Want(204)
		unreact(ann, m, heart).Want(204)
		if after := ann.Head(); after != before {
			t.Errorf("what changes nothing is told: the log went from %d to %d", before, after)
		}
	})
}

// Every sort of emoji gets through a path and back; what is none is refused.
func TestEmojiInPaths(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	m := ann.Send("lobby", "hello").ID
	all := []string{
		"👍🏽", "#\ufe0f\u20e3", "*\ufe0f\u20e3", "0\ufe0f\u20e3", "🇺🇦", "👨\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "❤\ufe0f\u200d🔥",
		"\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏻", "©\ufe0f", "™\ufe0f",
	}
	for _, emoji := range all {
		react(ann, m, emoji).Want(204)
	}
	// Every byte escaped, or only what must be.
	for _, path := range []string{"%23%EF%B8%8F%E2%83%A3", "%23%e2%83%a3", "*%E2%83%A3", "*\ufe0f\u20e3", "%2A\ufe0f\u20e3", "\u00a9"} {
		ann.Put("/v1/messages/"+id(m)+"/reactions/"+path, nil).Want(204)
	}
	var got []string
	for _, r := range ann.History("lobby")[0].Reactions {
		got = append(got, r.Emoji)
	}
	if !slices.Equal(got, all) {
		t.Errorf("%+q, want %+q", got, all)
	}
	check := unchanged(t, ann)
	for _, no := range []string{
		"a", "+1", ":+1:", "👍👍", "👍 ", " ", "1", "#", "*", "%", "%25", "%23", "👍\u200d", "❤\ufe0e", "🇺", "\x00", "\xff", "?", ".👍", "\u200d",
		strings.Repeat("👍", 9), strings.Repeat("👍", 500), "\U0001f3f4\U000e0048\U000e0069\U000e007f", "<script>", "中",
	} {
		react(ann, m, no).Refused("validation_failed", "emoji")
		unreact(ann, m, no).Refused("validation_failed", "emoji")
	}
	for _, path := range []string{"", "/", "👍/", "👍/x", "%2F", "👍%2F"} {
		ann.Put("/v1/messages/"+id(m)+"/reactions/"+path, nil).Refused("not_found")
	}
	check()
	for _, emoji := range all {
		unreact(ann, m, strings.ReplaceAll(emoji, "\ufe0f", "")).Want(204)
	}
	if got := reactionsIn(ann, "lobby", m); got != "" {
		t.Errorf("left is %q", got)
	}
}

// twentyOne are different emoji.
func twentyOne() (emoji []string) {
	for r := '🍅'; len(emoji) < 21; r++ {
		emoji = append(emoji, string(r))
	}
	return emoji
}

func TestTwentyEmojiAMessage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		m, other := ann.Send("lobby", "hello").ID, ann.Send("lobby", "another").ID
		emoji := twentyOne()
		for _, e := range emoji[:20] {
			react(ann, m, e).Want(204)
		}
		for _, u := range []*harness.User{ann, bob} {
			if p := react(u, m, emoji[20]).Refused("conflict"); !strings.Contains(p.Detail, "20") {
				t.Errorf("the refusal says %q", p.Detail)
			}
		}
		react(ann, m, emoji[3]).Want(204)
		react(bob, m, emoji[3]).Want(204)
		react(bob, other, emoji[20]).Want(204)
		// One goes with the last who used it.
		unreact(ann, m, emoji[3]).Want(204)
		react(ann, m, emoji[20]).Refused("conflict")
		unreact(bob, m, emoji[3]).Want(204)
		react(ann, m, emoji[20]).Want(204)
		react(bob, m, emoji[3]).Refused("conflict")
	})
}

// However many react at once, a message has 20 emoji, and each reaction is told once.
func TestReactionsAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		people := make([]*harness.User, 30)
		for i := range people {
			people[i] = s.User(fmt.Sprint("user", i))
		}
		m, same := ann.Send("lobby", "hello").ID, ann.Send("lobby", "another").ID
		var mu sync.Mutex
		done := 0
		var all sync.WaitGroup
		for i, u := range people {
			all.Go(func() {
				a, err := s.Try(t.Context(), "PUT", reactionPath(m, string('🍅'+rune(i))), u.Bearer())
				if err != nil {
					t.Error(err)
					return
				}
				if a.Status == 204 {
					mu.Lock()
					done++
					mu.Unlock()
				} else {
					a.Refused("conflict")
				}
			})
			all.Go(func() {
				if a, err := s.Try(t.Context(), "PUT", reactionPath(same, "👍"), ann.Bearer()); err != nil || a.Status != 204 {
					t.Errorf("%v, %v", a, err)
				}
			})
		}
		all.Wait()
		kinds, told := map[string]bool{}, map[int64]int{}
		for _, e := range ann.Events(same) {
			d := harness.DataOf[client.ReactionData](e)
			told[d.MessageID]++
			if d.MessageID == m {
				kinds[d.Emoji] = true
			}
		}
		if done != 20 || len(kinds) != 20 || told[m] != 20 || told[same] != 1 {
			t.Errorf("%d were taken, %d kinds, told %v", done, len(kinds), told)
		}
		if got := len(strings.Fields(reactionsIn(ann, "lobby", m))); got != 20 {
			t.Errorf("the message has %d", got)
		}
		if got := reactionsIn(ann, "lobby", same); got != "👍1+" {
			t.Errorf("the other has %q", got)
		}
	})
}

// Who may react, who may take back and who may see it.
func TestReactionRights(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob, eve := s.User("root"), s.User("ann"), s.User("bob"), s.User("eve")
		guest := s.Guest("passer-by")
		ann.Room("open", "public")
		ann.Room("secret", "private")
		ann.Add("open", bob, "")
		ann.Add("secret", bob, "")
		ann.Add("secret", guest, "")
		open, secret := ann.Send("open", "hello").ID, ann.Send("secret", "hello").ID
		direct := ann.Send("@bob", "hello").ID
		for _, tt := range []struct {
			u       *harness.User
			message int64
			put     int
			del     int
			list    int
		}{
			{ann, open, 204, 204, 200}, {bob, open, 204, 204, 200}, {eve, open, 403, 204, 200}, {guest, open, 403, 204, 200}, {root, open, 204, 204, 200},
			{ann, secret, 204, 204, 200}, {bob, secret, 204, 204, 200}, {eve, secret, 404, 404, 404}, {guest, secret, 204, 204, 200}, {root, secret, 204, 204, 200},
			{ann, direct, 204, 204, 200}, {bob, direct, 204, 204, 200}, {eve, direct, 404, 404, 404}, {guest, direct, 404, 404, 404}, {root, direct, 404, 404, 404},
		} {
			react(tt.u, tt.message, "👍").Want(tt.put)
			if got := whoReacted(ann, tt.message, 50, ""); (len(got) == 1) != (tt.put == 204) {
				t.Errorf("after %s reacted to %d: %v", tt.u.Name, tt.message, got)
			}
			tt.u.Get("/v1/messages/" + id(tt.message) + "/reactions").Want(tt.list)
			unreact(tt.u, tt.message, "👍").Want(tt.del)
			if got := whoReacted(ann, tt.message, 50, ""); len(got) != 0 {
				t.Errorf("after %s took back from %d: %v", tt.u.Name, tt.message, got)
			}
		}
		// What is hidden reads like what is not there.
		for _, method := range []string{"PUT", "DELETE"} {
			sameAsNone(t, eve.Do(method, reactionPath(secret, "👍")), eve.Do(method, reactionPath(1<<50, "👍")))
			sameAsNone(t, eve.Do(method, reactionPath(secret, "👍")), eve.Do(method, reactionPath(root.Head(), "👍")))
		}
		sameAsNone(t, eve.Get("/v1/messages/"+id(direct)+"/reactions"), eve.Get("/v1/messages/999999/reactions"))

		// Who has left may still take back.
		react(bob, open, "👍").Want(204)
		bob.Post("/v1/rooms/open/leave", nil).Want(204)
		react(bob, open, "❤").Refused("forbidden")
		unreact(bob, open, "👍").Want(204)
		if got := reactionsIn(ann, "open", open); got != "" {
			t.Errorf("left is %q", got)
		}
		// Who is removed from a private channel does not, and the reaction stays.
		react(bob, secret, "👍").Want(204)
		ann.Delete("/v1/rooms/secret/members/@bob").Want(204)
		unreact(bob, secret, "👍").Refused("not_found")
		if got := reactionsIn(ann, "secret", secret); got != "👍1" {
			t.Errorf("left is %q", got)
		}
		// A block ends it between two, for both, and both may still take back.
		react(bob, direct, "👍").Want(204)
		ann.Put("/v1/blocks/@bob", nil).Want(204)
		react(bob, direct, "❤").Refused("forbidden")
		react(ann, direct, "❤").Refused("forbidden")
		unreact(bob, direct, "👍").Want(204)
		ann.Delete("/v1/blocks/@bob").Want(204)
		// With a deleted account there is nobody to react for.
		react(ann, direct, "❤").Want(204)
		bob.Post("/v1/me/delete", map[string]any{"password": harness.Password}).Want(204)
		react(ann, direct, "👍").Refused("conflict")
		unreact(ann, direct, "❤").Want(204)
	})
}

// Who is muted or banned, and in an archived room anybody, adds no reaction, but may take back the own one.
func TestReactionsOfTheSilenced(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "public")
		m := ann.Send("tea", "hello").ID
		for _, tt := range []struct {
			silence func()
			code    string
		}{
			{func() { ann.Put("/v1/rooms/tea/mutes/@bob", nil).Want(200) }, "muted"},
			{func() { ann.Put("/v1/rooms/tea/bans/@bob", nil).Want(200) }, "banned"},
			{func() { ann.Patch("/v1/rooms/tea", map[string]any{"archived": true}).Want(200) }, "conflict"},
		} {
			ann.Add("tea", bob, "moderator")
			pin(bob, m).Want(204)
			react(bob, m, "👍").Want(204)
			tt.silence()
			react(bob, m, "👍").Refused(tt.code)
			react(bob, m, "❤").Refused(tt.code)
			pin(bob, m).Refused(tt.code)
			unpin(bob, m).Refused(tt.code)
			unreact(bob, m, "👍").Want(204)
			if got := reactionsIn(ann, "tea", m); got != "" {
				t.Errorf("%s: left is %q", tt.code, got)
			}
			ann.Delete("/v1/rooms/tea/mutes/@bob").Want(204, 409)
			ann.Delete("/v1/rooms/tea/bans/@bob").Want(204, 409)
		}
		react(ann, m, "👍").Refused("conflict")
		if got := pinned(bob, "tea", 50); len(got) != 1 {
			t.Errorf("pins of an archived room: %v", got)
		}
	})
}

// reactionLines are the reaction events among events.
func reactionLines(events []harness.Event) (lines []string) {
	for _, e := range events {
		if strings.HasPrefix(e.Type, "reaction.") {
			lines = append(lines, fmt.Sprintf("%d %s", e.ID, harness.DataOf[client.ReactionData](e).Emoji))
		}
	}
	return lines
}

// Reactions are given to who was a member at that moment: live, and in a replay.
func TestReactionsAreForMembers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
		ann.Room("tea", "private")
		m := ann.Send("tea", "hello").ID
		streams := map[*harness.User]*harness.Stream{ann: ann.Stream(), bob: bob.Stream(), eve: eve.Stream()}
		start := ann.Head()
		do := func(emoji string) string {
			t.Helper()
			react(ann, m, emoji).Want(204)
			return fmt.Sprintf("%d %s", ann.Head(), emoji)
		}
		a := do("🍎")
		ann.Add("tea", bob, "")
		b := do("🍐")
		bob.Post("/v1/rooms/tea/leave", nil).Want(204)
		c := do("🍊")
		ann.Add("tea", bob, "")
		ann.Add("tea", eve, "")
		d := do("🍋")
		unreact(ann, m, "🍋").Want(204)
		e := fmt.Sprintf("%d 🍋", ann.Head())
		ann.Delete("/v1/rooms/tea/members/@eve").Want(204)
		f := do("🍌")
		end := ann.Send("lobby", "the end").ID
		for u, want := range map[*harness.User]struct{ live, replay []string }{
			ann: {[]string{a, b, c, d, e, f}, []string{a, b, c, d, e, f}},
			bob: {[]string{b, d, e, f}, []string{b, d, e, f}},
			eve: {[]string{d, e}, nil}, // a removal takes back what a replay would give
		} {
			if got := reactionLines(streams[u].UntilID(end)); !slices.Equal(got, want.live) {
				t.Errorf("%s live: %v, want %v", u.Name, got, want.live)
			}
			if got := reactionLines(u.Stream(harness.After(start)).UntilID(end)); !slices.Equal(got, want.replay) {
				t.Errorf("%s replayed: %v, want %v", u.Name, got, want.replay)
			}
			if got := reactionLines(u.Events(start)); !slices.Equal(got, want.replay) {
				t.Errorf("%s polls: %v, want %v", u.Name, got, want.replay)
			}
		}
	})
}

// What becomes of reactions when who reacted goes, with and without what they said.
func TestReactionsOfDeletedAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
		m := ann.Send("lobby", "hello").ID
		mine := eve.Send("lobby", "eve's own").ID
		for _, u := range []*harness.User{ann, bob, eve} {
			react(u, m, "👍").Want(204)
		}
		react(eve, m, "🍵").Want(204)
		react(ann, mine, "👍").Want(204)
		files := unzip(t, eve.Get("/v1/me/export").Want(200))
		want := fmt.Sprintf("{\"message_id\":%d,\"emoji\":\"👍\"}\n{\"message_id\":%d,\"emoji\":\"🍵\"}\n", m, m)
		if got := string(files["reactions.ndjson"]); got != want {
			t.Errorf("the export has %q, want %q", got, want)
		}
		bob.Post("/v1/me/delete", map[string]any{"password": harness.Password}).Want(204)
		if got := reactionsIn(ann, "lobby", m); got != "👍3+ 🍵1" {
			t.Errorf("after bob went: %q", got)
		}
		if got := whoReacted(ann, m, 50, "👍"); !slices.Equal(got, []string{"ann👍", "deleted#" + bob.Ref() + "👍", "eve👍"}) {
			t.Errorf("after bob went: %v", got)
		}
		before := ann.Head()
		eve.Post("/v1/me/delete", map[string]any{"password": harness.Password, "erase": true}).Want(204)
		if got := reactionsIn(ann, "lobby", m); got != "👍2+" {
			t.Errorf("after eve was erased: %q", got)
		}
		if got := reactionsIn(ann, "lobby", mine); got != "" {
			t.Errorf("the tombstone has %q", got)
		}
		for _, e := range ann.Events(before) {
			if e.Type == "reaction.removed" {
				t.Errorf("an erasure tells of each: %v", e)
			}
		}
		for _, e := range ann.Events(0) {
			if strings.HasPrefix(e.Type, "reaction.") && strings.Contains(string(e.Data), "eve") {
				t.Errorf("eve is still named: %v", e)
			}
		}
		react(ann, mine, "👍").Refused("conflict")
		unreact(ann, mine, "👍").Want(204)
	})
}
