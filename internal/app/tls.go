package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/config"
)

// certificateCheck is how often, at most, a handshake looks whether the certificate's files have changed.
const certificateCheck = time.Second

// certificate is the pair of --tls-cert and --tls-key. It is read again when its files change, so that
// whoever renews it need not restart the server. It is safe for concurrent use.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	pair              atomic.Pointer[tls.Certificate]
	next              atomic.Int64 // Unix ns from when on the files are looked at again

	mu   sync.Mutex
	seen [2]fileState // what was read last, or could not be
}

// fileState is what changes when a file is written, or when another takes its place behind a symbolic link.
type fileState struct {
	modified time.Time
	size     int64
}

// serverTLS is how the server speaks TLS, nil where no flag asks for it. The error names the flag.
func serverTLS(cfg config.Config, log *slog.Logger) (*tls.Config, error) {
	if cfg.TLSCert == "" {
		return nil, nil //nolint:nilnil // no TLS is no fault
	}
	c := &certificate{certFile: cfg.TLSCert, keyFile: cfg.TLSKey, log: log}
	c.seen = c.look()
	pair, err := c.read()
	if err != nil {
		return nil, err
	}
	c.pair.Store(pair)
	// The rest is Go's own choice, which its releases keep up to date.
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

// get implements tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := time.Now().UnixNano()
	if next := c.next.Load(); now >= next && c.next.CompareAndSwap(next, now+int64(certificateCheck)) {
		c.refresh()
	}
	return c.pair.Load(), nil
}

// refresh reads the pair if its files have changed. One that is broken, or half written, leaves the old one in
// place, with one warning for each change.
func (c *certificate) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if now == c.seen {
		return
	}
	c.seen = now
	pair, err := c.read()
	if err != nil {
		c.log.Warn("the new certificate cannot be used, the old one stays", "error", err)
		return
	}
	c.pair.Store(pair)
	c.log.Info("the certificate was read again", "file", c.certFile, "not_after", pair.Leaf.NotAfter)
}

func (c *certificate) look() (states [2]fileState) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			states[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}

func (c *certificate) read() (*tls.Certificate, error) {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := os.ReadFile(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", c.certFile, c.keyFile, err)
	}
	return &pair, nil
}
