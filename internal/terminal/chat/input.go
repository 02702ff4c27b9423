package chat

import (
	"slices"
	"strings"
	"unicode"
)

// pastMost is how many lines that were entered are kept.
const pastMost = 100

// input is a line that is being typed, taken apart as a person sees it: one press of Backspace takes one emoji away.
type input struct {
	glyphs []string
	at     int // the cursor stands before this one
	secret bool

	past   []string // what was entered before
	pastAt int      // which of it is shown; len(past) is the line itself
	own    string   // the line itself meanwhile
}

func (in *input) text() string { return strings.Join(in.glyphs, "") }

// before is what stands before the cursor.
func (in *input) before() string { return strings.Join(in.glyphs[:in.at], "") }

// set replaces the line and puts the cursor behind it.
func (in *input) set(text string) {
	in.glyphs = split(text)
	in.at = len(in.glyphs)
}

func split(text string) []string {
	all := (ruler{}).glyphs(text)
	out := make([]string, 0, len(all))
	for _, g := range all {
		out = append(out, g.text)
	}
	return out
}

// insert puts text where the cursor is. What is pasted may hold line breaks, which stay.
func (in *input) insert(text string) {
	before := in.before() + clean(text)
	after := strings.Join(in.glyphs[in.at:], "")
	in.glyphs = split(before + after)
	in.at = len(split(before))
}

// replace puts text in the place of what stands between an offset and the cursor.
func (in *input) replace(from int, text string) {
	before, after := in.before()[:from]+text, strings.Join(in.glyphs[in.at:], "")
	in.glyphs = split(before + after)
	in.at = len(split(before))
}

// take gives the line, remembers it and begins the next one.
func (in *input) take() string {
	text := in.text()
	if strings.TrimSpace(text) != "" && !in.secret && (len(in.past) == 0 || in.past[len(in.past)-1] != text) {
		in.past = append(in.past, text)
		in.past = in.past[max(0, len(in.past)-pastMost):]
	}
	in.pastAt = len(in.past)
	in.set("")
	return text
}

// press acts on an editing key and says whether it was one.
func (in *input) press(key string) bool {
	switch key {
	case "left", "ctrl+b":
		in.at = max(0, in.at-1)
	case "right", "ctrl+f":
		in.at = min(len(in.glyphs), in.at+1)
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.glyphs)
	case "alt+left", "ctrl+left", "alt+b":
		in.at = in.wordLeft()
	case "alt+right", "ctrl+right", "alt+f":
		in.at = in.wordRight()
	case "backspace", "ctrl+h":
		in.cut(max(0, in.at-1), in.at)
	case "delete", "ctrl+d":
		in.cut(in.at, min(len(in.glyphs), in.at+1))
	case "ctrl+w", "alt+backspace":
		in.cut(in.wordLeft(), in.at)
	case "ctrl+u":
		in.cut(0, in.at)
	case "ctrl+k":
		in.cut(in.at, len(in.glyphs))
	case "up":
		in.recall(-1)
	case "down":
		in.recall(1)
	case "alt+enter", "ctrl+j", "shift+enter":
		in.insert("\n")
	default:
		return false
	}
	return true
}

func (in *input) cut(from, to int) {
	in.glyphs = append(in.glyphs[:from:from], in.glyphs[to:]...)
	in.at = from
}

func (in *input) wordLeft() int {
	i := in.at
	for i > 0 && blank(in.glyphs[i-1]) {
		i--
	}
	for i > 0 && !blank(in.glyphs[i-1]) {
		i--
	}
	return i
}

func (in *input) wordRight() int {
	i := in.at
	for i < len(in.glyphs) && blank(in.glyphs[i]) {
		i++
	}
	for i < len(in.glyphs) && !blank(in.glyphs[i]) {
		i++
	}
	return i
}

func blank(glyph string) bool { return strings.TrimFunc(glyph, unicode.IsSpace) == "" }

// recall shows what was entered before.
func (in *input) recall(by int) {
	next := in.pastAt + by
	if next < 0 || next > len(in.past) {
		return
	}
	if in.pastAt == len(in.past) {
		in.own = in.text()
	}
	in.pastAt = next
	if next == len(in.past) {
		in.set(in.own)
		return
	}
	in.set(in.past[next])
}

// lines is the input in a width, and where the cursor is in it. It is at most height lines: those around the cursor.
func (in *input) lines(r ruler, width, height int) (lines []string, x, y int) {
	width = max(width, 2)
	var line strings.Builder
	used := 0
	end := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	for i, text := range append(slices.Clip(in.glyphs), "") {
		w := r.width(text)
		if in.secret && text != "" {
			text, w = "•", 1
		}
		if used+max(w, 1) > width && text != "\n" {
			end()
		}
		if i == in.at {
			x, y = used, len(lines)
		}
		if text == "\n" {
			end()
			continue
		}
		line.WriteString(text)
		used += w
	}
	end()
	from := max(0, y-height+1)
	return lines[from:min(len(lines), from+height)], x, y - from
}
