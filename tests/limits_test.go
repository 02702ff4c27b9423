package tests

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/app"
	"parley/tests/harness"
)

// standing is a server's clock that stands until it is moved, so that a slow machine gives nothing back.
type standing struct {
	start time.Time
	ahead atomic.Int64
}

func (c *standing) now() time.Time          { return c.start.Add(time.Duration(c.ahead.Load())) }
func (c *standing) advance(d time.Duration) { c.ahead.Add(int64(d)) }

func standStill() (*standing, harness.Option) {
	c := &standing{start: time.Now()}
	return c, harness.Tune(func(o *app.Options) { o.Clock = c.now })
}

// rate is what an answer says of its limit.
type rate struct{ limit, remaining, reset, retry int }

// rateOf reads the headers; has is false where there are none.
func rateOf(t *testing.T, a *harness.Answer) (r rate, has bool) {
	t.Helper()
	for name, to := range map[string]*int{
		"RateLimit-Limit": &r.limit, "RateLimit-Remaining": &r.remaining, "RateLimit-Reset": &r.reset,
		"Retry-After": &r.retry,
	} {
		value := a.Header.Get(name)
		if value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Errorf("%s: %q", name, value)
		}
		*to, has = n, true
	}
	return r, has
}

// spend makes the call until it is refused and gives how often it was not. What comes back meanwhile, since
// time goes on, is why it may be more than the limit.
func spend(t *testing.T, limit int, call func() *harness.Answer) (calls int, refusal *harness.Answer) {
	t.Helper()
	for calls = range 10 * limit {
		a := call()
		r, has := rateOf(t, a)
		if a.Status == http.StatusTooManyRequests {
			if r.remaining != 0 || r.retry < 1 || r.reset < r.retry || r.limit != limit {
				t.Errorf("refused with %+v, the limit is %d", r, limit)
			}
			return calls, a
		}
		if !has || r.limit != limit || r.remaining >= limit || r.retry != 0 {
			t.Fatalf("call %d was answered %d with %+v, the limit is %d", calls, a.Status, r, limit)
		}
		if calls == 0 && r.remaining != limit-1 {
			t.Errorf("after the first of %d calls %d are left", limit, r.remaining)
		}
	}
	t.Fatalf("%d calls and no end, the limit is %d", calls, limit)
	return 0, nil
}

