package tests

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"parley/internal/app"
	"parley/tests/harness"
)

// impatient lets a body take hardly any time.
func impatient() harness.Option {
	return harness.Tune(func(o *app.Options) { o.BodyTime = 100 * time.Millisecond })
}

// A body that does not come is cut with an answer, wherever the request was to go, and its connection with it.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, impatient())
	ann := s.User("ann")
	for path, want := range map[string]string{
		"/v1/send": "invalid_request", "/v1/register": "invalid_request", "/v1/rooms/lobby/join": "invalid_request",
		"/nowhere": "not_found", "/v1/events": "method_not_allowed",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"text\":", path, ann.Token)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn) // until the server has closed it
		if !strings.Contains(string(answer), `"code":"`+want+`"`) || !strings.Contains(string(answer), "Connection: close\r\n") {
			t.Errorf("%s is answered %q", path, answer)
		}
	}
	if n := len(ann.History("lobby")); n != 0 {
		t.Errorf("%d halves of messages were sent", n)
	}
}

// A stream lives on though its request had a body, and time for that.
func TestStreamWithABody(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, impatient())
	ann := s.User("ann")
	stream := ann.Stream(harness.Raw("text/plain", "what for?"))
	time.Sleep(300 * time.Millisecond) // three times as long as a body may take
	m := ann.Send("lobby", "still there?")
	stream.UntilID(m.ID)
}

// Who sends thousands of fields that there are not is told of some.
func TestManyWrongFields(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	var form, object strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&form, "a%d=&", i)
		fmt.Fprintf(&object, `"a%d":0,`, i)
	}
	ann := s.User("ann")
	for _, body := range []harness.With{
		harness.Raw("application/x-www-form-urlencoded", form.String()+"text=hi"),
		harness.Raw("application/json", "{"+object.String()+`"text":"hi"}`),
	} {
		a := ann.Do("POST", "/v1/send", body).Want(422)
		if n := len(a.Problem().Errors); n > 32 || len(a.Body) > 8<<10 {
			t.Errorf("%d errors in %d bytes", n, len(a.Body))
		}
	}
}
