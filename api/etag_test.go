package api

import "testing"

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`"57"`: true, ` "57" `: true, `*`: true, ` * `: true, `"1", "57"`: true, `"1","57","2"`: true, `"a,b", "57"`: true,
		`,, "57",`: true, `W/"57", "57"`: true, `W/"1", "57"`: true,
		``: false, `57`: false, `"5"`: false, `"057"`: false, `W/"57"`: false, `"57`: false, `57"`: false, `w/"57"`: false,
		`"1" "57"`: false, `"*"`: false, `"57"x`: false, `W/`: false, `'57'`: false, `"deleted"`: false, `"a,"57"`: false,
	} {
		if got := parseIfMatch(header)(57); got != want {
			t.Errorf("If-Match: %s matches 57: %v", header, got)
		}
	}
}

func FuzzIfMatch(f *testing.F) {
	f.Add(`"57", W/"58"`)
	f.Fuzz(func(t *testing.T, header string) {
		for _, tag := range strongTags(header) {
			if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
				t.Errorf("%q has the tag %q", header, tag)
			}
		}
		parseIfMatch(header)(57)
	})
}
