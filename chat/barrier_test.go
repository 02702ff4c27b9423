package chat

import (
	"net/netip"
	"testing"
	"time"

	"parley/models"
)

// banEntry is what the log has of a change of an address ban.
func banEntry(t *testing.T, kind models.ChangeKind, network string, until *models.Time) models.Event {
	t.Helper()
	e := models.Event{ID: 9, Type: models.AddressBanned, Change: models.Change{Kind: kind}}
	if err := e.Encode(models.BanData{ID: 9, Network: network, Until: until, Reason: "why"}); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBarrier(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := New(Options{Clock: func() time.Time { return now }})
	refused := func(address string, role models.Role) bool {
		err := s.CheckAddress(Actor{User: models.User{Role: role}, Address: address})
		if err != nil && models.CodeOf(err) != models.CodeBanned {
			t.Errorf("%s: %v", address, err)
		}
		return err != nil
	}
	check := func(step string, want map[string]bool) {
		t.Helper()
		for address, want := range want {
			if got := refused(address, models.RoleMember); got != want {
				t.Errorf("%s: %s is refused: %v, want %v", step, address, got, want)
			}
			if refused(address, models.RoleAdmin) {
				t.Errorf("%s: an admin at %s is refused", step, address)
			}
		}
	}
	check("nothing", map[string]bool{"192.0.2.1": false, "": false, "::1": false})
	hour := models.At(now.Add(time.Hour))
	s.Observe([]models.Event{
		banEntry(t, models.BanSet, "192.0.2.0/24", nil),
		banEntry(t, models.BanSet, "198.51.100.7", &hour),
		banEntry(t, models.BanSet, "2001:db8::/64", nil),
	})
	check("banned", map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "192.0.3.0": false, "::ffff:192.0.2.9": true,
		"198.51.100.7": true, "198.51.100.8": false, "2001:db8::1": true, "2001:db8::1%eth0": true, "2001:db8:0:1::1": false,
		"": false, "nonsense": false,
	})
	now = hour.Add(-time.Millisecond)
	check("just before the end", map[string]bool{"198.51.100.7": true})
	now = hour.Time
	check("at the end", map[string]bool{"198.51.100.7": false, "192.0.2.1": true})
	s.Observe([]models.Event{banEntry(t, models.BanLifted, "192.0.2.0/24", nil)})
	check("lifted", map[string]bool{"192.0.2.1": false, "2001:db8::1": true})
	s.Observe([]models.Event{{ID: 10, Change: models.Change{Kind: models.BanSet}, JSON: []byte("{")}})
	check("after nonsense", map[string]bool{"192.0.2.1": false, "2001:db8::1": true})
}

func addressNumber(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// What a request costs while addresses are banned.
func BenchmarkBarrier(b *testing.B) {
	s := New(Options{})
	until := models.At(time.Now().Add(time.Hour))
	for i := range 1000 {
		e := models.Event{Change: models.Change{Kind: models.BanSet}}
		if err := e.Encode(models.BanData{Network: models.NetworksOf(addressNumber(i))[32], Until: &until}); err != nil {
			b.Fatal(err)
		}
		s.Observe([]models.Event{e})
	}
	a := Actor{Address: "203.0.113.9"}
	for b.Loop() {
		if err := s.CheckAddress(a); err != nil {
			b.Fatal(err)
		}
	}
}
