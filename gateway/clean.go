package gateway

import (
	"strings"
	"unicode"
)

// clean makes control characters and separators of lines into spaces, so that nobody can forge a line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
