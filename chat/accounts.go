package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"parley/models"
)

// Register makes an account and logs it in. The first one of a server is its admin.
// name_taken where the name is in use, whatever its case.
func (s *Service) Register(ctx context.Context, name, password string, d Device) (Login, error) {
	name, key, err := models.UserName(name)
	if err != nil {
		return Login{}, err
	}
	if err := checkPassword("password", password); err != nil {
		return Login{}, err
	}
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	// The name is looked up before the hash is computed only to save the work: what
	// decides is the look-up inside the command.
	if err := s.store.View(ctx, func(r Reader) error { return nameToBeHad(r, key) }); err != nil {
		return Login{}, err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return Login{}, fmt.Errorf("hash password: %w", err)
	}
	return s.logIn(ctx, func(tx Tx) (Login, error) {
		if err := takeName(tx, key, 0); err != nil {
			return Login{}, err
		}
		role, err := firstRole(tx)
		if err != nil {
			return Login{}, err
		}
		user := models.User{Name: name, Key: key, DisplayName: name, Role: role}
		return s.enroll(tx, user, hash, d)
	})
}

// firstRole is admin for the first account with a password, else member.
func firstRole(r Reader) (models.Role, error) {
	exist, err := r.HasAccounts()
	if err != nil {
		return "", fmt.Errorf("look for accounts: %w", err)
	}
	if exist {
		return models.RoleMember, nil
	}
	return models.RoleAdmin, nil
}

// Guest makes an account without password and logs it in. Without a name it gets one.
func (s *Service) Guest(ctx context.Context, name string, d Device) (Login, error) {
	return s.guest(ctx, name, "guest-", d, nil)
}

// guest makes an account of the name; without one it is called by the prefix and its id. made, which may be nil, is done with it.
func (s *Service) guest(ctx context.Context, name, prefix string, d Device, made func(tx Tx, id int64) error) (Login, error) {
	if !s.guests {
		return Login{}, errNoGuests()
	}
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	var key string
	var err error
	if name != "" {
		if name, key, err = models.UserName(name); err != nil {
			return Login{}, err
		}
	}
	return s.logIn(ctx, func(tx Tx) (Login, error) {
		user := models.User{Name: name, Key: key, Role: models.RoleGuest}
		if name == "" {
			user.Name, user.Key, err = freeName(tx, prefix)
		} else {
			err = takeName(tx, key, 0)
		}
		if err != nil {
			return Login{}, err
		}
		user.DisplayName = user.Name
		login, err := s.enroll(tx, user, "", d)
		if err == nil && made != nil {
			err = made(tx, login.Actor.User.ID)
		}
		return login, err
	})
}

func errNoGuests() error {
	return models.Refuse(models.CodeForbidden, "this server takes no guests: register an account")
}

// freeName is the prefix and the account's id, with more after it in the rare case
// that somebody took that name.
func freeName(tx Tx, prefix string) (name, key string, err error) {
	return freeNameOf(tx, prefix+strconv.FormatInt(tx.NextID(), 10))
}

// freeNameOf is base, or what is free of base-1, base-2 and so on.
func freeNameOf(tx Tx, base string) (name, key string, err error) {
	for n, try := 1, base; ; n, try = n+1, base+"-"+strconv.Itoa(n) {
		name, key, err = models.UserName(try)
		if err != nil {
			return "", "", err
		}
		if err = nameFree(tx, key, 0); models.CodeOf(err) != models.CodeNameTaken {
			return name, key, err
		}
	}
}

// enroll writes a new account and its first session.
func (s *Service) enroll(tx Tx, user models.User, hash string, d Device) (Login, error) {
	user, err := addUser(tx, user, hash)
	if err != nil {
		return Login{}, err
	}
	return s.openSession(tx, user, d)
}

// addUser writes a new account.
func addUser(tx Tx, user models.User, hash string) (models.User, error) {
	user.ID = tx.NextID()
	user.CreatedAt = tx.Now()
	user.LastSeenAt = tx.Now()
	_, err := tx.Append(models.Event{Type: models.UserRegistered}, models.RegisteredData{User: user.ForEvent()})
	if err != nil {
		return user, fmt.Errorf("append registration: %w", err)
	}
	if err := tx.InsertUser(user, hash); err != nil {
		return user, fmt.Errorf("insert user: %w", err)
	}
	return user, nil
}

// loginTries is how often a login is tried whose account gets another hash meanwhile.
const loginTries = 3

// Login opens a session. The answer to a wrong password and to an unknown name is the
// same and takes the same work. Only who knows the password is told that the account is banned.
func (s *Service) Login(ctx context.Context, name, password string, d Device) (Login, error) {
	return s.login(ctx, named(name), password, d)
}

