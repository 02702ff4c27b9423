package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

// barrier keeps the banned addresses in memory, so that a request costs no look-up. The log keeps it
// true: it is loaded once, and then told of each change before anyone is answered. A ban that
// is over is known by its own time.
type barrier struct {
	mu     sync.Mutex // over changes
	banned atomic.Pointer[networks]
}

// networks are the banned ones, and which lengths of prefixes there are among them, the IPv4 ones and
// the IPv6 ones. They never change: a change makes new ones.
type networks struct {
	bans       map[netip.Prefix]models.Ban
	len4, len6 []int
}

// change makes the networks anew.
func (b *barrier) change(edit func(bans map[netip.Prefix]models.Ban)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := &networks{bans: map[netip.Prefix]models.Ban{}}
	if old := b.banned.Load(); old != nil {
		maps.Copy(next.bans, old.bans)
	}
	edit(next.bans)
	for p := range next.bans {
		lengths := &next.len6
		if p.Addr().Is4() {
			lengths = &next.len4
		}
		if !slices.Contains(*lengths, p.Bits()) {
			*lengths = append(*lengths, p.Bits())
		}
	}
	b.banned.Store(next)
}

// find gives a ban in force of the address.
func (b *barrier) find(address string, now time.Time) (models.Ban, bool) {
	n := b.banned.Load()
	if n == nil || len(n.bans) == 0 {
		return models.Ban{}, false
	}
	ip, err := models.ParseIP(address)
	if err != nil {
		return models.Ban{}, false
	}
	lengths := n.len6
	if ip.Is4() {
		lengths = n.len4
	}
	for _, bits := range lengths {
		p, err := ip.Prefix(bits)
		if err != nil {
			continue
		}
		if ban, ok := n.bans[p]; ok && ban.InForce(now) {
			return ban, true
		}
	}
	return models.Ban{}, false
}

// loadBans reads the banned addresses, once, before anything is committed.
func (s *Service) loadBans(ctx context.Context) error {
	bans, err := view(ctx, s, func(r Reader) ([]models.Ban, error) { return r.AddressBans() })
	if err != nil {
		return fmt.Errorf("read the banned addresses: %w", err)
	}
	s.barrier.change(func(known map[netip.Prefix]models.Ban) {
		for _, ban := range bans {
			if p, err := models.ParseNetwork(ban.Network); err == nil {
				known[p] = ban
			}
		}
	})
	return nil
}

// observeBan takes over what an entry about an address ban says.
func (s *Service) observeBan(e *models.Event) {
	var entry struct{ Data models.BanData }
	err := json.Unmarshal(e.JSON, &entry)
	network, parseErr := models.ParseNetwork(entry.Data.Network)
	if err != nil || parseErr != nil {
		s.log.Error("an entry about a ban cannot be read", "id", e.ID, "type", e.Type, "error", err)
		return
	}
	s.barrier.change(func(known map[netip.Prefix]models.Ban) {
		if e.Change.Kind == models.BanLifted {
			delete(known, network)
			return
		}
		ban := models.Ban{ID: entry.Data.ID, Network: entry.Data.Network, Reason: entry.Data.Reason}
		if entry.Data.Until != nil {
			ban.Until = *entry.Data.Until
		}
		maps.DeleteFunc(known, func(_ netip.Prefix, b models.Ban) bool { return !b.InForce(s.now()) })
		known[network] = ban
	})
}

// CheckAddress refuses a call from a banned address. Admins may call from everywhere, or one of them
// could lock out all.
func (s *Service) CheckAddress(a Actor) error {
	if a.User.Role == models.RoleAdmin {
		return nil
	}
	return s.checkAddress(a.Address)
}

func (s *Service) checkAddress(address string) error {
	if ban, banned := s.barrier.find(address, s.now()); banned {
		return errBanned("your address", ban)
	}
	return nil
}
