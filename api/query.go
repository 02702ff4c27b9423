package api

import (
	"net/url"
	"strings"
)

// normalQuery rewrites a query so that nothing of it is left out in silence. A semicolon and a broken
// escape are text, as browsers have it, where Go's parser drops the parameter. What is given more than once
// is joined by commas, as lists are written: a parameter that is no list then has a wrong value.
func normalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	values, err := url.ParseQuery(escapeBroken(raw))
	if err != nil {
		return raw // it has no more parameters than the parser takes
	}
	for name, list := range values {
		values[name] = []string{strings.Join(list, ",")}
	}
	return strings.ReplaceAll(values.Encode(), "%2C", ",") // or the commas of a list were text
}

// escapeBroken escapes semicolons, and percent signs that begin no escape.
func escapeBroken(raw string) string {
	if !strings.ContainsAny(raw, "%;") {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		switch {
		case raw[i] == ';':
			b.WriteString("%3B")
		case raw[i] == '%' && (i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])):
			b.WriteString("%25")
		default:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
