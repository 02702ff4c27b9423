package app

import (
	"strings"
	"testing"

	"parley/internal/config"
)

func TestLineListensWhereItWasTold(t *testing.T) {
	t.Parallel()
	if a := open(t, t.TempDir()); a.OlderAddr("line-addr") != "" {
		t.Errorf("it is on without a flag, at %s", a.OlderAddr("line-addr"))
	}
	a := openWith(t, t.TempDir(), func(cfg *config.Config) { cfg.LineAddr = ":0" })
	if !strings.HasPrefix(a.OlderAddr("line-addr"), "127.0.0.1:") {
		t.Errorf("without a host it listens on %s", a.OlderAddr("line-addr"))
	}
	cfg := testConfig(t.TempDir())
	cfg.LineAddr = a.OlderAddr("line-addr")
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--line-addr "+a.OlderAddr("line-addr")) {
		t.Errorf("two servers listen on one address: %v", err)
	}
}