// limited are the calls that have a limit of their own: what is let through need not succeed.
var limited = []struct {
	operations string
	limit      int
	call       func(u *harness.User) *harness.Answer
}{
	{"deleteMe changePassword", 10, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/me/delete", map[string]any{"password": "guess"})
	}},
	{"changePassword deleteMe", 10, func(u *harness.User) *harness.Answer {
		return u.Put("/v1/me/password", map[string]any{"current": "guess", "new": harness.Password})
	}},
	{"rename updateMe", 20, func(u *harness.User) *harness.Answer { return u.Post("/v1/rename", map[string]any{"name": ""}) }},
	{"updateMe rename", 20, func(u *harness.User) *harness.Answer { return u.Patch("/v1/me", map[string]any{}) }},
	{"createTicket", 60, func(u *harness.User) *harness.Answer { return u.Post("/v1/tickets", nil) }},
	{"listUsers", 40, func(u *harness.User) *harness.Answer { return u.Get("/v1/users?q=a") }},
	{"createRoom", 20, func(u *harness.User) *harness.Answer { return u.Post("/v1/rooms", map[string]any{"name": "lobby"}) }},
	{"joinRoom leaveRoom putMember", 60, func(u *harness.User) *harness.Answer { return u.Post("/v1/rooms/lobby/join", nil) }},
	{"leaveRoom joinRoom putMember", 60, func(u *harness.User) *harness.Answer { return u.Post("/v1/rooms/lobby/leave", nil) }},
	{"putMember joinRoom leaveRoom", 60, func(u *harness.User) *harness.Answer { return u.Put("/v1/rooms/lobby/members/1", nil) }},
	{"muteMember unmuteMember banMember unbanMember", 60, func(u *harness.User) *harness.Answer { return u.Put("/v1/rooms/lobby/mutes/1", nil) }},
	{"unmuteMember muteMember banMember unbanMember", 60, func(u *harness.User) *harness.Answer { return u.Delete("/v1/rooms/lobby/mutes/1") }},
	{"banMember unbanMember muteMember unmuteMember", 60, func(u *harness.User) *harness.Answer { return u.Put("/v1/rooms/lobby/bans/1", nil) }},
	{"unbanMember banMember muteMember unmuteMember", 60, func(u *harness.User) *harness.Answer { return u.Delete("/v1/rooms/lobby/bans/1") }},
	{"createInvite", 20, func(u *harness.User) *harness.Answer { return u.Post("/v1/rooms/lobby/invites", nil) }},
	{"getInvite acceptInvite", 30, func(u *harness.User) *harness.Answer { return u.Get("/v1/invites/guess") }},
	{"acceptInvite getInvite", 30, func(u *harness.User) *harness.Answer { return u.Post("/v1/invites/guess/accept", nil) }},
	{"announce", 20, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/announcements", map[string]any{"text": ""})
	}},
	{"markRead", 60, func(u *harness.User) *harness.Answer {
		return u.Put("/v1/rooms/lobby/read", map[string]any{"message_id": 1})
	}},
	{"send", 50, func(u *harness.User) *harness.Answer { return u.Post("/v1/send", map[string]any{"text": "spam"}) }},
	{"startTyping", 20, func(u *harness.User) *harness.Answer { return u.Post("/v1/rooms/lobby/typing", nil) }},
	{"updateMessage deleteMessage", 50, func(u *harness.User) *harness.Answer {
		return u.Patch("/v1/messages/1", map[string]any{"text": "spam"})
	}},
	{"deleteMessage updateMessage", 50, func(u *harness.User) *harness.Answer { return u.Delete("/v1/messages/1") }},
	{"putReaction deleteReaction", 60, func(u *harness.User) *harness.Answer { return u.Put("/v1/messages/1/reactions/x", nil) }},
	{"deleteReaction putReaction", 60, func(u *harness.User) *harness.Answer { return u.Delete("/v1/messages/1/reactions/x") }},
	{"getSupportStats", 20, func(u *harness.User) *harness.Answer { return u.Get("/v1/support/stats?from=never") }},
	{"pinMessage unpinMessage", 30, func(u *harness.User) *harness.Answer { return u.Put("/v1/messages/1/pin", nil) }},
	{"unpinMessage pinMessage", 30, func(u *harness.User) *harness.Answer { return u.Delete("/v1/messages/1/pin") }},
	{"openConversation reopenConversation closeConversation", 20, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations", map[string]any{"queue": false})
	}},
	{"reopenConversation openConversation closeConversation", 20, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations/1/reopen", nil)
	}},
	{"closeConversation openConversation reopenConversation", 20, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations/1/close", nil)
	}},
	{"acceptConversation transferConversation setAvailability", 60, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations/1/accept", nil)
	}},
	{"transferConversation acceptConversation setAvailability", 60, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations/1/transfer", nil)
	}},
	{"setAvailability acceptConversation transferConversation", 60, func(u *harness.User) *harness.Answer {
		return u.Put("/v1/support/availability", map[string]any{"available": false})
	}},
	{"createNote", 50, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/conversations/1/notes", map[string]any{"text": "x"})
	}},
	{"rateConversation", 20, func(u *harness.User) *harness.Answer {
		return u.Put("/v1/support/conversations/1/rating", map[string]any{"score": 1})
	}},
	{"getTranscript", 20, func(u *harness.User) *harness.Answer { return u.Get("/v1/support/conversations/1/transcript") }},
	{"createSupportReply updateSupportReply deleteSupportReply", 60, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/support/replies", map[string]any{"title": "x", "text": "x"})
	}},
	{"updateSupportReply createSupportReply deleteSupportReply", 60, func(u *harness.User) *harness.Answer {
		return u.Patch("/v1/support/replies/1", map[string]any{})
	}},
	{"deleteSupportReply createSupportReply updateSupportReply", 60, func(u *harness.User) *harness.Answer { return u.Delete("/v1/support/replies/1") }},
	{"streamEvents streamNDJSON", 300, func(u *harness.User) *harness.Answer {
		return u.Get("/v1/events/stream", harness.Header("Accept", "text/html"))
	}},
	{"streamNDJSON streamEvents", 300, func(u *harness.User) *harness.Answer {
		return u.Get("/v1/events/ndjson", harness.Header("Accept", "text/html"))
	}},
	{"pollEvents", 300, func(u *harness.User) *harness.Answer { return u.Get("/v1/events?wait=0") }},
}

