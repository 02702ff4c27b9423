package chat

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"parley/models"
)

// NewBan is what a ban is made from.
type NewBan struct {
	Until  models.Time // zero: until lifted
	Reason string
	// Addresses also bans the addresses that the account's sessions were opened from.
	Addresses bool
}

// check bounds the ban's values; now is the moment to come after.
func (n *NewBan) check(now models.Time) (err error) {
	n.Reason, err = checkTerm(n.Until, n.Reason, now)
	return err
}

// checkTerm bounds until when and why something is to hold, and gives the reason as it is kept.
func checkTerm(until models.Time, reason string, now models.Time) (string, error) {
	reason, err := cleanReason(reason)
	if err != nil {
		return "", err
	}
	if !until.IsZero() && !until.After(now.Time) {
		return "", models.Invalid("until", "must be in the future: without it, it holds until it is lifted")
	}
	return reason, nil
}

// banOfUser gives the account's ban that is in force.
func banOfUser(tx Tx, userID int64) (b models.Ban, banned bool, err error) {
	b, err = tx.BanOfUser(userID)
	if errors.Is(err, ErrNotFound) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("read ban: %w", err)
	}
	return b, b.InForce(tx.Now().Time), nil
}

// admit refuses a session to who is banned, by account or by address. Admins are never banned. It is
// part of every command that opens a session, so that no login overtakes a ban.
func admit(tx Tx, user models.User, address string) error {
	if user.Role == models.RoleAdmin {
		return nil
	}
	if user.BannedUntil.After(tx.Now().Time) {
		ban, _, err := banOfUser(tx, user.ID)
		if err != nil {
			return err
		}
		return errBanned("the account", ban)
	}
	ip, err := models.ParseIP(address)
	if err != nil {
		return nil //nolint:nilerr // no address is known: nothing to compare
	}
	bans, err := tx.BansOfNetworks(models.NetworksOf(ip))
	if err != nil {
		return fmt.Errorf("look for bans of the address: %w", err)
	}
	for _, ban := range bans {
		if ban.InForce(tx.Now().Time) {
			return errBanned("your address", ban)
		}
	}
	return nil
}

// errBanned says what is banned, until when and why.
func errBanned(what string, b models.Ban) error {
	return &models.Error{Code: models.CodeBanned, Detail: what + " is banned" + untilWhen(b.Until, b.Reason)}
}

// untilWhen is the end of a sentence that says what somebody may not do.
func untilWhen(until models.Time, reason string) string {
	text := ""
	if !until.IsZero() {
		text = " until " + until.String()
	}
	if reason != "" {
		text += ": " + reason
	}
	return text
}

// BanUser keeps an account off the server: its sessions end, it cannot log in, and an agent serves nobody any more. A ban that is in
// force takes the new end and reason. conflict for an admin.
func (s *Service) BanUser(ctx context.Context, a Actor, ref string, n NewBan) (models.Ban, error) {
	if err := n.check(models.At(s.now())); err != nil {
		return models.Ban{}, err
	}
	return do(ctx, s, func(tx Tx) (models.Ban, error) {
		act, err := upon(tx, a, ref)
		if err != nil {
			return models.Ban{}, err
		}
		if act.user.Role == models.RoleAdmin {
			return models.Ban{}, models.Refuse(models.CodeConflict,
				"%s is an admin, whom nobody bans: take the role first", act.user.Name)
		}
		ban, err := putBan(tx, a, act.by, models.Ban{UserID: act.user.ID, UserName: act.user.Name}, n)
		if err != nil {
			return ban, err
		}
		if n.Addresses { // before the sessions end, which know them
			if err := banAddressesOf(tx, a, act, n); err != nil {
				return ban, err
			}
		}
		if act.user.Role.Staff() {
			if err := s.resign(tx, act.user.ID); err != nil {
				return ban, err
			}
		}
		return ban, endSessions(tx, act.user.ID, 0, ending{"banned", n.Reason})
	})
}

// wholeSite is the part of an IPv6 address that one site has: a single address is changed at will.
const wholeSite = 64