// finder finds the account that a login is about, ErrNotFound where there is none.
type finder func(r Reader) (models.User, error)

// named is the account of that name.
func named(name string) finder {
	return func(r Reader) (models.User, error) {
		_, key, err := models.UserName(name)
		if err != nil {
			return models.User{}, ErrNotFound // nobody can be called that: as unknown as any other
		}
		return r.UserByKey(key)
	}
}

func (s *Service) login(ctx context.Context, find finder, password string, d Device) (Login, error) {
	for range loginTries {
		login, err := s.tryLogin(ctx, find, password, d)
		if !errors.Is(err, errStale) {
			return login, err
		}
	}
	return Login{}, errCredentials()
}

// errStale says that the hash that a password was compared with is not the account's any more.
var errStale = errors.New("the password has another hash now")

func (s *Service) tryLogin(ctx context.Context, find finder, password string, d Device) (Login, error) {
	user, hash, err := s.credentials(ctx, find)
	if err != nil {
		return Login{}, err
	}
	if err := s.verify(ctx, hash, password); err != nil {
		return Login{}, err
	}
	renewed := s.renewed(ctx, hash, password)
	return s.logIn(ctx, func(tx Tx) (Login, error) {
		now, err := tx.User(user.ID)
		if errors.Is(err, ErrNotFound) {
			return Login{}, errCredentials()
		}
		if err != nil {
			return Login{}, fmt.Errorf("read user: %w", err)
		}
		// A change of the password must end every session that was opened by the old one.
		if err := stillVerified(tx, user.ID, hash); err != nil {
			return Login{}, err
		}
		if renewed != hash {
			if err := tx.SetPassword(user.ID, renewed); err != nil {
				return Login{}, fmt.Errorf("renew password hash: %w", err)
			}
		}
		return s.openSession(tx, now, d)
	})
}

// renewed gives the hash that the account is to have from now on: another one only where it cost
// another amount of work than hashes do today, by which its logins could be told from all others.
func (s *Service) renewed(ctx context.Context, hash, password string) string {
	if !s.hasher.Outdated(hash) {
		return hash
	}
	fresh, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return hash // the next login does it
	}
	return fresh
}

func errCredentials() error {
	return models.Refuse(models.CodeInvalidCredentials, "name or password is wrong")
}

// credentials gives the account; a zero user where there is none.
func (s *Service) credentials(ctx context.Context, find finder) (user models.User, hash string, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		user, err = find(r)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look up the account: %w", err)
		}
		hash, err = r.PasswordHash(user.ID)
		return err
	})
	return user, hash, err
}

// verify refuses a password that does not belong to the hash, which is "" where there is no account or
// none with a password. Whatever the reason, it computes one hash.
func (s *Service) verify(ctx context.Context, hash, password string) error {
	if hash == "" || len(password) > maxPassword {
		if err := s.hasher.Dummy(ctx, password[:min(len(password), maxPassword)]); err != nil {
			return fmt.Errorf("compare password: %w", err)
		}
		return errCredentials()
	}
	ok, err := s.hasher.Verify(ctx, hash, password)
	if err != nil {
		return fmt.Errorf("compare password: %w", err)
	}
	if !ok {
		return errCredentials()
	}
	return nil
}

// Rename gives the actor another name. The same name again changes nothing.
func (s *Service) Rename(ctx context.Context, a Actor, name string) (Profile, error) {
	name, key, err := models.UserName(name)
	if err != nil {
		return Profile{}, err
	}
	user, err := do(ctx, s, func(tx Tx) (models.User, error) {
		user, err := acting(tx, a)
		if err != nil || user.Name == name {
			return user, err
		}
		if err := takeName(tx, key, user.ID); err != nil {
			return user, err
		}
		return rename(tx, user, name, key)
	})
	return s.profile(user), err
}

// rename writes the new name. A display name that only repeated the old name follows it.
func rename(tx Tx, user models.User, name, key string) (models.User, error) {
	old := user.Name
	if user.DisplayName == old {
		user.DisplayName = name
	}
	user.Name, user.Key = name, key
	_, err := tx.Append(models.Event{
		Type: models.UserRenamed, Audience: audienceOf(user),
		Change: models.Change{Kind: models.UserAltered, UserID: user.ID},
	}, models.RenamedData{User: user.ForEvent(), OldName: old})
	if err != nil {
		return user, fmt.Errorf("append rename: %w", err)
	}
	if err := tx.UpdateUser(user); err != nil {
		return user, fmt.Errorf("update user: %w", err)
	}
	return user, nil
}
