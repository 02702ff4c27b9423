package tests

import (
	"strings"
	"sync"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// screen is what a terminal shows that is written to. The libraries that are to be had for this take a Chinese character for
// one column wide; here it has two, as on a real terminal.
type screen struct {
	mu            sync.Mutex
	parser        *ansi.Parser
	width, height int
	cells         [][]square
	x, y          int
	wrapNext      bool
	top, bottom   int // of what scrolls
	saved         [2]int
	main          [][]square // while the other buffer is shown
	last          string
	pen           pen
	bell          int
	title         string
}

// square is one column. The second one of a wide character has an empty text.
type square struct {
	text string
	pen  pen
}

type pen struct{ coloured, bold, faint, reverse bool }

var nothing = square{text: " "}

func newScreen(width, height int) *screen {
	s := &screen{parser: ansi.NewParser()}
	s.parser.SetDataSize(1 << 16)
	s.size(width, height)
	s.parser.SetHandler(ansi.Handler{
		Print: s.print, Execute: s.control, HandleCsi: s.csi, HandleEsc: s.esc,
		HandleOsc: func(cmd int, data []byte) {
			if _, title, ok := strings.Cut(string(data), ";"); ok && cmd == 2 || cmd == 0 {
				s.title = title
			}
		},
	})
	return s
}

// size makes the screen another size and empty, as a program draws it anew then.
func (s *screen) size(width, height int) {
	s.width, s.height, s.x, s.y, s.top, s.bottom, s.wrapNext = width, height, 0, 0, 0, height-1, false
	s.cells = make([][]square, height)
	for y := range s.cells {
		s.cells[y] = blankLine(width)
	}
}

func blankLine(width int) []square {
	line := make([]square, width)
	for x := range line {
		line[x] = nothing
	}
	return line
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range p {
		s.parser.Advance(b)
	}
	return len(p), nil
}

// Text is the screen, a line for each row, without the spaces at their ends.
func (s *screen) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := make([]string, 0, s.height)
	for _, row := range s.cells {
		var line strings.Builder
		for _, c := range row {
			line.WriteString(c.text)
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return strings.Join(lines, "\n")
}

// column is where the text begins in its row, -1 where it is on none.
func (s *screen) column(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.cells {
		for x := range row {
			if row[x].text != "" && strings.HasPrefix(rowText(row[x:]), text) {
				return x
			}
		}
	}
	return -1
}

func rowText(row []square) string {
	var line strings.Builder
	for _, c := range row {
		line.WriteString(c.text)
	}
	return line.String()
}

func (s *screen) print(r rune) {
	width := ansi.StringWidthWc(string(r))
	if width == 0 {
		if x := s.before(); x >= 0 {
			s.cells[s.y][x].text += string(r)
		}
		return
	}
	if s.wrapNext || s.x+width > s.width {
		s.x, s.wrapNext = 0, false
		s.down()
	}
	s.put(s.x, square{string(r), s.pen})
	if width == 2 {
		s.put(s.x+1, square{"", s.pen})
	}
	s.last = string(r)
	if s.x += width; s.x >= s.width {
		s.x, s.wrapNext = s.width-1, true
	}
}

// before is where the last character begins that was written, -1 where there is none.
func (s *screen) before() int {
	x := s.x - 1
	if s.wrapNext {
		x = s.x
	}
	for x > 0 && s.cells[s.y][x].text == "" {
		x--
	}
	return x
}

// put writes one column; half of a wide character that is left over becomes a space.
func (s *screen) put(x int, c square) {
	row := s.cells[s.y]
	if row[x].text == "" && c.text != "" && x > 0 {
		row[x-1] = nothing
	}
	if x+1 < s.width && row[x+1].text == "" && c.text != "" {
		row[x+1] = nothing
	}
	row[x] = c
}

func (s *screen) control(b byte) {
	s.wrapNext = false
	switch b {
	case '\r':
		s.x = 0
	case '\n', '\v', '\f':
		s.down()
	case '\b':
		s.x = max(0, s.x-1)
	case '\t':
		s.x = min(s.width-1, (s.x/8+1)*8)
	case '\a':
		s.bell++
	}
}

func (s *screen) down() {
	if s.y == s.bottom {
		s.shift(s.top, s.bottom, 1)
	} else {
		s.y = min(s.height-1, s.y+1)
	}
}

// shift moves the rows from..to up by n, or down.
func (s *screen) shift(from, to, n int) {
	for ; n > 0; n-- {
		copy(s.cells[from:to+1], s.cells[from+1:to+1])
		s.cells[to] = blankLine(s.width)
	}
	for ; n < 0; n++ {
		copy(s.cells[from+1:to+1], s.cells[from:to])
		s.cells[from] = blankLine(s.width)
	}
}

func (s *screen) clear(y, from, to int) {
	for x := max(0, from); x < min(to, s.width); x++ {
		s.cells[y][x] = nothing
	}
}

func (s *screen) move(x, y int) {
	s.x, s.y, s.wrapNext = min(max(0, x), s.width-1), min(max(0, y), s.height-1), false
}

func (s *screen) esc(cmd ansi.Cmd) {
	switch cmd.Final() {
	case '7':
		s.saved = [2]int{s.x, s.y}
	case '8':
		s.move(s.saved[0], s.saved[1])
	case 'D':
		s.down()
	case 'M':
		if s.y == s.top {
			s.shift(s.top, s.bottom, -1)
		} else {
			s.y = max(0, s.y-1)
		}
	}
}

func (s *screen) csi(cmd ansi.Cmd, params ansi.Params) {
	n := func(i, otherwise int) int {
		v, _, _ := params.Param(i, otherwise)
		return max(v, min(otherwise, 1))
	}
	if cmd.Prefix() == '?' && (cmd.Final() == 'h' || cmd.Final() == 'l') {
		s.mode(params, cmd.Final() == 'h')
		return
	}
	if cmd.Prefix() != 0 || cmd.Intermediate() != 0 {
		return
	}
	switch cmd.Final() {
	case 'A':
		s.move(s.x, s.y-n(0, 1))
	case 'B', 'e':
		s.move(s.x, s.y+n(0, 1))
	case 'C', 'a':
		s.move(s.x+n(0, 1), s.y)
	case 'D':
		s.move(s.x-n(0, 1), s.y)
	case 'E':
		s.move(0, s.y+n(0, 1))
	case 'F':
		s.move(0, s.y-n(0, 1))
	case 'G', '`':
		s.move(n(0, 1)-1, s.y)
	case 'd':
		s.move(s.x, n(0, 1)-1)
	case 'H', 'f':
		s.move(n(1, 1)-1, n(0, 1)-1)
	case 'I':
		s.move((s.x/8+n(0, 1))*8, s.y)
	case 'Z':
		s.move(((s.x+7)/8-n(0, 1))*8, s.y)
	case 'm':
		s.style(params)
	default:
		s.edit(cmd.Final(), n)
	}
}

// edit are the sequences that change what is written already.
func (s *screen) edit(final byte, n func(i, otherwise int) int) {
	row := s.cells[s.y]
	switch final {
	case 'J':
		s.erase(n(0, 0))
	case 'K':
		switch n(0, 0) {
		case 0:
			s.clear(s.y, s.x, s.width)
		case 1:
			s.clear(s.y, 0, s.x+1)
		default:
			s.clear(s.y, 0, s.width)
		}
	case 'X':
		s.clear(s.y, s.x, s.x+n(0, 1))
	case 'P':
		k := min(n(0, 1), s.width-s.x)
		copy(row[s.x:], row[s.x+k:])
		s.clear(s.y, s.width-k, s.width)
	case '@':
		k := min(n(0, 1), s.width-s.x)
		copy(row[s.x+k:], row[s.x:])
		s.clear(s.y, s.x, s.x+k)
	case 'L':
		s.shift(s.y, s.bottom, -min(n(0, 1), s.bottom-s.y+1))
	case 'M':
		s.shift(s.y, s.bottom, min(n(0, 1), s.bottom-s.y+1))
	case 'S':
		s.shift(s.top, s.bottom, n(0, 1))
	case 'T':
		s.shift(s.top, s.bottom, -n(0, 1))
	case 'b':
		for range n(0, 1) {
			s.print([]rune(s.last)[0])
		}
	case 'r':
		s.top, s.bottom = n(0, 1)-1, min(n(1, s.height), s.height)-1
		s.move(0, 0)
	}
}

func (s *screen) erase(what int) {
	for y := range s.cells {
		switch {
		case what == 2 || what == 3 || what == 0 && y > s.y || what == 1 && y < s.y:
			s.clear(y, 0, s.width)
		case what == 0 && y == s.y:
			s.clear(y, s.x, s.width)
		case what == 1 && y == s.y:
			s.clear(y, 0, s.x+1)
		}
	}
}

func (s *screen) mode(params ansi.Params, on bool) {
	for i := range params {
		if v, _, _ := params.Param(i, 0); v == 1049 || v == 47 || v == 1047 {
			if on {
				s.main = s.cells
				s.size(s.width, s.height)
			} else if s.main != nil {
				s.cells, s.main = s.main, nil
			}
		}
	}
}

func (s *screen) style(params ansi.Params) {
	if len(params) == 0 {
		s.pen = pen{}
	}
	for i := 0; i < len(params); i++ {
		switch v, _, _ := params.Param(i, 0); {
		case v == 0:
			s.pen = pen{}
		case v == 1:
			s.pen.bold = true
		case v == 2:
			s.pen.faint = true
		case v == 7:
			s.pen.reverse = true
		case v == 22:
			s.pen.bold, s.pen.faint = false, false
		case v == 27:
			s.pen.reverse = false
		case v >= 30 && v <= 37, v >= 40 && v <= 47, v >= 90 && v <= 107:
			s.pen.coloured = true
		case v == 38 || v == 48:
			s.pen.coloured = true
			i = len(params)
		case v == 39 || v == 49:
			s.pen.coloured = false
		}
	}
}

// coloured says whether anything on the screen has a colour.
func (s *screen) coloured() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.cells {
		for _, c := range row {
			if c.pen.coloured {
				return true
			}
		}
	}
	return false
}

// The other tests are worth as much as this.
func TestScreen(t *testing.T) {
	t.Parallel()
	s := newScreen(10, 3)
	for _, step := range []struct{ write, want string }{
		{"ab你好c", "ab你好c\n\n"},
		{"\x1b[1;3Hx", "abx 好c\n\n"},
		{"\x1b[2Jend", "   end\n\n"},
		{"\x1b[H\x1b[2J0123456789wrapped", "0123456789\nwrapped\n"},
		{"\r\n\r\nnext", "wrapped\n\nnext"},
		{"\x1b[1;1H\x1b[2P\x1b[X", " pped\n\nnext"},
		{"\x1b[H\x1b[Lnew", "new\n pped\n"},
		{"\x1b[1;9H你好", "new     你\n好ped\n"},
		{"\x1b[He\u0301\x1b[31m", "e\u0301ew     你\n好ped\n"},
		{"\x1b[?1049halt", "alt\n\n"},
		{"\x1b[?1049l", "e\u0301ew     你\n好ped\n"},
	} {
		if _, err := s.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if got := s.Text(); got != step.want {
			t.Errorf("after %q:\n%q, want\n%q", step.write, got, step.want)
		}
	}
	if s.column("ped") != 2 || s.column("none") != -1 || s.coloured() {
		t.Error("what is where is wrong")
	}
}
