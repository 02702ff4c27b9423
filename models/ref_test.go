package models

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRoomRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in       string
		path, to RoomRef // zero: not found
	}{
		{"7", RoomRef{ID: 7}, RoomRef{ID: 7}},
		{"9007199254740991", RoomRef{ID: MaxID}, RoomRef{ID: MaxID}},
		{"9007199254740992", RoomRef{}, RoomRef{}},
		{"99999999999999999999", RoomRef{}, RoomRef{}},
		{"0", RoomRef{}, RoomRef{}},
		{"-1", RoomRef{Key: "-1"}, RoomRef{Key: "-1"}},
		{"Lobby", RoomRef{Key: "lobby"}, RoomRef{Key: "lobby"}},
		{"#Lobby", RoomRef{}, RoomRef{Key: "lobby"}},
		{"##lobby", RoomRef{}, RoomRef{}},
		{"#7", RoomRef{}, RoomRef{}},
		{"#", RoomRef{}, RoomRef{}},
		{"#@ann", RoomRef{}, RoomRef{}},
		{"@Ann", RoomRef{UserKey: "ann"}, RoomRef{UserKey: "ann"}},
		{"@7", RoomRef{UserKey: "7"}, RoomRef{UserKey: "7"}},
		{"@", RoomRef{}, RoomRef{}},
		{"@@ann", RoomRef{}, RoomRef{}},
		{"@lobby", RoomRef{}, RoomRef{}},
		{"４２", RoomRef{}, RoomRef{}},
		{"a b", RoomRef{}, RoomRef{}},
		{"..", RoomRef{}, RoomRef{}},
		{"", RoomRef{}, RoomRef{ID: LobbyID}},
		{"\xff", RoomRef{}, RoomRef{}},
		{strings.Repeat("a", 5000), RoomRef{}, RoomRef{}},
	}
	for _, tt := range tests {
		checkRef(t, "path "+tt.in, ParseRoomRef, tt.in, tt.path)
		checkRef(t, "to "+tt.in, ParseTo, tt.in, tt.to)
	}
}

func TestParseUserRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want UserRef
	}{
		{"7", UserRef{ID: 7}},
		{"@7", UserRef{Key: "7"}},
		{"@Ann", UserRef{Key: "ann"}},
		{"ann", UserRef{}},
		{"0", UserRef{}},
		{"@room", UserRef{}},
		{"", UserRef{}},
	}
	for _, tt := range tests {
		checkRef(t, tt.in, ParseUserRef, tt.in, tt.want)
	}
}

// checkRef expects want, or not_found where want is zero.
func checkRef[R comparable](t *testing.T, label string, parse func(string) (R, error), in string, want R) {
	t.Helper()
	got, err := parse(in)
	var zero R
	if want == zero {
		if !errors.Is(err, &Error{Code: CodeNotFound}) {
			t.Errorf("%q: got %+v, %v; want not_found", label, got, err)
		}
		return
	}
	if err != nil || got != want {
		t.Errorf("%q: got %+v, %v; want %+v", label, got, err, want)
	}
}

// FuzzRoomRef: a reference names exactly one thing or is not_found, and never both readings differ
// but for what only `to` allows.
func FuzzRoomRef(f *testing.F) {
	for _, s := range []string{"", "1", "lobby", "#lobby", "@ann", "@1", "#1", "00", "９", "%2f", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path, err := ParseRoomRef(s)
		checkOneOf(t, s, path, err)
		to, toErr := ParseTo(s)
		checkOneOf(t, s, to, toErr)
		if err == nil && (toErr != nil || to != path) {
			t.Fatalf("%q is %+v in a path and %+v, %v in to", s, path, to, toErr)
		}
		if user, err := ParseUserRef(s); err == nil && (user.ID == 0) == (user.Key == "") {
			t.Fatalf("user %q is %+v", s, user)
		}
	})
}

func checkOneOf(t *testing.T, s string, ref RoomRef, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, &Error{Code: CodeNotFound}) {
			t.Fatalf("%q: %v", s, err)
		}
		return
	}
	set := 0
	for _, is := range []bool{ref.ID > 0, ref.Key != "", ref.UserKey != ""} {
		if is {
			set++
		}
	}
	if set != 1 || ref.ID < 0 || ref.ID > MaxID {
		t.Fatalf("%q is %+v", s, ref)
	}
}