// Each limit holds, tells where the caller stands, gives back with time, and is no concern of other accounts nor of
// other calls.
func TestLimitsByAccount(t *testing.T) {
	t.Parallel()
	clock, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still)
	for i, l := range limited {
		ann, bob := s.User(fmt.Sprintf("ann%d", i)), s.User(fmt.Sprintf("bob%d", i))
		_, refusal := spend(t, l.limit, func() *harness.Answer { return l.call(ann) })
		r, _ := rateOf(t, refusal)
		refusal.Refused("rate_limited")
		for _, other := range limited {
			shared := slices.Contains(strings.Fields(l.operations), strings.Fields(other.operations)[0])
			if a := other.call(ann); !shared && a.Status == 429 {
				t.Errorf("%s is refused after many %s", other.operations, l.operations)
			}
		}
		if a := l.call(bob); a.Status == 429 {
			t.Errorf("%s: bob is refused for what ann did", l.operations)
		}
		clock.advance(time.Duration(r.retry) * time.Second)
		if a := l.call(ann); a.Status == 429 {
			t.Errorf("%s: refused still after %d s", l.operations, r.retry)
		}
		clock.advance(time.Duration(r.reset) * time.Second)
		if now, _ := rateOf(t, l.call(ann)); now.remaining != l.limit-1 {
			t.Errorf("%s: after %d s %d of %d are left", l.operations, r.reset, now.remaining, l.limit)
		}
	}
}

// from is a request from that address, through a proxy that is trusted.
func from(address string) harness.With { return harness.Header("X-Forwarded-For", address) }

func behindProxy() harness.Option { return harness.Flags("--trusted-proxy", "127.0.0.1") }

// Who has no account is counted by address; an IPv6 one by its /64.
func TestLimitsByAddress(t *testing.T) {
	t.Parallel()
	_, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still, behindProxy())
	n := 0
	calls := map[string]func(with ...harness.With) *harness.Answer{
		"register": func(with ...harness.With) *harness.Answer {
			n++
			return s.Do("POST", "/v1/register", append(with, harness.Form("name", fmt.Sprintf("user%d", n), "password", harness.Password))...)
		},
		"guest": func(with ...harness.With) *harness.Answer { return s.Do("POST", "/v1/guest", with...) },
		"createVisitor": func(with ...harness.With) *harness.Answer {
			return s.Do("POST", "/v1/support/visitors", with...)
		},
		"login": func(with ...harness.With) *harness.Answer {
			n++
			return s.Do("POST", "/v1/login", append(with, harness.Form("name", fmt.Sprintf("nobody%d", n), "password", harness.Password))...)
		},
	}
	for name, limit := range map[string]int{"register": 60, "guest": 120, "createVisitor": 120} {
		call := calls[name]
		count, refusal := spend(t, limit, func() *harness.Answer { return call(from("192.0.2.1")) })
		if count < limit {
			t.Errorf("%s: only %d times", name, count)
		}
		refusal.Refused("rate_limited")
		call(from("192.0.2.2")).Want(201)
		call(from("::ffff:192.0.2.1")).Refused("rate_limited")
		spend(t, limit, func() *harness.Answer { return call(from("2001:db8:0:1::1")) })
		call(from("2001:db8:0:1:ffff::2")).Refused("rate_limited")
		call(from("2001:db8:0:2::1")).Want(201)
	}
	// A name has fewer tries than an address, so these are of many names.
	for count := range 600 {
		if a := calls["login"](from("192.0.2.3")); a.Status == 429 {
			a.Refused("rate_limited")
			if r, _ := rateOf(t, a); count < 60 || r.limit != 60 {
				t.Errorf("refused after %d names with %+v", count, r)
			}
			break
		}
	}
	calls["login"](from("192.0.2.3")).Refused("rate_limited")
	calls["login"](from("192.0.2.4")).Refused("invalid_credentials")
}

