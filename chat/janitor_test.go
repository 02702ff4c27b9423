package chat

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A long chore keeps no other waiting, one that fails is tried again in the next round, and a round follows
// each pause.
func TestJanitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var calls []string
		chore := func(name string, answers ...func() (int, bool, error)) Chore {
			n := 0
			return Chore{name, func(context.Context) (int, bool, error) {
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, name)
				n++
				if n > len(answers) {
					return 0, false, nil
				}
				return answers[n-1]()
			}}
		}
		some := func() (int, bool, error) { return 10, true, nil }
		fails := func() (int, bool, error) { return 0, false, errors.New("no") }
		var out bytes.Buffer
		j := StartJanitor([]Chore{chore("long", some, some, some), chore("failing", fails, some), chore("idle")},
			time.Minute, slog.New(slog.NewTextHandler(&out, nil)))
		time.Sleep(30 * time.Second)
		check := func(want string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Join(calls, " "); got != want {
				t.Errorf("did %s, want %s", got, want)
			}
			calls = nil
		}
		check("long failing idle long long long")
		time.Sleep(time.Minute)
		check("long failing idle failing")
		j.Close()
		time.Sleep(time.Hour)
		check("")
		for _, want := range []string{`msg=long rows=30`, `"cannot failing, will try again"`, "msg=failing rows=10"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, out.String())
			}
		}
	})
}

// Close breaks off a step that waits, and says nothing of it.
func TestJanitorClosesInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		j := StartJanitor([]Chore{{"wait", func(ctx context.Context) (int, bool, error) {
			<-ctx.Done()
			return 0, false, ctx.Err()
		}}}, time.Minute, slog.New(slog.NewTextHandler(&out, nil)))
		synctest.Wait()
		j.Close()
		if out.Len() > 0 {
			t.Errorf("the log says %s", out.String())
		}
	})
}
