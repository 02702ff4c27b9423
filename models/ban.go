package models

import (
	"net/netip"
	"strings"
	"time"
)

// Ban keeps an account, or everybody at an address, off the server. Exactly one of UserID and
// Network is set.
type Ban struct {
	ID        int64 // of the log entry that made it
	UserID    int64
	UserName  string // as of the ban; readers fill the present one
	Network   string // as NetworkName writes it
	Until     Time   // zero: until lifted
	Reason    string
	CreatedAt Time
	ByID      int64 // who banned last; 0: the command line
	ByName    string
}

// InForce says whether the ban holds at the moment. Nothing has to be done for one to end.
func (b Ban) InForce(now time.Time) bool { return b.Until.IsZero() || now.Before(b.Until.Time) }

// Forever is the BannedUntil of a ban without an end.
func Forever() Time { return FromMillis(253402300799999) } // the last of the year 9999

// ParseNetwork reads an IP address or a network in CIDR form. IPv4 written as IPv6 is IPv4, and
// bits beyond the prefix count for nothing. The error is about the field `address`.
func ParseNetwork(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		ip, err := ParseIP(s)
		if err != nil || strings.Contains(s, "%") { // a zone is of this machine only
			return netip.Prefix{}, Invalid("address", "must be an IP address or a network such as 192.0.2.0/24")
		}
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	const mapped = 96 // bits before the IPv4 address in one that is mapped
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), nil
}

// ParseIP reads an address in its one form: IPv4 where it is one, without a zone.
func ParseIP(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	return ip.Unmap().WithZone(""), err
}

// NetworkName is how a network is shown, stored and compared: a single address without its length.
func NetworkName(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// NetworksOf are the names of all networks that the address is in: few enough to look each up.
func NetworksOf(ip netip.Addr) []string {
	names := make([]string, 0, ip.BitLen()+1)
	for bits := range ip.BitLen() + 1 {
		p, err := ip.Prefix(bits)
		if err != nil {
			return nil // no address at all
		}
		names = append(names, NetworkName(p))
	}
	return names
}
