package chat

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"parley/models"
)

// Nonces outlive the program: the digest of a message that answers nothing is the one that older ones wrote.
func TestDigestOfAPlainMessageStays(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("hello"))
	plain, answer := digestOf(models.Draft{Text: "hello", To: "tea", Nonce: "n"}), digestOf(models.Draft{Text: "hello", ReplyTo: 7})
	if !bytes.Equal(plain, sum[:]) {
		t.Errorf("the digest is %x", plain)
	}
	if bytes.Equal(plain, answer) || bytes.Equal(answer, digestOf(models.Draft{Text: "hello", ReplyTo: 77})) {
		t.Error("the digest does not tell answers apart")
	}
}