// banAddressesOf bans where the user's sessions were opened from, but not the caller's own network.
func banAddressesOf(tx Tx, a Actor, act administration, n NewBan) error {
	sessions, err := tx.SessionsOf(act.user.ID)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	seen := map[netip.Prefix]bool{}
	for _, session := range sessions {
		ip, err := models.ParseIP(session.Address)
		if err != nil {
			continue
		}
		network := netip.PrefixFrom(ip, min(ip.BitLen(), wholeSiteOf(ip))).Masked()
		if seen[network] || holds(network, a.Address) {
			continue
		}
		seen[network] = true
		if _, err := banNetwork(tx, a, act.by, network, n); err != nil {
			return err
		}
	}
	return nil
}

func wholeSiteOf(ip netip.Addr) int {
	if ip.Is6() {
		return wholeSite
	}
	return ip.BitLen()
}

// holds says whether the address lies in the network.
func holds(network netip.Prefix, address string) bool {
	ip, err := models.ParseIP(address)
	return err == nil && network.Contains(ip)
}

// BanAddress keeps everybody but admins off the server who comes from an IP address or a network: nobody
// there gets a session, each call from there is refused, and the sessions opened from there end. made
// is false where such a ban was in force: it takes the new end and reason. conflict for
// a network that the caller is in.
func (s *Service) BanAddress(ctx context.Context, a Actor, address string, n NewBan) (ban models.Ban, made bool, err error) {
	network, err := models.ParseNetwork(address)
	if err != nil {
		return ban, false, err
	}
	if err := n.check(models.At(s.now())); err != nil {
		return ban, false, err
	}
	type banned struct {
		ban  models.Ban
		made bool
	}
	out, err := do(ctx, s, func(tx Tx) (out banned, err error) {
		by, err := administer(tx, a)
		if err != nil {
			return out, err
		}
		if holds(network, a.Address) {
			return out, models.Refuse(models.CodeConflict, "you come from %s yourself", models.NetworkName(network))
		}
		next := tx.NextID()
		out.ban, err = banNetwork(tx, a, by, network, n)
		out.made = out.ban.ID >= next
		return out, err
	})
	return out.ban, out.made, err
}

// banNetwork bans the network and ends the sessions that were opened from there, but for admins'.
func banNetwork(tx Tx, a Actor, by models.User, network netip.Prefix, n NewBan) (models.Ban, error) {
	ban, err := putBan(tx, a, by, models.Ban{Network: models.NetworkName(network)}, n)
	if err != nil {
		return ban, err
	}
	addresses, err := tx.SessionAddresses()
	if err != nil {
		return ban, fmt.Errorf("list the sessions' addresses: %w", err)
	}
	for _, address := range addresses {
		if !holds(network, address) {
			continue
		}
		if err := endSessionsFrom(tx, address, ending{"banned", n.Reason}); err != nil {
			return ban, err
		}
	}
	return ban, nil
}

func endSessionsFrom(tx Tx, address string, e ending) error {
	sessions, err := tx.SessionsFrom(address)
	if err != nil {
		return fmt.Errorf("list sessions of an address: %w", err)
	}
	for _, session := range sessions {
		user, err := tx.User(session.UserID)
		if err != nil {
			return fmt.Errorf("read the session's user: %w", err)
		}
		if user.Role == models.RoleAdmin {
			continue
		}
		if err := endSession(tx, session, e); err != nil {
			return err
		}
	}
	return nil
}

// putBan writes a ban, or the new end and reason of one that is in force. target has what is banned.
func putBan(tx Tx, a Actor, by models.User, target models.Ban, n NewBan) (models.Ban, error) {
	if err := tx.DeletePastBans(tx.Now()); err != nil {
		return target, fmt.Errorf("delete bans that are over: %w", err)
	}
	ban, err := standing(tx, target)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return ban, fmt.Errorf("read ban: %w", err)
	}
	if !known {
		ban = target
		ban.ID, ban.CreatedAt = tx.NextID(), tx.Now()
	}
	ban.Until, ban.Reason, ban.ByID, ban.ByName = n.Until, n.Reason, by.ID, by.Name
	if err := appendBan(tx, ban, false); err != nil {
		return ban, err
	}
	write := tx.InsertBan
	if known {
		write = tx.UpdateBan
	}
	if err := write(ban); err != nil {
		return ban, fmt.Errorf("write ban: %w", err)
	}
	if err := markBanned(tx, ban, orForever(ban.Until)); err != nil {
		return ban, err
	}
	entry := auditBan(ban, models.AuditUserBan, models.AuditAddressBan)
	entry.Detail = details("reason", ban.Reason)
	if !ban.Until.IsZero() {
		entry.Detail["until"] = ban.Until.String()
	}
	return ban, record(tx, a, by, entry)
}

