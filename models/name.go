package models

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

const (
	// MaxName is the longest name in characters, counted in its stored form.
	MaxName = 32
	// maxRawName bounds the work on a name as it comes in, in bytes: no name that is
	// short enough when it is stored is that long before.
	maxRawName = 1024
	// forbiddenInNames have a meaning in paths, in RoomRefs and in the older protocols.
	forbiddenInNames = `/|#@,?%\`
)

// UserName gives the stored form of a user's name and its key, or a validation_failed error
// about the field `name`. Two names are the same if their keys are.
func UserName(s string) (name, key string, err error) {
	name, key, err = checkName(s)
	if err != nil {
		return "", "", err
	}
	switch key {
	case "room", "all", "web", "system", LobbyName:
		return "", "", Invalid("name", "%q is reserved", name)
	}
	return name, key, nil
}

// ChannelName is UserName for a channel: only digits would be the id of a room.
func ChannelName(s string) (name, key string, err error) {
	name, key, err = checkName(s)
	if err != nil {
		return "", "", err
	}
	if onlyRunes(name, unicode.IsDigit) {
		return "", "", Invalid("name", "must not be digits only")
	}
	return name, key, nil
}

// NameKey is what names are compared and looked up by: full Unicode case folding of the
// composed form. It takes any text, so that the beginning of a name finds keys too. A key's
// own key is itself.
func NameKey(s string) string {
	// Folding looks at decomposed text, as Unicode's canonical caseless match does, and
	// may leave marks out of order: composing afterwards puts them right.
	decomposed := norm.NFD.String(width.Fold.String(s))
	return norm.NFC.String(cases.Fold().String(strings.Map(capitalCherokee, decomposed)))
}

// capitalCherokee maps the small Cherokee letters to the capitals before folding: x/text's
// folding swaps the two, and would so keep `Ꭰ` and `ꭰ` apart.
func capitalCherokee(r rune) rune {
	switch {
	case 'ꭰ' <= r && r <= 'ꮿ':
		return r - 'ꭰ' + 'Ꭰ'
	case 'ᏸ' <= r && r <= 'ᏽ':
		return r - 'ᏸ' + 'Ᏸ'
	}
	return r
}

// checkName applies what names of users and channels have in common.
func checkName(s string) (name, key string, err error) {
	name, err = mapName(s)
	if err != nil {
		return "", "", err
	}
	if i := strings.IndexAny(name, forbiddenInNames); i >= 0 {
		return "", "", Invalid("name", "must not contain %q", name[i:i+1])
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return "", "", Invalid("name", "has %d characters, at most %d are allowed", n, MaxName)
	}
	if onlyRunes(name, func(r rune) bool { return r == '.' }) {
		return "", "", Invalid("name", "must not be dots only")
	}
	if _, err := netip.ParseAddrPort(name); err == nil {
		return "", "", Invalid("name", "must not be an IP address with a port")
	}
	return name, NameKey(name), nil
}

// mapName applies the PRECIS profile UsernameCasePreserved until nothing changes any more:
// its rules are not idempotent for every string, a stored name must be.
func mapName(s string) (string, error) {
	switch {
	case s == "":
		return "", Invalid("name", "must not be empty")
	case len(s) > maxRawName:
		return "", Invalid("name", "has more than %d characters", MaxName)
	case !utf8.ValidString(s):
		return "", Invalid("name", "must be UTF-8")
	}
	const rounds = 4 // the most that RFC 8264, section 7, has one try
	for range rounds {
		mapped, err := casePreserved(s)
		if err != nil {
			return "", err
		}
		if mapped == s {
			return s, nil
		}
		s = mapped
	}
	return "", Invalid("name", "has no stable form")
}

// casePreserved is one round of UsernameCasePreserved as RFC 8265 has it: x/text's own profile
// of that name puts the rule for directions on every string that is not ASCII, and so
// refuses `1小明` and `小明_`.
func casePreserved(s string) (string, error) {
	identifier := precis.NewIdentifier(precis.FoldWidth, precis.Norm(norm.NFC))
	mapped, err := identifier.String(s)
	if err != nil {
		return "", explainName(norm.NFC.String(width.Fold.String(s)))
	}
	if bidirule.DirectionString(mapped) == bidi.RightToLeft && !bidirule.ValidString(mapped) {
		return "", Invalid("name", "mixes writing from right to left with writing from left to right")
	}
	return mapped, nil
}

// explainName says what PRECIS, which only says that there is something, refused.
func explainName(s string) error {
	alone := precis.NewIdentifier()
	for _, r := range s {
		switch _, err := alone.String("a" + string(r)); {
		case unicode.IsSpace(r):
			return Invalid("name", "must not contain spaces")
		case err != nil && unicode.IsPrint(r):
			return Invalid("name", "must not contain %q (%U)", string(r), r)
		case err != nil:
			return Invalid("name", "must not contain the character %U", r)
		}
	}
	return Invalid("name", "has characters in an order that is not allowed")
}

// onlyRunes says whether s consists of nothing but runes of the kind.
func onlyRunes(s string, kind func(rune) bool) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !kind(r) }) < 0
}
