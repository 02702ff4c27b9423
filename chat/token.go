package chat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// tokenBytes is the entropy of a session token or a ticket: 256 bits.
const tokenBytes = 32

// newToken makes a secret and the SHA-256 of it, which alone is stored. A fast hash is
// enough: nobody can guess 256 random bits.
func newToken() (token string, hash []byte) {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails, see crypto/rand
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
