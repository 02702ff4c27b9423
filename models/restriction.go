package models

import "time"

// RestrictionKind says what somebody may not do in a room.
type RestrictionKind string

// The kinds. Who is muted reads, and adds nothing; who is banned is no member and cannot become one.
const (
	MuteKind RestrictionKind = "mute"
	BanKind  RestrictionKind = "ban"
)

// Restriction is a mute or a ban in one room. There is at most one of a kind for each user and room; one that is
// over may still be stored.
type Restriction struct {
	RoomID    int64
	Kind      RestrictionKind
	UserID    int64
	UserName  string // readers of lists fill the present one
	Until     Time   // zero: until lifted
	Reason    string
	CreatedAt Time
	ByID      int64
	ByName    string // as UserName
}

// InForce says whether it holds at the moment. Nothing has to be done for one to end. The zero one never holds.
func (r Restriction) InForce(now time.Time) bool {
	return r.Kind != "" && (r.Until.IsZero() || now.Before(r.Until.Time))
}
