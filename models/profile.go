package models

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxDisplayName is the longest display name in characters, counted in its stored form.
	MaxDisplayName = 64
	// MaxStatusText is the longest status text in characters, counted in its stored form.
	MaxStatusText = 200
)

// DisplayName gives the stored form of a display name, "" where there is nothing but spaces in it, or a
// validation_failed error about the field `display_name`.
func DisplayName(s string) (string, error) { return OneLine("display_name", s, MaxDisplayName) }

// StatusText is DisplayName for the field `status_text`.
func StatusText(s string) (string, error) { return OneLine("status_text", s, MaxStatusText) }

// OneLine composes text that is shown on one line beside that of others, and makes each run of spaces, of
// whatever sort, one. It refuses what would not stay within its line or could not be seen at all.
func OneLine(field, s string, most int) (string, error) {
	const charBytes = 16 // of one character as it comes in, at most: bounds the work
	if err := CheckText(field, s, most*charBytes); err != nil {
		return "", err
	}
	for _, r := range s {
		if unicode.IsControl(r) || isLineBreak(r) || turnsText(r) {
			return "", Invalid(field, "must not contain the character %U", r)
		}
	}
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if n := utf8.RuneCountInString(s); n > most {
		return "", Invalid(field, "has %d characters, at most %d are allowed", n, most)
	}
	if s != "" && onlyRunes(s, invisible) {
		return "", Invalid(field, "must have a character that can be seen")
	}
	return s, nil
}

// isLineBreak says whether r ends a line; the control characters that do are refused as such.
func isLineBreak(r rune) bool { return r == '\u2028' || r == '\u2029' }

// turnsText says whether r changes the direction of what follows, beyond the end of its own text. The marks
// that only have a direction themselves are no such: right-to-left names need them.
func turnsText(r rune) bool {
	return '\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
}

// invisible says whether r leaves no mark when it stands alone.
func invisible(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '\u2800' || unicode.Is(unicode.M, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
