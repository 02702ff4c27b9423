package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/models"
)

// fewNames is how many names a command looks up for one text.
const fewNames = 32

// placesIn finds where a text may mention somebody, before the command that decides whom. Where there are more names to
// look up than a command should, those that nobody has are left out here: a text can be made to have very many, and
// all others would wait for it. Who takes one of them at this very moment is not meant.
func (s *Service) placesIn(ctx context.Context, text string) ([]models.Mention, error) {
	places := models.MentionsIn(text)
	keys := keysOf(places)
	if len(keys) <= fewNames {
		return places, nil
	}
	return view(ctx, s, func(r Reader) ([]models.Mention, error) {
		called, err := r.UsersByKeys(keys)
		if err != nil {
			return nil, fmt.Errorf("look for who may be mentioned: %w", err)
		}
		for i := range places {
			places[i] = slices.DeleteFunc(places[i], func(key string) bool {
				return called[key] == 0 && key != models.EverybodyKey
			})
		}
		return places, nil
	})
}

// keysOf gives all keys of the places, each once.
func keysOf(places []models.Mention) []string {
	keys := slices.Concat(places...)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// mentionsIn decides at each place of a text who is meant: the member of the room with the longest name. The ids are
// ascending; everybody is meant by `@room`, where the author may.
func mentionsIn(r Reader, t target, places []models.Mention) (userIDs []int64, everybody bool, err error) {
	if len(places) == 0 {
		return nil, false, nil
	}
	members, err := membersCalled(r, t.room, places)
	if err != nil {
		return nil, false, err
	}
	mayAll := allow(MentionRoom, t.room, t.rank) == nil
	for _, keys := range places {
		for _, key := range keys {
			if id := members[key]; id != 0 {
				userIDs = append(userIDs, id)
				break
			}
			if key == models.EverybodyKey && mayAll {
				everybody = true
				break
			}
		}
	}
	slices.Sort(userIDs)
	return slices.Compact(userIDs), everybody, nil
}

// membersCalled gives the room's members by those of the keys that are theirs.
func membersCalled(r Reader, room models.Room, places []models.Mention) (map[string]int64, error) {
	if room.Kind == models.KindDirect {
		return theTwo(r, room)
	}
	called, err := r.UsersByKeys(keysOf(places))
	if err != nil {
		return nil, fmt.Errorf("look for who is mentioned: %w", err)
	}
	ids := make([]int64, 0, len(called))
	for _, id := range called {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	present, err := presentAmong(r, room, ids)
	if err != nil {
		return nil, fmt.Errorf("look for members who are mentioned: %w", err)
	}
	for key, id := range called {
		if !slices.Contains(present, id) {
			delete(called, key)
		}
	}
	return called, nil
}

// presentAmong gives those of the users who are in the room. In one for notes all agents are.
func presentAmong(r Reader, room models.Room, userIDs []int64) ([]int64, error) {
	if room.NotesOf == 0 {
		return r.MembersAmong(room.ID, userIDs)
	}
	users, err := r.Users(userIDs)
	users = slices.DeleteFunc(users, func(u models.User) bool { return !u.Role.Staff() })
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids, err
}

// theTwo gives those of a direct conversation by their keys.
func theTwo(r Reader, room models.Room) (map[string]int64, error) {
	two := map[string]int64{}
	for _, id := range []int64{room.DirectA, room.DirectB} {
		u, err := r.User(id)
		if errors.Is(err, ErrNotFound) {
			continue // deleted
		}
		if err != nil {
			return nil, fmt.Errorf("read who is mentioned: %w", err)
		}
		two[u.Key] = id
	}
	return two, nil
}
