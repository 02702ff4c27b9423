package models

import "strconv"

// MaxID is the largest id: every id is exact in a JavaScript number.
const MaxID = 1<<53 - 1

// Role is what an account is on the whole server.
type Role string

// The server's roles.
const (
	RoleAdmin   Role = "admin"
	RoleAgent   Role = "agent"
	RoleMember  Role = "member"
	RoleBot     Role = "bot"
	RoleGuest   Role = "guest"
	RoleVisitor Role = "visitor"
)

// Staff says whether the role serves in support.
func (r Role) Staff() bool { return r == RoleAgent || r == RoleAdmin }

// User is an account. Its ID is the id of the log entry that registered it, so the
// user's part of the log, and of the lobby, begins right after it.
type User struct {
	ID          int64
	Name        string // as shown
	Key         string // NameKey(Name), unique
	DisplayName string
	Role        Role
	StatusText  string
	CreatedAt   Time
	LastSeenAt  Time
	BannedUntil Time // Forever: until the ban is lifted. Not after now: not banned
}

// DeletedName is what a deleted account is shown as. No name can hold its `#`, so that nobody can be
// called that and no reference finds it.
func DeletedName(id int64) string { return "deleted#" + strconv.FormatInt(id, 10) }

// EventUser is a user inside a durable event and in member lists: only what does
// not change by itself.
type EventUser struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Role        Role   `json:"role"`
}

// ForEvent cuts the user to what a durable event carries.
func (u User) ForEvent() EventUser {
	return EventUser{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Role: u.Role}
}

// Block is somebody whom a user blocks, since CreatedAt.
type Block struct {
	User      User
	CreatedAt Time
}

// Session is a login of one user on one device. Only the SHA-256 of its token is
// ever stored.
type Session struct {
	ID         int64
	UserID     int64
	TokenHash  []byte
	CreatedAt  Time
	LastUsedAt Time
	ExpiresAt  Time
	Agent      string // User-Agent at login, cut to 200 bytes
	Address    string // IP address at login
}

// Ticket lets a stream that can send neither header nor cookie act for a session.
type Ticket struct {
	Hash      []byte
	SessionID int64
	UserID    int64
	CreatedAt Time
	UsedAt    Time // when its newest stream opened; zero: never used
	ClosedAt  Time // zero: not used yet, or a stream is open
}
