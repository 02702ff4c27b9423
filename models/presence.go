package models

// Status says whether a user is there.
type Status string

// The statuses. Who is away is online too, and has not acted for a while.
const (
	Online  Status = "online"
	Away    Status = "away"
	Offline Status = "offline"
)

// PresenceUser is a user whose presence changed, as presence.changed tells it. The times are
// those of who, and are not given for who went.
type PresenceUser struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Role         Role   `json:"role,omitempty"`
	Status       Status `json:"status"`
	OnlineSince  Time   `json:"online_since,omitzero"`
	LastActiveAt Time   `json:"last_active_at,omitzero"`
}
