package chat

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"parley/models"
)

// The cost of one password hash: OWASP's second choice of argon2id parameters, about 20 ms
// of one core. It is stored with each hash, so that old hashes stay good when it changes.
const (
	HashMemoryKiB = 19 << 10
	HashPasses    = 2
	HashThreads   = 1

	hashSaltBytes = 16
	hashKeyBytes  = 32
)

// maxWaitingPerSlot bounds the queue before each slot to about two seconds of work: who
// comes later would give up before the answer.
const maxWaitingPerSlot = 100

// HashCost is what one computation costs; what is zero takes the default. Tests
// bring a small one.
type HashCost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// Hasher turns passwords into hashes and compares them. As many computations run at once
// as there are cores; the others wait in front of it, so that a flood of logins costs
// neither more memory nor the rest of the server its cores. It is safe for concurrent use.
type Hasher struct {
	params     argon2id.Params
	dummy      string
	slots      chan struct{}
	maxWaiting int64
	waiting    atomic.Int64
	computed   atomic.Int64
}

// NewHasher makes a Hasher; NewHasher(HashCost{}) is the one for real use.
func NewHasher(cost HashCost) *Hasher {
	if cost.MemoryKiB == 0 {
		cost.MemoryKiB = HashMemoryKiB
	}
	if cost.Passes == 0 {
		cost.Passes = HashPasses
	}
	if cost.Threads == 0 {
		cost.Threads = HashThreads
	}
	slots := runtime.GOMAXPROCS(0)
	params := argon2id.Params{
		Memory: cost.MemoryKiB, Iterations: cost.Passes, Parallelism: cost.Threads,
		SaltLength: hashSaltBytes, KeyLength: hashKeyBytes,
	}
	return &Hasher{
		params: params, dummy: dummyHash(params),
		slots: make(chan struct{}, slots), maxWaiting: int64(slots * maxWaitingPerSlot),
	}
}

// Hash gives the encoded hash of the password: parameters, a fresh salt and the key.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	encoded, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return encoded, nil
}

// Verify says whether the password belongs to the hash. An account without password has the
// hash "", which no password belongs to, after the same work.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		return false, h.Dummy(ctx, password)
	}
	return h.compare(ctx, hash, password)
}

// Outdated says whether the hash cost another amount of work than one of this Hasher does.
func (h *Hasher) Outdated(hash string) bool {
	p, _, _, err := argon2id.DecodeHash(hash)
	return err == nil && *p != h.params
}

// Dummy does the work of a Verify and forgets its result: for accounts that do not exist,
// so that the time of an answer does not tell which names do.
func (h *Hasher) Dummy(ctx context.Context, password string) error {
	_, err := h.compare(ctx, h.dummy, password)
	return err
}

// Computed counts the computations so far; tests compare it to see that each answer cost
// the same.
func (h *Hasher) Computed() int64 { return h.computed.Load() }

func (h *Hasher) compare(ctx context.Context, hash, password string) (bool, error) {
	if err := checkHash(hash); err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return same, nil
}

// checkHash refuses a damaged hash, which argon2 would panic on.
func checkHash(hash string) error {
	params, _, _, err := argon2id.DecodeHash(hash)
	if err != nil {
		return fmt.Errorf("read password hash: %w", err)
	}
	if params.Iterations == 0 || params.Parallelism == 0 {
		return errors.New("read password hash: a parameter is 0")
	}
	return nil
}

// enter waits for a slot. Each enter without error is followed by one leave.
func (h *Hasher) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait to hash a password: %w", err)
	}
	select {
	case h.slots <- struct{}{}:
		h.computed.Add(1)
		return nil
	default:
	}
	if h.waiting.Add(1) > h.maxWaiting {
		h.waiting.Add(-1)
		return models.Unavailable(nil, "too many log in at once, try again")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		h.computed.Add(1)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (h *Hasher) leave() { <-h.slots }

// dummyHash is a hash that costs as much as a real one and belongs to no known password.
func dummyHash(p argon2id.Params) string {
	raw := make([]byte, hashSaltBytes+hashKeyBytes)
	rand.Read(raw) // never fails, see crypto/rand
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.Memory, p.Iterations, p.Parallelism,
		b64.EncodeToString(raw[:hashSaltBytes]), b64.EncodeToString(raw[hashSaltBytes:]))
}
