package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// clean makes text of others harmless on a terminal: an escape sequence becomes visible and does nothing. Line breaks stay, tabs
// become spaces, and what would turn the direction of the text around it is dropped.
func clean(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ").Replace(text)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r < 0x20:
			return r + 0x2400 // its picture: ESC is ␛
		case r == 0x7f:
			return 0x2421
		case r == utf8.RuneError || unicode.Is(unicode.Cc, r):
			return utf8.RuneError
		case turns(r):
			return -1
		}
		return r
	}, text)
}

// cleanLine is clean for what must stay on one line, such as a topic.
func cleanLine(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(clean(text), "\n", " ")), " ")
}

// turns tells the characters that change the direction of what follows, and those that no terminal gives a place.
func turns(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c || r == 0xfeff
}

// ruler measures text in columns, the way the terminal does.
type ruler struct{ method ansi.Method }

func (r ruler) width(s string) int { return r.method.StringWidth(s) }

// cut shortens a line to a width, with … where something is missing.
func (r ruler) cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return r.method.Truncate(s, width, "…")
}

// fit makes a line exactly as wide as asked for.
func (r ruler) fit(s string, width int) string {
	s = r.cut(s, width)
	return s + strings.Repeat(" ", max(0, width-r.width(s)))
}

// fitRight is fit with the text on the right.
func (r ruler) fitRight(s string, width int) string {
	s = r.cut(s, width)
	return strings.Repeat(" ", max(0, width-r.width(s))) + s
}

// between puts one text on the left and one on the right; the left one gives way.
func (r ruler) between(left, right string, width int) string {
	right = r.cut(right, width)
	room := width - r.width(right)
	if right != "" && left != "" {
		room--
		right = " " + right
	}
	return r.fit(left, room) + right
}

// centred puts a line in the middle.
func (r ruler) centred(s string, width int) string {
	s = r.cut(s, width)
	return strings.Repeat(" ", max(0, width-r.width(s))/2) + s
}

// glyph is what stands in one place of a line: a letter with its marks, an emoji of several parts.
type glyph struct {
	text  string
	width int
}

// glyphs takes a text apart.
func (r ruler) glyphs(text string) []glyph {
	var all []glyph
	for text != "" {
		first, width := ansi.FirstGraphemeCluster(text, r.method)
		if first == "" {
			first, width = text[:1], 1
		}
		all, text = append(all, glyph{first, width}), text[len(first):]
	}
	return all
}

// wrap breaks a text into lines no wider than asked for: behind spaces, around the characters of scripts that have
// none, and where it must be, inside of a word.
func (r ruler) wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, r.wrapLine(r.glyphs(line), width)...)
	}
	return lines
}

func (r ruler) wrapLine(rest []glyph, width int) []string {
	var lines []string
	for {
		n := breakAt(rest, width)
		lines = append(lines, strings.TrimRight(join(rest[:n]), " "))
		if n == len(rest) {
			return lines
		}
		for rest = rest[n:]; len(rest) > 0 && rest[0].text == " "; {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return lines
		}
	}
}

// breakAt says how many glyphs go into a line.
func breakAt(all []glyph, width int) int {
	used, last := 0, 0 // last is the last place where the line may end
	for i, g := range all {
		if i > 0 && mayBreak(all[i-1], g) {
			last = i
		}
		if used += g.width; used > width && g.text != " " {
			switch {
			case last > 0:
				return last
			default:
				return max(i, 1)
			}
		}
	}
	return len(all)
}

// mayBreak says whether a line may end between two glyphs.
func mayBreak(before, next glyph) bool {
	const neverFirst, neverLast = "，。！？、：；）》」』】〉”’…,.!?:;)", "（《「『【〈“‘("
	switch {
	case next.text == " ":
		return false
	case before.text == " ":
		return true
	case strings.Contains(neverFirst, next.text) || strings.Contains(neverLast, before.text):
		return false
	}
	return before.width > 1 || next.width > 1
}

func join(all []glyph) string {
	var s strings.Builder
	for _, g := range all {
		s.WriteString(g.text)
	}
	return s.String()
}
