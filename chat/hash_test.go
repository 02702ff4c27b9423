package chat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/models"
)

// quickHasher does real work, but little of it.
func quickHasher() *Hasher { return NewHasher(HashCost{MemoryKiB: 8, Passes: 1}) }

func TestHashVerify(t *testing.T) {
	t.Parallel()
	h, ctx := quickHasher(), t.Context()
	hash, err := h.Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.Hash(ctx, "correct horse")
	if err != nil || other == hash {
		t.Errorf("two hashes of one password are equal: %v", err)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct hors": false, "": false} {
		if got, err := h.Verify(ctx, hash, password); err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v; want %v", password, got, err, want)
		}
	}
}

func TestHashKeepsItsParameters(t *testing.T) {
	t.Parallel()
	hash, err := NewHasher(HashCost{}).Hash(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the default hash is %s", hash)
	}
	if ok, err := quickHasher().Verify(t.Context(), hash, "secret"); err != nil || !ok {
		t.Errorf("a hasher with another cost: %v, %v", ok, err)
	}
}

// Each of the ways that a login can fail must cost one computation, or the time of the
// answer tells which names exist.
func TestHashSameWork(t *testing.T) {
	t.Parallel()
	h, ctx := quickHasher(), t.Context()
	hash, err := h.Hash(ctx, "secret")
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]func() error{
		"right":      func() error { _, err := h.Verify(ctx, hash, "secret"); return err },
		"wrong":      func() error { _, err := h.Verify(ctx, hash, "guess"); return err },
		"nobody":     func() error { return h.Dummy(ctx, "guess") },
		"a guest's":  func() error { _, err := h.Verify(ctx, "", "guess"); return err },
		"a new name": func() error { _, err := h.Hash(ctx, "guess"); return err },
	}
	for name, step := range steps {
		before := h.Computed()
		if err := step(); err != nil || h.Computed() != before+1 {
			t.Errorf("%s: %d computations, %v", name, h.Computed()-before, err)
		}
	}
}

func TestHashDummyCostsAsMuch(t *testing.T) {
	t.Parallel()
	h := quickHasher()
	hash, err := h.Hash(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	prefix := hash[:strings.LastIndex(hash[:strings.LastIndex(hash, "$")], "$")]
	if !strings.HasPrefix(h.dummy, prefix+"$") || len(h.dummy) != len(hash) {
		t.Errorf("the dummy %s does not cost what %s does", h.dummy, hash)
	}
}

func TestHashDamaged(t *testing.T) {
	t.Parallel()
	h := quickHasher()
	for _, hash := range []string{
		"x", "$argon2id$v=19$m=8,t=0,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=1,p=0$AAAA$AAAA",
		"$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA",
	} {
		if ok, err := h.Verify(t.Context(), hash, "secret"); err == nil || ok {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

func TestHashWaitsForASlot(t *testing.T) {
	t.Parallel()
	h := quickHasher()
	release := fillSlots(h)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := h.Dummy(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a free slot: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- h.Dummy(t.Context(), "x") }()
	release()
	if err := <-done; err != nil {
		t.Errorf("after a slot became free: %v", err)
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d are said to wait after all", n)
	}
}

func TestHashTooManyWait(t *testing.T) {
	t.Parallel()
	h := quickHasher()
	h.maxWaiting = 0
	release := fillSlots(h)
	if err := h.Dummy(t.Context(), "x"); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("with a full queue: %v", err)
	}
	release()
	if err := h.Dummy(t.Context(), "x"); err != nil {
		t.Errorf("after the rush: %v", err)
	}
}

// fillSlots takes all slots and returns how to give them back.
func fillSlots(h *Hasher) (release func()) {
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	return func() {
		for range cap(h.slots) {
			h.leave()
		}
	}
}