// markBanned notes an account's ban beside the account.
func markBanned(tx Tx, b models.Ban, until models.Time) error {
	if b.UserID == 0 {
		return nil
	}
	if err := tx.SetBannedUntil(b.UserID, until); err != nil && !errors.Is(err, ErrNotFound) { // it may be deleted
		return fmt.Errorf("mark the account: %w", err)
	}
	return nil
}

func orForever(until models.Time) models.Time {
	if until.IsZero() {
		return models.Forever()
	}
	return until
}

// standing finds the ban of the same account or network.
func standing(r Reader, target models.Ban) (models.Ban, error) {
	if target.UserID != 0 {
		return r.BanOfUser(target.UserID)
	}
	bans, err := r.BansOfNetworks([]string{target.Network})
	if err == nil && len(bans) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return models.Ban{}, err
	}
	return bans[0], nil
}

// appendBan notes in the log that a ban was made, changed or lifted, by which every process keeps
// its banned addresses true.
func appendBan(tx Tx, b models.Ban, lifted bool) error {
	data := models.BanData{ID: b.ID, UserID: b.UserID, Network: b.Network, Reason: b.Reason}
	if !b.Until.IsZero() {
		data.Until = &b.Until
	}
	e := models.Event{Type: models.UserBanned}
	switch {
	case b.Network != "" && lifted:
		e = models.Event{Type: models.AddressUnbanned, Change: models.Change{Kind: models.BanLifted}}
	case b.Network != "":
		e = models.Event{Type: models.AddressBanned, Change: models.Change{Kind: models.BanSet}}
	case lifted:
		e.Type = models.UserUnbanned
	}
	if _, err := tx.Append(e, data); err != nil {
		return fmt.Errorf("append %s: %w", e.Type, err)
	}
	return nil
}

// auditBan is the entry about an act on a ban.
func auditBan(b models.Ban, ofUser, ofAddress models.AuditAction) models.AuditEntry {
	e := models.AuditEntry{Action: ofUser, UserID: b.UserID, UserName: b.UserName, Network: b.Network}
	if b.Network != "" {
		e.Action = ofAddress
	}
	return e
}

// UnbanUser lifts the account's ban; where there is none nothing changes.
func (s *Service) UnbanUser(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		act, err := upon(tx, a, ref)
		if err != nil {
			return err
		}
		ban, banned, err := banOfUser(tx, act.user.ID)
		if err != nil || !banned {
			return err
		}
		return lift(tx, a, act.by, ban)
	})
}

// LiftBan lifts a ban of either sort by its id; not_found where none in force has it.
func (s *Service) LiftBan(ctx context.Context, a Actor, id int64) error {
	return s.store.Do(ctx, func(tx Tx) error {
		by, err := administer(tx, a)
		if err != nil {
			return err
		}
		ban, err := tx.Ban(id)
		if err == nil && !ban.InForce(tx.Now().Time) {
			err = ErrNotFound
		}
		if err != nil {
			return found(err, "ban")
		}
		return lift(tx, a, by, ban)
	})
}

func lift(tx Tx, a Actor, by models.User, ban models.Ban) error {
	if err := appendBan(tx, ban, true); err != nil {
		return err
	}
	if err := tx.DeleteBan(ban.ID); err != nil {
		return fmt.Errorf("delete ban: %w", err)
	}
	if err := markBanned(tx, ban, models.Time{}); err != nil {
		return err
	}
	return record(tx, a, by, auditBan(ban, models.AuditUserUnban, models.AuditAddressUnban))
}

// Bans gives the bans in force, newest first, with an id less than before, 0 for the first page. next
// is the id to go on from, 0 at the end.
func (s *Service) Bans(ctx context.Context, a Actor, before int64, limit int) (bans []models.Ban, next int64, err error) {
	if before == 0 {
		before = models.MaxID
	}
	bans, err = view(ctx, s, func(r Reader) ([]models.Ban, error) {
		if _, err := administer(r, a); err != nil {
			return nil, err
		}
		return r.Bans(models.At(s.now()), before, limit+1)
	})
	if len(bans) > limit {
		bans = bans[:limit]
		next = bans[limit-1].ID
	}
	return bans, next, err
}
