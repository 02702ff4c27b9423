package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"parley/chat"
	"parley/models"
)

// crashEnv names the database of a child that writes until it is killed.
const crashEnv = "PARLEY_STORE_CRASH"

// crashChild sends as fast as it can and prints the id and the nonce of each message once it is
// answered.
func crashChild() int {
	o := Options{Dir: os.Getenv(crashEnv)}
	if strings.Contains(o.Dir, "://") {
		o = Options{URL: o.Dir}
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	var user models.User
	err = s.Do(context.Background(), func(tx chat.Tx) (err error) {
		user, err = addUser(tx, fmt.Sprint("child", os.Getpid()), models.RoleMember)
		return err
	})
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := 0; err == nil; n++ {
				var m models.Message
				nonce := fmt.Sprintf("%d-%d-%d", os.Getpid(), i, n)
				if e := s.Do(context.Background(), func(tx chat.Tx) (err error) {
					m, err = post(tx, models.LobbyID, user.ID, nonce, nonce)
					return err
				}); e != nil {
					fmt.Fprintln(os.Stderr, "child:", e)
					return
				}
				fmt.Printf("%d %s\n", m.ID, nonce)
			}
		})
	}
	wg.Wait()
	return 1
}

// TestNothingAnsweredIsLostInACrash kills a process that writes, again and again.
func TestNothingAnsweredIsLostInACrash(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		answered := map[int64]string{}
		for range 4 {
			killOne(t, o, answered)
		}
		s := mustOpen(t, o)
		err := s.snapshot(context.Background(), func(r *reader) error {
			ids, err := many[int64](r, "log", "SELECT id FROM log ORDER BY id")
			if err != nil {
				return err
			}
			gapless(t, ids, 1)
			h, err := r.Head()
			if err != nil {
				return err
			}
			if int64(len(ids)) != h {
				t.Errorf("%d entries, head %d", len(ids), h)
			}
			stored, err := many[messageRow](r, "messages", "SELECT id, nonce FROM messages ORDER BY id")
			if err != nil {
				return err
			}
			for _, m := range stored {
				if nonce, ok := answered[m.ID]; ok && nonce != m.Nonce {
					t.Errorf("message %d is %q, answered was %q", m.ID, m.Nonce, nonce)
				}
				delete(answered, m.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(answered) > 0 {
			t.Errorf("answered and lost: %v", answered)
		}
	})
}

// killOne runs a child, kills it after it has answered some hundred messages, and notes all that
// it had answered.
func killOne(t *testing.T, o Options, answered map[int64]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+o.Dir+o.URL)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); n++ {
		var id int64
		var nonce string
		if _, err := fmt.Sscan(lines.Text(), &id, &nonce); err != nil {
			continue // cut off by the kill
		}
		if old, twice := answered[id]; twice {
			t.Errorf("id %d was given to %q and to %q", id, old, nonce)
		}
		answered[id] = nonce
		if n == 300 {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || n < 300 {
		t.Fatalf("the child ended by itself after %d messages: %v", n, err)
	} else if _, killed := errors.AsType[*exec.ExitError](err); !killed {
		t.Fatal(err)
	}
}
