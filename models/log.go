package models

// Standing is where a user stands in the log, read in one snapshot: the head and
// what of the live log after it is the user's.
type Standing struct {
	UserID   int64
	Head     int64   // the newest id
	Oldest   int64   // the oldest id that is kept; Head+1 where nothing is
	Everyone bool    // has the events to everyone (is no visitor)
	Agent    bool    // has the events to the agents
	Rooms    []int64 // rooms with an open spell at Head, the lobby included
	Since    int64   // the newest entry that changed any of these three: behind it they were what they are
	Holes    []Hole  // those that Oldest does not lie behind, in order
}

// Hole is what a restore leaves in the ids, so that a position in the future that it undid is not
// taken for one in the log as it is now.
type Hole struct {
	After  int64 // the last entry before it
	Before int64 // the first entry behind it
}

// Expired says that a reader at cursor has missed events that are kept no more, or
// that the cursor was never given out in this life of the log. 0 asks for all that is kept and
// never is.
func (s Standing) Expired(cursor int64) bool {
	if cursor == 0 {
		return false
	}
	next := cursor + 1 // the first entry that this reader has not seen
	for _, h := range s.Holes {
		switch {
		case h.After < cursor && cursor < h.Before:
			return true
		case cursor == h.After:
			next = h.Before
		}
	}
	return cursor > s.Head || next < s.Oldest
}

// LogPage is what of the log after a cursor a user is entitled to, in id order. To is how
// far was examined: the last event's id where the page is full, else Standing.Head.
type LogPage struct {
	Standing
	Events []Event
	To     int64
}
