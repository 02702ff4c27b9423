package models

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// mentioned is who of the names a text mentions: at each place the longest that fits.
func mentioned(t *testing.T, text string, names ...string) string {
	t.Helper()
	keys := map[string]string{}
	for _, name := range names {
		_, key, err := UserName(name)
		if err != nil {
			t.Fatalf("%q is no name: %v", name, err)
		}
		keys[key] = name
	}
	var found []string
	for _, place := range MentionsIn(text) {
		for _, key := range place {
			if name, ok := keys[key]; ok {
				found = append(found, name)
				break
			}
		}
	}
	return strings.Join(found, " ")
}

func TestMentionsIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, names, want string }{
		{"", "ann", ""},
		{"ann", "ann", ""},
		{"@", "ann", ""},
		{"@ ann", "ann", ""},
		{"@ann", "ann", "ann"},
		{"@bob", "ann", ""},
		{"hi @ann and @bob", "ann bob", "ann bob"},
		{"@ann@bob", "ann bob", "ann"}, // it may be an address of another network
		{"@@ann", "ann", "ann"},
		{"@\n@ann\n", "ann", "ann"},

		// The longest name, and no end inside a word.
		{"@annabel", "ann", ""},
		{"@annabel", "ann annabel", "annabel"},
		{"@ann2", "ann", ""},
		{"@ann2", "ann ann2", "ann2"},
		{"@ann-marie", "ann", "ann"},
		{"@ann-marie", "ann ann-marie", "ann-marie"},
		{"@ann-maries", "ann ann-marie", "ann"},
		{"@ann.b.", "ann ann.b", "ann.b"},
		{"@ann...", "ann", "ann"},
		{"@ann's", "ann", "ann"},
		{"(@ann)", "ann", "ann"},
		{"*@ann*, <@bob>: \"@cem\"!", "ann bob cem", "ann bob cem"},
		{"@c++rocks", "c++", "c++"},
		{"@ann/@bob|@cem#1", "ann bob cem", "ann bob cem"},
		{"@ann?", "ann", "ann"},
		{"@ann_", "ann", "ann"},

		// Case and form.
		{"@ANN @Ann", "ann", "ann ann"},
		{"@STRASSE @straße", "Straße", "Straße Straße"},
		{"@ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφος"},
		{"@Jose\u0301 @JOS\u00c9", "José", "José José"},
		{"@jose\u0301", "jose", ""},
		{"@José", "jose", ""},
		{"＠ａｎｎ", "ann", "ann"},
		{"＠ann，你好", "ann", "ann"},
		{"@ﾊﾞﾛﾝ", "ハ バロン", "バロン"},
		{"@ﾊﾞﾛﾝ", "ハ", ""},
		{norm.NFD.String("@김민수가"), "김민수", "김민수"},
		{norm.NFD.String("@각하"), "가", ""}, // half a syllable
		{"@각하", "각", "각"},

		// Scripts without spaces between words.
		{"@张三你好", "张三", "张三"},
		{"@张三丰你好", "张三 张三丰", "张三丰"},
		{"你好@张三，在吗？", "张三", "张三"},
		{"@张三@李四", "张三 李四", "张三 李四"},
		{"@张三hello", "张三", "张三"},
		{"@ann你好", "ann", "ann"},
		{"你好@ann", "ann", "ann"},
		{"@张三2号", "张三 张三2", "张三2"},
		{"@〇〇さん", "〇〇", "〇〇"},
		{"@田中さんは", "田中", "田中"},
		{"@マリーさん", "マリ マリー", "マリー"},
		{"@マリーabc", "マリー", "マリー"},
		{"@ひらがなだけ", "ひらがな", "ひらがな"},
		{"@สมชายครับ", "สมชาย", "สมชาย"},
		{"@กินข้าว", "กน", ""},
		{"@กิน", "ก", ""}, // a vowel stands on it
		{"@민수가", "민수", "민수"},

		// Scripts with spaces.
		{"@борис", "бор", ""},
		{"@БОРИС, привет", "борис", "борис"},
		{"@रविन", "रवि", ""},
		{"@रवि न", "रवि", "रवि"},
		{"@علي، أهلا", "علي", "علي"},
		{"@می\u200cخواهم", "می", ""},

		// Emoji are no part of names.
		{"👋@ann👋🏽", "ann", "ann"},
		{"@张三🐟", "张三", "张三"},
		{"@👩‍💻", "ann", ""},

		// What stands before it.
		{"ann@ann.example", "ann", ""},
		{"x.y_z%+-@ann", "ann", ""},
		{"x.@ann x_@ann x%@ann x+@ann x-@ann", "ann", ""},
		{"josé@ann jose\u0301@ann борис@ann 5@ann", "ann", ""},
		{"mail me: bob@ann.org, or @ann", "ann", "ann"},
		{"https://x.example/@ann and https://x.example/@ann/posts", "ann", "ann ann"},
		{"https://u:p@ann.example", "ann", ""},
		{":@ann,@bob;@cem", "ann bob cem", "ann bob cem"},
	} {
		if got := mentioned(t, tt.text, strings.Fields(tt.names)...); got != tt.want {
			t.Errorf("%q mentions %q of %q, want %q", tt.text, got, tt.names, tt.want)
		}
	}
}

