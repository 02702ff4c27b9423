package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"parley/models"
)

// Profile is a user as answers show one: the account and what is true just now.
type Profile struct {
	models.User
	Status models.Status
}

// profile adds what memory knows: LastSeenAt is the last use, or when the last stream or poll ended, whichever
// is later.
func (s *Service) profile(u models.User) Profile {
	here := s.presence.Of(u.ID)
	p := Profile{User: u, Status: here.Status}
	last := s.sessions.lastUse(u.ID)
	if here.Status == models.Offline {
		last = latest(last, here.LastActive)
	}
	if last := models.At(last); last.After(p.LastSeenAt.Time) {
		p.LastSeenAt = last
	}
	return p
}

// Profile gives an account that was just made or logged in.
func (s *Service) Profile(a Actor) Profile { return s.profile(a.User) }

// Me gives the actor's own account.
func (s *Service) Me(ctx context.Context, a Actor) (Profile, error) {
	user, err := view(ctx, s, func(r Reader) (models.User, error) { return acting(r, a) })
	return s.profile(user), err
}

// User gives one user by id or `@name`.
func (s *Service) User(ctx context.Context, a Actor, ref string) (Profile, error) {
	if err := notVisitor(a.User); err != nil {
		return Profile{}, err
	}
	user, err := view(ctx, s, func(r Reader) (models.User, error) {
		user, err := lookupUser(r, ref)
		if err == nil && user.Role == models.RoleVisitor && !a.User.Role.Staff() {
			err = models.NotFound("user")
		}
		return user, err
	})
	if err != nil {
		return Profile{}, err
	}
	return s.profile(user), nil
}

// lookupUser finds the user of a UserRef.
func lookupUser(r Reader, ref string) (user models.User, err error) {
	parsed, err := models.ParseUserRef(ref)
	if err != nil {
		return user, err
	}
	if parsed.ID != 0 {
		user, err = r.User(parsed.ID)
	} else {
		user, err = r.UserByKey(parsed.Key)
	}
	return user, found(err, "user")
}

// Users gives the users whose name begins with prefix, by name, beyond the key after. next is the
// key to go on from, "" at the end.
func (s *Service) Users(ctx context.Context, a Actor, prefix, after string, limit int) (users []Profile, next string, err error) {
	if err := notVisitor(a.User); err != nil {
		return nil, "", err
	}
	list, err := view(ctx, s, func(r Reader) ([]models.User, error) {
		return r.UsersByPrefix(models.NameKey(prefix), after, limit+1)
	})
	if err != nil {
		return nil, "", fmt.Errorf("search users: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Key
	}
	for _, u := range list {
		users = append(users, s.profile(u))
	}
	return users, next, nil
}

// Present is one user in the answer of who.
type Present struct {
	models.User
	Status       models.Status
	OnlineSince  models.Time
	LastActiveAt models.Time
}

// Presents is who is online: one page, how many in all, and the log position it was
// read at.
type Presents struct {
	Users  []Present
	Total  int
	Cursor int64
	Next   int64 // user id to go on from, 0 at the end
}

// Here says whether the user is online.
func (s *Service) Here(userID int64) bool { return s.presence.Of(userID).Status != models.Offline }

// Who gives who is online, by user id beyond after; with a room, only its members.
func (s *Service) Who(ctx context.Context, a Actor, room string, after int64, limit int) (Presents, error) {
	if err := notVisitor(a.User); err != nil {
		return Presents{}, err
	}
	online := s.presence.Online()
	return view(ctx, s, func(r Reader) (out Presents, err error) {
		if out.Cursor, err = r.Head(); err != nil {
			return out, fmt.Errorf("read head: %w", err)
		}
		if room != "" {
			if online, err = s.onlyIn(r, a, room, online); err != nil {
				return out, err
			}
		}
		if !a.User.Role.Staff() {
			online = slices.DeleteFunc(slices.Clone(online), func(o Online) bool { return s.desk.isVisitor(o.UserID) })
		}
		out.Total = len(online)
		page := pageOf(online, after, limit)
		if len(page) == limit && page[limit-1].UserID != online[len(online)-1].UserID {
			out.Next = page[limit-1].UserID
		}
		out.Users, err = s.presents(r, page)
		return out, err
	})
}

// onlyIn keeps the members of a room that the actor may see.
func (s *Service) onlyIn(r Reader, a Actor, ref string, online []Online) ([]Online, error) {
	t, err := s.target(r, a, ref)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(online))
	for i, o := range online {
		ids[i] = o.UserID
	}
	members, err := r.MembersAmong(t.room.ID, ids)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	slices.Sort(members)
	return slices.DeleteFunc(slices.Clone(online), func(o Online) bool {
		_, in := slices.BinarySearch(members, o.UserID)
		return !in
	}), nil
}

// pageOf gives at most limit entries beyond the user id after.
func pageOf(online []Online, after int64, limit int) []Online {
	from, _ := slices.BinarySearchFunc(online, after+1, func(o Online, id int64) int {
		return cmp.Compare(o.UserID, id)
	})
	return online[from:min(from+limit, len(online))]
}

// presents adds the accounts to who is online.
func (s *Service) presents(r Reader, page []Online) ([]Present, error) {
	here := make(map[int64]Online, len(page))
	ids := make([]int64, len(page))
	for i, o := range page {
		ids[i], here[o.UserID] = o.UserID, o
	}
	users, err := r.Users(ids)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	slices.SortFunc(users, func(x, y models.User) int { return cmp.Compare(x.ID, y.ID) })
	out := make([]Present, 0, len(users))
	for _, u := range users {
		o := here[u.ID]
		out = append(out, Present{
			User: u, Status: o.Status, OnlineSince: models.At(o.Since), LastActiveAt: models.At(o.LastActive),
		})
	}
	return out, nil
}
