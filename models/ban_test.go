package models

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "192.0.2.7/32": "192.0.2.7", "192.0.2.7/24": "192.0.2.0/24", "0.0.0.0/0": "0.0.0.0/0",
		"::ffff:192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7/120": "192.0.2.0/24", "::ffff:0:0/96": "0.0.0.0/0",
		"2001:DB8:0::7": "2001:db8::7", "2001:db8::7/64": "2001:db8::/64", "::/0": "::/0",
	} {
		p, err := ParseNetwork(in)
		if err != nil || NetworkName(p) != want {
			t.Errorf("%s is %v, %v; want %s", in, p, err, want)
			continue
		}
		if again, err := ParseNetwork(NetworkName(p)); err != nil || again != p {
			t.Errorf("%s is read as %v, %v", NetworkName(p), again, err)
		}
	}
	for _, bad := range []string{"", "localhost", "192.0.2", "192.0.2.0/33", "192.0.2.1:80", "[::1]", "::/129", "fe80::1%eth0", "fe80::1%eth0/64", "1.2.3.4/-1"} {
		if p, err := ParseNetwork(bad); CodeOf(err) != CodeValidationFailed {
			t.Errorf("%q is %v, %v", bad, p, err)
		}
	}
}

// Every network that holds an address is among its names, and no other.
func TestNetworksOf(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"192.0.2.7", "2001:db8::7"} {
		ip := netip.MustParseAddr(in)
		names := NetworksOf(ip)
		if len(names) != ip.BitLen()+1 || !slices.Contains(names, in) {
			t.Errorf("%s is in %d networks: %v", in, len(names), names)
		}
		for _, name := range names {
			if p, err := ParseNetwork(name); err != nil || !p.Contains(ip) || NetworkName(p) != name {
				t.Errorf("%s is in %s: %v, %v", in, name, p, err)
			}
		}
	}
	if names := NetworksOf(netip.Addr{}); len(names) > 1 {
		t.Errorf("no address is in %v", names)
	}
}

func TestBanInForce(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		until time.Time
		want  bool
	}{{time.Time{}, true}, {now.Add(time.Second), true}, {now, false}, {now.Add(-time.Second), false}} {
		if got := (Ban{Until: Time{tt.until}}).InForce(now); got != tt.want {
			t.Errorf("until %v at %v: %v", tt.until, now, got)
		}
	}
}
