package models

import "strconv"

// ParseCursor reads a position in the log: a decimal number from 0 to MaxID without sign
// or space. Everything else was never given out as one.
func ParseCursor(s string) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > MaxID {
		return 0, false
	}
	return n, true
}

// ParseID reads the id of a user, room or message: a cursor that is not 0.
func ParseID(s string) (int64, bool) {
	n, ok := ParseCursor(s)
	return n, ok && n > 0
}

// isDigits says whether s is one ASCII digit or more.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
