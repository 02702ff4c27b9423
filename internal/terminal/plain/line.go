// Package plain makes text of others harmless on a terminal and in a line.
package plain

import (
	"strings"
	"unicode"
)

// Line is text on one line: what would break the line, move the cursor or turn the writing around is a space. What
// scripts and emoji are joined by stays.
func Line(s string) string {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && !unicode.Is(unicode.Zl, r) && !unicode.Is(unicode.Zp, r) || r == nonJoiner || r == joiner {
			return r
		}
		return ' '
	}, s)
}