// Guessing one account's password from many addresses is slowed, whether or not there is such an account,
// and its owner gets in all the same from where they have been before, and soon from elsewhere.
func TestLimitsOfGuessing(t *testing.T) {
	t.Parallel()
	clock, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still, behindProxy())
	home := from("198.51.100.1")
	s.Do("POST", "/v1/register", home, harness.Form("name", "Ann", "password", harness.Password)).Want(201)
	login := func(name, password string, with harness.With) *harness.Answer {
		return s.Do("POST", "/v1/login", with, harness.Form("name", name, "password", password))
	}
	for _, name := range []string{"ann", "nobody"} {
		n := 0
		guess := func() *harness.Answer {
			n++
			return login([]string{name, strings.ToUpper(name)}[n%2], "guess", from(fmt.Sprintf("192.0.2.%d", n)))
		}
		if count, _ := spend(t, 10, guess); count != 10 {
			t.Errorf("%d guesses of %s's password", count, name)
		}
	}
	login("ann", harness.Password, from("203.0.113.1")).Refused("rate_limited")
	login("ann", harness.Password, home).Want(200)
	clock.advance(11 * time.Second)
	login("ann", harness.Password, from("203.0.113.1")).Want(200)
	login("ann", "guess", from("192.0.2.99")).Refused("rate_limited")
	login("ann", harness.Password, from("203.0.113.1")).Want(200)
	// The own address is no way to guess without end.
	spend(t, 10, func() *harness.Answer { return login("ann", "guess", home) })
}

// What is refused to one account is not taken from the others at its address.
func TestLimitsOfOneRoof(t *testing.T) {
	t.Parallel()
	_, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still)
	noise, ann := s.User("noise"), s.User("ann")
	say := func(u *harness.User) *harness.Answer { return u.Post("/v1/send", map[string]any{"text": ""}) }
	for range 1500 {
		say(noise)
	}
	if r, _ := rateOf(t, say(ann)); r.limit != 50 || r.remaining != 49 {
		t.Errorf("ann stands at %+v", r)
	}
	// All together they have a limit too.
	for i := range 50 {
		u := s.User(fmt.Sprintf("pupil%d", i))
		for range 50 {
			a := say(u)
			if r, _ := rateOf(t, a); a.Status == 429 && r.limit == 1000 {
				a.Refused("rate_limited")
				return
			}
		}
	}
	t.Error("2500 calls at once from one address were let through")
}

func TestLimitsOff(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--rate-limit", "off"))
	ann := s.User("ann")
	for i, l := range limited {
		for range l.limit + 20 {
			a := l.call(ann)
			if _, has := rateOf(t, a); has || a.Status == 429 {
				t.Fatalf("%d: %d with %v", i, a.Status, a.Header)
			}
		}
	}
	for range 70 {
		s.Do("POST", "/v1/login", harness.Form("name", "ann", "password", "guess")).Refused("invalid_credentials")
	}
	// How many streams may be open is no rate.
	for range 32 {
		ann.Stream()
	}
	if r, _ := rateOf(t, ann.Get("/v1/events/stream")); r != (rate{32, 0, 5, 5}) {
		t.Errorf("the 33rd stream is refused with %+v", r)
	}
	use := harness.Query("ticket", newTicket(s.User("bob")).Ticket)
	for range 4 {
		s.Stream(use)
	}
	if r, _ := rateOf(t, s.Do("GET", "/v1/events/stream", use)); r != (rate{4, 0, 1, 1}) {
		t.Errorf("the ticket's fifth stream is refused with %+v", r)
	}
}

// The count of open streams is told over that of opening them.
func TestLimitOfOpenStreams(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.RateLimited())
	ann := s.User("ann")
	for range 32 {
		ann.Stream()
	}
	if r, _ := rateOf(t, ann.Get("/v1/events/stream")); r != (rate{32, 0, 5, 5}) {
		t.Errorf("the 33rd stream is refused with %+v", r)
	}
}
