package tests

import (
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// sameNames are spellings of which only one can be taken.
var sameNames = [][]string{
	{"ann", "ANN", "Ann", "ａｎｎ", "ＡＮＮ"},
	{"Straße", "strasse", "STRASSE", "STRAẞE"},
	{"Ωmega", "ωmega"},
	{"ΣΑΣ", "σας", "σασ"},
	{"\u0130stanbul", "i\u0307stanbul"}, // İ folds to i and a dot
	{"Ünal", "u\u0308nal", "ünal"},
	{"小明"},
	{"Kelvin", "\u212Aelvin"},
	{"Ꭰꭰ", "ꭰꭰ"},
	{"１小明", "1小明"},
	{"が", "か\u3099"},
}

// otherNames are close to some of those and yet others.
var otherNames = []string{
	"ıstanbul", "istanbul", "小红", "Аnn" /* Cyrillic А */, "ann.", "ann-", "ann_", "..a", "Ωmegа",
	strings.Repeat("n", 32), strings.Repeat("小", 32), "127.0.0.1", "guest-1x", "a'b", "=ann", "~ann",
}

// badNames nobody and nothing can have.
var badNames = []string{
	"", " ", "a b", " ann", "ann ", "\t", "a\nb", "a\x00b", "a\u200bb", "\u202eann", "\ufeffann",
	"a/b", "a|b", "#ann", "@ann", "a,b", "a?b", "100%", `a\b`, "ａ／ｂ", "＠ann", "ann＃",
	".", "..", "...", "．．", "127.0.0.1:8080", "[::1]:80", "１２７.0.0.1:80",
	strings.Repeat("n", 33), strings.Repeat("小", 33), strings.Repeat("n", 257), strings.Repeat("n", 5000),
	"ﬀ", "℃", "x²", "🐟", "a\u0301\u200db", "אa",
}

func TestNamesOfUsers(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	register := func(name string) *harness.Answer {
		return s.Do("POST", "/v1/register", harness.JSON(map[string]any{"name": name, "password": harness.Password}))
	}
	for _, same := range sameNames {
		register(same[0]).Want(201)
		for _, name := range same {
			register(name).Refused("name_taken")
			s.Do("POST", "/v1/guest", harness.JSON(map[string]any{"name": name})).Refused("name_taken")
		}
	}
	for _, name := range otherNames {
		register(name).Want(201)
	}
	register("42").Want(201) // digits are an id for channels only
	me := s.Guest("me")
	if u := harness.Into[client.User](me.Get("/v1/users/@42").Want(200)); u.Name != "42" {
		t.Errorf("@42 is %s", u.Name)
	}
	me.Send("@42", "hi")
	for _, name := range append(badNames, "room", "all", "WEB", "System", "lobby", "Ｌobby") {
		before := me.Head()
		register(name).Refused("validation_failed", "name")
		s.Do("POST", "/v1/guest", harness.JSON(map[string]any{"name": name})).Refused("validation_failed", "name")
		me.Post("/v1/rename", map[string]any{"name": name}).Refused("validation_failed", "name")
		if after := me.Head(); after != before {
			t.Errorf("%q: the log went from %d to %d", name, before, after)
		}
	}
}

func TestNamesOfChannels(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	create := func(name string) *harness.Answer { return ann.Post("/v1/rooms", map[string]any{"name": name}) }
	for _, same := range sameNames {
		create(same[0]).Want(201)
		for _, name := range same {
			create(name).Refused("name_taken")
		}
	}
	for _, name := range append(otherNames, "room", "all", "web", "system") {
		create(name).Want(201)
	}
	mine := ann.Room("mine", "public")
	for _, name := range append(badNames, "7", "0042", "４２", "٤٢") {
		before := ann.Head()
		create(name).Refused("validation_failed", "name")
		ann.Patch("/v1/rooms/mine", map[string]any{"name": name}).Refused("validation_failed", "name")
		if after := ann.Head(); after != before {
			t.Errorf("%q: the log went from %d to %d", name, before, after)
		}
	}
	create("LOBBY").Refused("name_taken")
	ann.Patch("/v1/rooms/mine", map[string]any{"name": "Lobby"}).Refused("name_taken")
	ann.Patch("/v1/rooms/mine", map[string]any{"name": "MINE"}).Want(200)
	if got := harness.Into[client.Room](ann.Get("/v1/rooms/mine").Want(200)); got.ID != mine.ID || *got.Name != "MINE" {
		t.Errorf("the channel is %+v", got)
	}
}

// A name is stored in the form that PRECIS gives it.
func TestNamesAreMapped(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for in, want := range map[string]string{
		"Ａnn": "Ann", "u\u0308ber": "über", "か\u3099": "が", "Straße": "Straße", "\u212Aelvin": "Kelvin", "小明": "小明",
	} {
		u := harness.Into[client.Session](s.Do("POST", "/v1/guest", harness.JSON(map[string]any{"name": in})).Want(201)).User
		if u.Name != want || u.DisplayName != want {
			t.Errorf("%q is stored as %q", in, u.Name)
		}
	}
}