// The longest names are found, and a text full of them is looked at no further than the bounds.
func TestMentionsAreBounded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("a", MaxName), strings.Repeat("張", MaxName), strings.Repeat("é", MaxName)} {
		for _, text := range []string{"@" + name, norm.NFD.String("@" + name), "@" + name + "!"} {
			if got := mentioned(t, text, name); got != name {
				t.Errorf("%q mentions %q", text, got)
			}
		}
	}
	if got := mentioned(t, "@"+strings.Repeat("張", MaxName+1), strings.Repeat("張", MaxName)); got == "" {
		t.Error("what follows the longest name hides it")
	}
	text := strings.Repeat("mail@ann "+"@@ ", 100) + strings.Repeat("@"+strings.Repeat("张", 100), 100)
	places := MentionsIn(text)
	if len(places) != MaxMentions {
		t.Errorf("%d places", len(places))
	}
	for _, keys := range places {
		if len(keys) != MaxName {
			t.Errorf("%d names at one place", len(keys))
		}
	}
}

func FuzzMentionsIn(f *testing.F) {
	for _, text := range []string{
		"@ann", "＠ａｎｎ，", "@张三你好 @李四", "a@b.c", "@jose\u0301", "@ﾊﾞ", "@각", "@क्षि\u200dक", "@\u0301", "@@@", "@ann\xff", "@ŉ@ΐ@ǰ", "@\u037e", "@\u1fef\u0387", "\u037e", "@\u1100\u1161\u11a8",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		places := MentionsIn(text)
		if len(places) > MaxMentions || len(places) > strings.Count(text, "@")+strings.Count(text, "＠") {
			t.Fatalf("%d places in %q", len(places), text)
		}
		rest, short := text, len(text) < 200 // to look for their names is slow
		for _, keys := range places {
			if len(keys) == 0 || len(keys) > MaxName {
				t.Fatalf("%d names at one place of %q", len(keys), text)
			}
			if !short {
				continue
			}
			if rest = behind(rest, keys); rest == "" {
				t.Fatalf("%q stand behind no @ of %q, or not the longest first", keys, text)
			}
		}
		// A name is found wherever it stands alone.
		name, key, err := UserName(text)
		if err != nil {
			return
		}
		for _, form := range []string{name, norm.NFD.String(name), text} {
			if norm.NFC.String(form) != name {
				continue // written in a way that no keyboard has
			}
			places := MentionsIn("hi @" + form + " and all")
			if len(places) != 1 || places[0][0] != key {
				t.Fatalf("%q of the name %q has the places %q", form, name, places)
			}
		}
	})
}

// behind looks for the place with the keys and gives what follows its @, "" where there is none.
func behind(text string, keys Mention) string {
	for i, r := range text {
		if r != '@' && r != '＠' {
			continue
		}
		rest := text[i+utf8.RuneLen(r):]
		var all []string
		for j := range rest + "\n" {
			all = append(all, NameKey(rest[:j]))
		}
		slices.Reverse(all)
		n := 0
		for _, key := range all {
			if n < len(keys) && keys[n] == key {
				n++
			}
		}
		if n == len(keys) {
			return rest + "\n"
		}
	}
	return ""
}

func BenchmarkMentionsIn(b *testing.B) {
	for name, text := range map[string]string{
		"none":  "what everybody says to everybody all day long",
		"one":   "what @everybody says to everybody all day long",
		"worst": strings.Repeat("@"+strings.Repeat("张三你好", 26), MaxMentions),
		"ats":   strings.Repeat("@", 16<<10),
		"marks": "@" + strings.Repeat("a\u0301\u0302", 3<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MentionsIn(text)
			}
		})
	}
}
