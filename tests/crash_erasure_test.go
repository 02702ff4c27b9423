package tests

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"parley/client"
)

// testKillInErasure kills a server that is erasing an account. What was begun is finished after the next start, by
// itself, and nothing is left in the files.
func testKillInErasure(t *testing.T, program string) {
	dir, addr := t.TempDir(), freePort(t)
	server := serve(t, program, dir, addr, unlimited...)
	root, ann := newClient(t, server.url), newClient(t, server.url)
	ctx := t.Context()
	_, err := root.Register(ctx, "root", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = ann.Register(ctx, "ann", "correct horse"); err != nil {
		t.Fatal(err)
	}
	const many = 4000
	var sending sync.WaitGroup
	for i := range 16 {
		sending.Go(func() {
			for n := i; n < many; n += 16 {
				if _, err := ann.Send(ctx, client.SendRequest{Text: fmt.Sprint(marker, n)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
	kills := 0
	go func() { // its answer does not come
		body := strings.NewReader(`{"password":"correct horse","erase":true}`)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.url+"/v1/me/delete", body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+ann.Token())
		req.Header.Set("Content-Type", "application/json")
		if resp, err := plain.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	for kills < 3 {
		left, begun := leftOf(t, root)
		if begun && left == 0 {
			break
		}
		if begun {
			server.kill()
			dropConnections()
			kills++
			t.Logf("killed with %d of %d messages left", left, many)
			server = serve(t, program, dir, addr, unlimited...)
		}
	}
	if kills == 0 {
		t.Error("the erasure was over before it could be interrupted")
	}
	err = eventually(ctx, func() error {
		if left, _ := leftOf(t, root); left > 0 {
			return fmt.Errorf("%d messages are left", left)
		}
		if found := inFiles(t, dir, marker); len(found) > 0 {
			return fmt.Errorf("%v", found)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := ann.Send(ctx, client.SendRequest{Text: "x"}); err == nil {
		t.Error("the deleted account sends")
	}
	server.kill()
	dropConnections()
}

func newClient(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(url, client.WithHTTPClient(plainHTTP))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leftOf says of how many messages in the lobby the text is left, and whether any is gone.
func leftOf(t *testing.T, root *client.Client) (left int, begun bool) {
	t.Helper()
	for after := int64(0); ; {
		answer, err := root.ListMessagesWithResponse(t.Context(), "lobby", &client.ListMessagesParams{After: &after, Limit: new(200)})
		if err != nil || answer.JSON200 == nil {
			t.Fatalf("%v, %v", answer, err)
		}
		for _, m := range answer.JSON200.Messages {
			if after = m.ID; m.Text != "" {
				left++
			} else {
				begun = true
			}
		}
		if !answer.JSON200.HasAfter {
			return left, begun
		}
	}
}
