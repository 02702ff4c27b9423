package bench

import (
	"slices"
	"testing"

	"parley/internal/config"
)

// Every room has somebody who writes there, and every account a room.
func TestCast(t *testing.T) {
	t.Parallel()
	for _, c := range []cast{{rooms: 1, accounts: 1}, {rooms: 1, accounts: 4}, {rooms: 7, accounts: 3}, {rooms: 4, accounts: 4}} {
		var rooms []int
		for account := range c.accounts {
			of := c.writesTo(account)
			if len(of) == 0 {
				t.Errorf("%+v: account %d writes nowhere", c, account)
			}
			rooms = append(rooms, of...)
		}
		slices.Sort(rooms)
		if rooms = slices.Compact(rooms); len(rooms) != c.rooms {
			t.Errorf("%+v: it is written to %v", c, rooms)
		}
	}
}

// Workloads have names of their own, are found by them, and are told as what they are.
func TestChoose(t *testing.T) {
	t.Parallel()
	args := config.BenchArgs{Streams: 10, Rooms: 2, Senders: 3, Idle: []int{5, 7}, Back: 4, Stored: []int{1, 2}}
	all, err := choose(args)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		args.Workloads = []string{w.name}
		if found, err := choose(args); err != nil || len(found) != 1 || found[0].about != w.about || w.about == "" {
			t.Errorf("%s: %d found, %v", w.name, len(found), err)
		}
	}
	args.Workloads = []string{"idle", "one"}
	if found, err := choose(args); err != nil || len(found) != 3 || found[0].streams != 5 {
		t.Errorf("idle and one: %d, %v", len(found), err)
	}
	args.Workloads = []string{"idle", "none"}
	if _, err := choose(args); err == nil {
		t.Error("a workload that is none is found")
	}
}

// What a peer cannot do, and what does not fit, is left out with a reason.
func TestCannot(t *testing.T) {
	t.Parallel()
	stores := workload{without: onlyParley(), fresh: true, streams: 1}
	for _, tt := range []struct {
		w    workload
		p    peer
		want string
	}{
		{stores, &parley{called: nameParley}, ""},
		{stores, &parley{called: nameParley, database: "postgres://x"}, "it needs two servers, each with a database of its own"},
		{stores, &nchan{}, "it has no storage"},
		{workload{streams: 1}, &floorPeer{called: nameHijacked}, ""},
	} {
		if got := tt.w.cannot(tt.p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.p.name(), got, tt.want)
		}
	}
	if (workload{streams: fileLimit()}).cannot(&nchan{}) == "" {
		t.Error("more streams than files are tried")
	}
}
