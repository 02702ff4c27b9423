package chat

import "slices"

// spot is a place in a timeline: rows lines of the block i are the last ones seen.
type spot struct{ i, rows int }

func (s spot) before(other spot) bool { return s.i < other.i || s.i == other.i && s.rows < other.rows }

// spot gives where one looks.
func (p painter) spot(t *timeline) spot {
	if i := slices.Index(t.entries, t.anchor); i >= 0 && t.anchor != nil {
		return spot{i, min(t.rows, len(p.block(t, i)))}
	}
	return p.end(t)
}

func (p painter) end(t *timeline) spot {
	i := len(t.entries) - 1
	if i < 0 {
		return spot{-1, 0}
	}
	return spot{i, len(p.block(t, i))}
}

// look moves to a spot.
func (p painter) look(t *timeline, at spot) {
	if !at.before(p.end(t)) {
		t.anchor = nil
		return
	}
	t.anchor, t.rows = t.entries[at.i], at.rows
}

// first is the spot at which the oldest line is the topmost of height lines.
func (p painter) first(t *timeline, height int) spot {
	for i := range t.entries {
		n := len(p.block(t, i))
		if n >= height {
			return spot{i, height}
		}
		height -= n
	}
	return p.end(t)
}

// scroll moves by lines, up where they are negative, and says whether the top of what is loaded is near.
func (p painter) scroll(t *timeline, lines, height int) (nearTop bool) {
	at := p.spot(t)
	if at.i < 0 {
		return true
	}
	for lines < 0 && at.i >= 0 {
		if step := min(at.rows, -lines); step == at.rows && at.i > 0 {
			at.i--
			at.rows, lines = len(p.block(t, at.i)), lines+step
		} else {
			at.rows, lines = at.rows-step, 0
		}
	}
	for lines > 0 {
		rest := len(p.block(t, at.i)) - at.rows
		if rest >= lines || at.i == len(t.entries)-1 {
			at.rows, lines = at.rows+min(rest, lines), 0
		} else {
			at.i, at.rows, lines = at.i+1, 0, lines-rest
		}
	}
	if first := p.first(t, height); at.before(first) {
		at = first
	}
	p.look(t, at)
	return at.before(p.first(t, 2*height))
}

// window gives the lines that are seen, height at most.
func (p painter) window(t *timeline, height int) []string {
	at := p.spot(t)
	var lines []string
	for i := at.i; i >= 0 && len(lines) < height; i-- {
		block := p.block(t, i)
		if i == at.i {
			block = block[:at.rows]
		}
		lines = append(slices.Clone(block), lines...)
	}
	return lines[max(0, len(lines)-height):]
}
