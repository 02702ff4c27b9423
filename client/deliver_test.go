package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// said is an answer in JSON.
func said(status int, retryAfter, body string) act {
	header := http.Header{"Content-Type": {"application/json"}}
	if retryAfter != "" {
		header.Set("Retry-After", retryAfter)
	}
	return act{status: status, header: header, steps: []step{{text: body}}}
}

// nonces are those of the sends that were asked for.
func nonces(t *testing.T, s *fakeServer) (all []string) {
	t.Helper()
	for _, r := range s.asked {
		var body SendRequest
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Nonce == nil {
			t.Fatalf("sent %+v, %v", body, err)
		}
		all = append(all, *body.Nonce)
	}
	return all
}

func TestDeliverTriesUntilAnAnswer(t *testing.T) {
	t.Parallel()
	cut := act{err: errors.New("connection reset")}
	stored := said(http.StatusOK, "", `{"id":9,"room_id":1,"sender":{"id":2,"name":"ann"},"text":"hi"}`)
	for name, tt := range map[string]struct {
		acts   []act
		least  time.Duration // that it takes
		id     int64
		status int // of the error
	}{
		"at once":        {acts: []act{stored}, id: 9},
		"after failures": {acts: []act{cut, said(503, "", `{}`), said(429, "20", `{"code":"slow_mode"}`), stored}, least: 22 * time.Second, id: 9},
		"refused":        {acts: []act{cut, said(403, "", `{"code":"muted","status":403}`)}, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{acts: tt.acts}
				c, err := New("http://parley.test", WithHTTPClient(s))
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				m, err := c.Deliver(t.Context(), SendRequest{Text: "hi"})
				refusal, refused := errors.AsType[*Error](err)
				if m.ID != tt.id || refused != (tt.status != 0) || refused && refusal.Status != tt.status || len(s.asked) != len(tt.acts) {
					t.Errorf("%+v, %v after %d tries", m, err, len(s.asked))
				}
				if took := time.Since(began); took < tt.least {
					t.Errorf("it took only %s", took)
				}
				sent := nonces(t, s)
				for _, nonce := range sent {
					if nonce == "" || nonce != sent[0] {
						t.Errorf("the nonces were %q", sent)
					}
				}
			})
		})
	}
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		s := &fakeServer{acts: []act{{err: down}}}
		c, err := New("http://parley.test", WithHTTPClient(s))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = c.Deliver(ctx, SendRequest{Text: "hi", Nonce: new("mine")})
		if sent := nonces(t, s); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, down) || len(sent) < 3 || sent[0] != "mine" {
			t.Errorf("%v after %q", err, sent)
		}
	})
}
