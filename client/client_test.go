package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a real server with the handler and gives a client of it; both are gone when the test is.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(srv.URL, WithHTTPClient(srv.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(w http.ResponseWriter, status int, v any) {
	kind := "application/json"
	if _, bad := v.(Problem); bad {
		kind = "application/problem+json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func TestLoginIsTakenAndLogoutDropsIt(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/login", "/v1/register", "/v1/guest":
			if r.Header.Get("Authorization") != "" {
				t.Errorf("%s with a token", r.URL)
			}
			status := http.StatusCreated
			if r.URL.Path == "/v1/login" {
				status = http.StatusOK
			}
			answer(w, status, Session{Token: "t1", User: User{ID: 2, Name: "ann"}})
		case "/v1/me":
			answer(w, http.StatusOK, User{Name: r.Header.Get("Authorization")})
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	for name, enter := range map[string]func() (Session, error){
		"register": func() (Session, error) { return c.Register(t.Context(), "ann", "correct horse") },
		"login":    func() (Session, error) { return c.Login(t.Context(), "ann", "correct horse") },
		"guest":    func() (Session, error) { return c.Guest(t.Context(), "") },
	} {
		if s, err := enter(); err != nil || s.User.Name != "ann" || c.Token() != "t1" {
			t.Fatalf("%s: %+v, %v, token %q", name, s, err, c.Token())
		}
		me, err := c.GetMeWithResponse(t.Context())
		if err != nil || me.JSON200 == nil || me.JSON200.Name != "Bearer t1" {
			t.Errorf("%s: me %v, %v", name, me, err)
		}
		if err := c.Logout(t.Context()); err != nil || c.Token() != "" {
			t.Errorf("%s: logout: %v, token %q", name, err, c.Token())
		}
	}
}

func TestSendGivesTheMessageNewOrRepeated(t *testing.T) {
	t.Parallel()
	status := http.StatusCreated
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body["to"] != "@bob" || body["nonce"] != "n" {
			t.Errorf("sent %v, %v", body, err)
		}
		answer(w, status, Message{ID: 9, Text: fmt.Sprint(body["text"])})
		status = http.StatusOK
	})
	for range 2 {
		m, err := c.Send(t.Context(), SendRequest{To: To("@bob"), Text: "hi", Nonce: new("n")})
		if err != nil || m.ID != 9 || m.Text != "hi" {
			t.Errorf("got %+v, %v", m, err)
		}
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/send":
			w.Header().Set("Retry-After", "3")
			answer(w, 503, Problem{Code: ErrorCodeUnavailable, Title: "Unavailable", Status: 503, Detail: new("later"), RequestID: "r1"})
		case "/v1/register":
			w.WriteHeader(http.StatusOK) // and nothing more, as only something in between would
		default:
			http.Error(w, "<h1>Bad gateway</h1>", http.StatusBadGateway)
		}
	})
	_, err := c.Send(t.Context(), SendRequest{Text: "hi"})
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrorCodeUnavailable) || errors.Is(err, ErrorCodeConflict) {
		t.Fatalf("got %v", err)
	}
	if e.RetryAfter != 3*time.Second || e.RequestID != "r1" || e.Error() != "unavailable: later (status 503)" {
		t.Errorf("got %v: %+v", e, e)
	}

	resp, err := c.ListRoomsWithResponse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = Check(resp.HTTPResponse, resp.Body)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 502 || e.Code != "" || e.Error() != "Bad Gateway (status 502)" {
		t.Errorf("a proxy's error: %v", err)
	}
	if _, err := c.Register(t.Context(), "a", "b"); !errors.Is(err, errNoAnswer) || c.Token() != "" {
		t.Errorf("an empty success: %v", err)
	}
}

func TestNewRefusesWhatIsNoServer(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "localhost:8080", "ftp://x", "http://", "http://a b"} {
		if _, err := New(u); err == nil {
			t.Errorf("%q was taken", u)
		}
	}
	boom := errors.New("boom")
	if _, err := New("http://x", ClientOption(func(*RawClient) error { return boom })); !errors.Is(err, boom) {
		t.Errorf("an option's error: %v", err)
	}
}

// The fakes elsewhere have no network. Here is one: cut by the server, resumed, left, nothing remains.
func TestEventsOverARealConnection(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		last := r.Header.Get("Last-Event-ID")
		if last == "" {
			_, _ = fmt.Fprint(w, "retry: 1\n\n", ready(10), message(11), "id: 12\ndata: {\"id\":1")
			return
		}
		_, _ = fmt.Fprint(w, ready(11), message(12))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	})
	var ids []int64
	for e, err := range c.Events(t.Context(), EventsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Ephemeral() {
			continue
		}
		data, err := DataOf[MessageData](e)
		if err != nil || data.Message.ID != e.ID || e.RoomID != 1 || e.At.IsZero() || len(e.Raw) == 0 {
			t.Errorf("%+v: %+v, %v", e, data, err)
		}
		if ids = append(ids, e.ID); len(ids) == 2 {
			break
		}
	}
	if ids[0] != 11 || ids[1] != 12 {
		t.Errorf("got %v", ids)
	}
	<-gone // leaving the loop closed the connection
}
