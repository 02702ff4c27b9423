package models

import "strings"

// RoomRef is a reference to a room as people write it: exactly one of its fields is set.
type RoomRef struct {
	ID      int64  // a room's id
	Key     string // a channel's NameKey
	UserKey string // the direct conversation with the user of that NameKey
	UserID  int64  // the direct conversation with the user of that id; nobody writes it so
}

// UserRef is a reference to a user: exactly one of its fields is set.
type UserRef struct {
	ID  int64
	Key string // the NameKey
}

// ParseRoomRef reads a room's id, a channel's name or `@name`, as paths and filters have
// them. What could be no room's is not_found.
func ParseRoomRef(s string) (RoomRef, error) {
	if name, ok := strings.CutPrefix(s, "@"); ok {
		key, err := refKey(name, UserName, "room")
		return RoomRef{UserKey: key}, err
	}
	if isDigits(s) {
		id, err := refID(s, "room")
		return RoomRef{ID: id}, err
	}
	key, err := refKey(s, ChannelName, "room")
	return RoomRef{Key: key}, err
}

// ParseTo reads the `to` of a message: a RoomRef where a channel's name may follow a `#`,
// or nothing for the lobby.
func ParseTo(s string) (RoomRef, error) {
	if s == "" {
		return RoomRef{ID: LobbyID}, nil
	}
	if name, ok := strings.CutPrefix(s, "#"); ok {
		key, err := refKey(name, ChannelName, "room")
		return RoomRef{Key: key}, err
	}
	return ParseRoomRef(s)
}

// ParseUserRef reads a user's id or `@name`. What could be no user's is not_found.
func ParseUserRef(s string) (UserRef, error) {
	if name, ok := strings.CutPrefix(s, "@"); ok {
		key, err := refKey(name, UserName, "user")
		return UserRef{Key: key}, err
	}
	id, err := refID(s, "user")
	return UserRef{ID: id}, err
}

// refKey gives the key of a name; a name that nothing can have names nothing.
func refKey(s string, check func(string) (name, key string, err error), what string) (string, error) {
	_, key, err := check(s)
	if err != nil {
		return "", NotFound(what)
	}
	return key, nil
}

func refID(s, what string) (int64, error) {
	id, ok := ParseID(s)
	if !ok {
		return 0, NotFound(what)
	}
	return id, nil
}
