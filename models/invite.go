package models

import "time"

// Invite is an invitation to a private channel. Whoever holds its code may come in; the code itself is nowhere
// but with them.
type Invite struct {
	ID        int64
	RoomID    int64
	CodeHash  []byte
	ByID      int64
	ByName    string // the present name, filled by readers
	CreatedAt Time
	ExpiresAt Time // zero: never
	MaxUses   int  // 0: any number
	Uses      int
}

// Live says whether the invitation still lets somebody in. At its end it is over.
func (i Invite) Live(now time.Time) bool {
	return (i.MaxUses == 0 || i.Uses < i.MaxUses) && (i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt.Time))
}
