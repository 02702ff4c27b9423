package tests

import (
	"testing"

	"parley/tests/harness"
)

// sameAsNone demands that what may not be known of reads like what is not there.
func sameAsNone(t *testing.T, hidden, none *harness.Answer) {
	t.Helper()
	a, b := hidden.Problem(), none.Want(404).Problem()
	if a.Title != b.Title || a.Detail != b.Detail || a.Code != b.Code || a.Type != b.Type || len(a.Errors)+len(b.Errors) > 0 {
		t.Errorf("hidden: %s\nnot there: %s", hidden.Body, none.Body)
	}
}

// Channels are made by everyone with an account.
func TestWhoMakesChannels(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("admin").Room("one", "public")
	s.User("member").Room("two", "private")
	guest := s.Guest("guest")
	guest.Post("/v1/rooms", map[string]any{"name": "three"}).Refused("forbidden")
	guest.Get("/v1/rooms/three").Refused("not_found")
}

// A name that only a private channel has is taken for all: names are unique. But nothing else tells
// of it.
func TestPrivateNames(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("admin")
	ann, bob := s.User("ann"), s.User("bob")
	secret := ann.Room("secret", "private")
	bob.Post("/v1/rooms", map[string]any{"name": "Secret"}).Refused("name_taken")
	for _, ref := range []string{"secret", "SECRET", id(secret.ID)} {
		sameAsNone(t, bob.Get("/v1/rooms/"+ref), bob.Get("/v1/rooms/nowhere"))
		sameAsNone(t, bob.Post("/v1/send", map[string]any{"to": ref, "text": "hi"}),
			bob.Post("/v1/send", map[string]any{"to": "nowhere", "text": "hi"}))
	}
	// After it was hidden, a channel is unknown to those who are not in it.
	ann.Room("open", "public")
	bob.Get("/v1/rooms/open").Want(200)
	ann.Patch("/v1/rooms/open", map[string]any{"visibility": "private"}).Want(200)
	bob.Get("/v1/rooms/open").Refused("not_found")
	// And who was removed knows no more than others.
	ann.Add("open", bob, "")
	bob.Get("/v1/rooms/open").Want(200)
	ann.Delete("/v1/rooms/open/members/@bob").Want(204)
	sameAsNone(t, bob.Get("/v1/rooms/open/messages"), bob.Get("/v1/rooms/nowhere/messages"))
}
