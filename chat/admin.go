package chat

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"parley/models"
)

// maxReason is the longest reason of a kick or a ban, in characters.
const maxReason = 200

// administer reads who acts anew and refuses all but admins and the operator.
func administer(r Reader, a Actor) (models.User, error) {
	if a.Operator != "" {
		return models.User{Name: a.Operator}, nil
	}
	user, err := acting(r, a)
	if err == nil && user.Role != models.RoleAdmin {
		err = models.Refuse(models.CodeForbidden, "only admins may do that")
	}
	return user, err
}

// administration is one act of an admin: who acts, and upon whom.
type administration struct {
	by   models.User
	user models.User
}

// upon begins an act upon the user of a UserRef. Nobody who may not administer learns whether
// there is such a user.
func upon(tx Tx, a Actor, ref string) (administration, error) {
	by, err := administer(tx, a)
	if err != nil {
		return administration{}, err
	}
	user, err := lookupUser(tx, ref)
	return administration{by: by, user: user}, err
}

// cleanReason gives a reason as it is kept and shown.
func cleanReason(reason string) (string, error) {
	if n := utf8.RuneCountInString(reason); n > maxReason {
		return "", models.Invalid("reason", "has %d characters, at most %d are allowed", n, maxReason)
	}
	return cleanText(reason), models.CheckText("reason", reason, 4*maxReason)
}

// assignable are the roles that an account with a password may have.
var assignable = []models.Role{models.RoleMember, models.RoleAgent, models.RoleAdmin}

// SetUserRole gives an account another role, of member, agent and admin. Everyone gets
// user.updated, and the open streams of the account follow it from that event on. conflict for
// who came without a password, for the last admin, and for a banned account that would be one.
func (s *Service) SetUserRole(ctx context.Context, a Actor, ref string, role models.Role) (Profile, error) {
	if !slices.Contains(assignable, role) {
		return Profile{}, models.Invalid("role", "must be member, agent or admin")
	}
	user, err := do(ctx, s, func(tx Tx) (models.User, error) {
		act, err := upon(tx, a, ref)
		if err != nil {
			return act.user, err
		}
		if !slices.Contains(assignable, act.user.Role) {
			return act.user, models.Refuse(models.CodeConflict, "%s is a %s and stays one", act.user.Name, act.user.Role)
		}
		if act.user.Role == role {
			return act.user, nil
		}
		if err := mayChangeRole(tx, act.user, role); err != nil {
			return act.user, err
		}
		return s.setUserRole(tx, a, act, role)
	})
	return s.profile(user), err
}

// mayChangeRole keeps the server an admin, and an admin free of bans.
func mayChangeRole(tx Tx, user models.User, role models.Role) error {
	if user.Role == models.RoleAdmin {
		other, err := tx.OtherAdmin(user.ID)
		if err != nil {
			return fmt.Errorf("look for another admin: %w", err)
		}
		if !other {
			return models.Refuse(models.CodeConflict, "%s is the last admin: make somebody else one first", user.Name)
		}
	}
	if role == models.RoleAdmin {
		switch _, banned, err := banOfUser(tx, user.ID); {
		case err != nil:
			return err
		case banned:
			return models.Refuse(models.CodeConflict, "%s is banned: lift the ban first", user.Name)
		}
	}
	return nil
}

func (s *Service) setUserRole(tx Tx, a Actor, act administration, role models.Role) (models.User, error) {
	user, old := act.user, act.user.Role
	user.Role = role
	if err := s.changeSides(tx, user.ID, old.Staff(), role.Staff(), act.by.ID); err != nil {
		return user, err
	}
	if err := writeProfile(tx, user); err != nil {
		return user, err
	}
	return user, record(tx, a, act.by, models.AuditEntry{
		Action: models.AuditUserRole, UserID: user.ID, UserName: user.Name,
		Detail: map[string]string{"from": string(old), "to": string(role)},
	})
}

// Kick ends all sessions of a user with the reason as detail. Who has a password may come right
// back. conflict for oneself: that is a logout.
func (s *Service) Kick(ctx context.Context, a Actor, ref, reason string) error {
	reason, err := cleanReason(reason)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx Tx) error {
		act, err := upon(tx, a, ref)
		if err != nil {
			return err
		}
		if act.user.ID == act.by.ID {
			return models.Refuse(models.CodeConflict, "that is you: log out instead")
		}
		if err := endSessions(tx, act.user.ID, 0, ending{"kicked", reason}); err != nil {
			return err
		}
		return record(tx, a, act.by, models.AuditEntry{
			Action: models.AuditUserKick, UserID: act.user.ID, UserName: act.user.Name, Detail: details("reason", reason),
		})
	})
}

// ResetPassword gives an account a new password and ends all its sessions. For the operator only:
// an admin who could would be anybody, unseen. conflict for who came without a password.
func (s *Service) ResetPassword(ctx context.Context, a Actor, ref, password string) error {
	if a.Operator == "" {
		return models.Refuse(models.CodeForbidden, "passwords of others are set on the server's machine only")
	}
	if err := checkPassword("password", password); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.store.Do(ctx, func(tx Tx) error {
		act, err := upon(tx, a, ref)
		if err != nil {
			return err
		}
		if !slices.Contains(assignable, act.user.Role) {
			return models.Refuse(models.CodeConflict, "%s is a %s, which has no password", act.user.Name, act.user.Role)
		}
		if err := tx.SetPassword(act.user.ID, hash); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		if err := endSessions(tx, act.user.ID, 0, ending{"password", "an operator set a new password"}); err != nil {
			return err
		}
		return record(tx, a, act.by, models.AuditEntry{
			Action: models.AuditUserPassword, UserID: act.user.ID, UserName: act.user.Name,
		})
	})
}

// Account is a user as those see one who administer: with the ban that is in force, if any.
type Account struct {
	Profile
	Ban *models.Ban
}

// Accounts gives the users whose name begins with prefix, by name, beyond the key after. next is the
// key to go on from, "" at the end.
func (s *Service) Accounts(ctx context.Context, a Actor, prefix, after string, limit int) (list []Account, next string, err error) {
	type page struct {
		users []models.User
		bans  []models.Ban
	}
	found, err := view(ctx, s, func(r Reader) (p page, err error) {
		if _, err := administer(r, a); err != nil {
			return p, err
		}
		if p.users, err = r.UsersByPrefix(models.NameKey(prefix), after, limit+1); err != nil {
			return p, fmt.Errorf("list users: %w", err)
		}
		ids := make([]int64, len(p.users))
		for i, u := range p.users {
			ids[i] = u.ID
		}
		if p.bans, err = r.BansOfUsers(ids); err != nil {
			return p, fmt.Errorf("read bans: %w", err)
		}
		return p, nil
	})
	if len(found.users) > limit {
		found.users = found.users[:limit]
		next = found.users[limit-1].Key
	}
	bans := map[int64]*models.Ban{}
	for i, b := range found.bans {
		if b.InForce(s.now()) {
			bans[b.UserID] = &found.bans[i]
		}
	}
	for _, u := range found.users {
		list = append(list, Account{Profile: s.profile(u), Ban: bans[u.ID]})
	}
	return list, next, err
}
