package app

import (
	"strings"
	"testing"

	"parley/internal/config"
)

func TestLineListensWhereItWasTold(t *testing.T) {
	t.Parallel()
	if a := open(t, t.TempDir()); a.LineAddr() != "" {
		t.Errorf("it is on without a flag, at %s", a.LineAddr())
	}
	a := openWith(t, t.TempDir(), func(cfg *config.Config) { cfg.LineAddr = ":0" })
	if !strings.HasPrefix(a.LineAddr(), "127.0.0.1:") {
		t.Errorf("without a host it listens on %s", a.LineAddr())
	}
	cfg := testConfig(t.TempDir())
	cfg.LineAddr = a.LineAddr()
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--line-addr "+a.LineAddr()) {
		t.Errorf("two servers listen on one address: %v", err)
	}
}
