package control

import "parley/models"

// The calls, each a POST with one of the requests below as JSON.
const (
	pathList     = "/user/list"
	pathRole     = "/user/role"
	pathPassword = "/user/password"
	pathKick     = "/user/kick"
	pathBan      = "/user/ban"
	pathUnban    = "/user/unban"
)

// operatorHeader has the name of who runs the command, for the audit log.
const operatorHeader = "Parley-Operator"

// ListRequest asks for the users whose name begins with Query, by name, beyond After.
type ListRequest struct {
	Query string `json:"query"`
	After string `json:"after"`
	Limit int    `json:"limit"`
}

// ListAnswer is a page of users. Next is the After of the next page, empty at the end.
type ListAnswer struct {
	Users []User `json:"users"`
	Next  string `json:"next"`
}

// User is an account as operators see one.
type User struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	DisplayName string      `json:"display_name"`
	Role        models.Role `json:"role"`
	CreatedAt   models.Time `json:"created_at"`
	LastSeenAt  models.Time `json:"last_seen_at"`
	Ban         *Ban        `json:"ban,omitempty"`
}

// Ban is why and until when a user is banned.
type Ban struct {
	Until  *models.Time `json:"until,omitempty"` // absent: until lifted
	Reason string       `json:"reason,omitempty"`
}

// RoleRequest gives a user a role.
type RoleRequest struct {
	Name string      `json:"name"`
	Role models.Role `json:"role"`
}

// PasswordRequest gives a user a password.
type PasswordRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// KickRequest ends a user's sessions.
type KickRequest struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// BanRequest bans a user.
type BanRequest struct {
	Name      string       `json:"name"`
	Until     *models.Time `json:"until,omitempty"`
	Reason    string       `json:"reason"`
	Addresses bool         `json:"addresses"`
}

// UnbanRequest lifts a user's ban.
type UnbanRequest struct {
	Name string `json:"name"`
}

// done is the answer where there is nothing to say.
type done struct{}

// refusal is the answer to what was not done.
type refusal struct {
	Code   models.Code `json:"code"`
	Detail string      `json:"detail"`
}
