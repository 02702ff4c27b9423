package bench

import (
	"bytes"
	"strings"
)

// A text is a mark with the message's number, filled up to its size. No byte of it is changed by JSON or SSE.
const (
	markHead = "~bench:"
	digits   = 8
	markSize = len(markHead) + digits + 1
)

const hexDigits = "0123456789abcdef"

// newText gives a text of so many bytes, with room for a mark.
func newText(size int) []byte {
	text := bytes.Repeat([]byte("x"), max(size, markSize))
	copy(text, markHead)
	text[markSize-1] = '~'
	putNumber(text, 0)
	return text
}

// putNumber writes a message's number into a text.
func putNumber(text []byte, number uint32) {
	for i := range digits {
		text[len(markHead)+i] = hexDigits[number>>(4*(digits-1-i))&15]
	}
}

// findNumber looks for a mark.
func findNumber(line []byte) (number uint32, found bool) {
	at := bytes.Index(line, []byte(markHead))
	if at < 0 || len(line) < at+markSize || line[at+markSize-1] != '~' {
		return 0, false
	}
	for _, c := range line[at+len(markHead) : at+markSize-1] {
		digit := strings.IndexByte(hexDigits, c)
		if digit < 0 {
			return 0, false
		}
		number = number<<4 | uint32(digit)
	}
	return number, true
}
