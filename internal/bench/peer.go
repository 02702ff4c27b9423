package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"parley/internal/config"
)

// cast is who takes part in a run.
type cast struct {
	streams  int // stream i hears room i modulo rooms
	rooms    int
	accounts int // that send; account i writes to each room that is i modulo accounts
	size     int // of a text, in bytes
}

// writesTo gives the rooms of a sending account: all have the only one.
func (c cast) writesTo(account int) (rooms []int) {
	if c.rooms == 1 {
		return []int{0}
	}
	for room := account; room < c.rooms; room += c.accounts {
		rooms = append(rooms, room)
	}
	return rooms
}

// peer is a program that can be measured.
type peer interface {
	name() string
	// start runs it with an empty directory for its data.
	start(ctx context.Context, dir string) (target, error)
}

// target is a peer that runs.
type target interface {
	address() string
	pid() int
	// prepare makes whatever the cast needs before it can come.
	prepare(ctx context.Context, c cast) error
	listening(stream int) listening
	letter(account, room int) letter
	stop() error
}

// peersOf makes the peers that the arguments name. What is not installed is told and left out.
func peersOf(args config.BenchArgs, note func(format string, values ...any)) ([]peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	var peers []peer
	used := false
	for _, name := range args.Peers {
		switch name {
		case nameParley:
			peers = append(peers, &parley{program: self, called: nameParley, database: args.Database.Reveal(), used: &used, profiles: args.Profiles})
		case nameFloor, nameHijacked:
			peers = append(peers, &floorPeer{program: self, called: name})
		case nameNchan:
			n, err := findNchan()
			if err != nil {
				note("without nchan: %v", err)
				continue
			}
			peers = append(peers, n)
		}
	}
	if args.Against != "" {
		peers = append(peers, &parley{program: args.Against, called: nameAgainst, database: args.Database.Reveal(), used: &used})
	}
	return peers, nil
}

// The peers' names, as flags and tables have them.
const (
	nameParley   = "parley"
	nameAgainst  = "against"
	nameFloor    = "floor"
	nameHijacked = "hijacked"
	nameNchan    = "nchan"
)

// plainEnvironment is this process's without what would configure a server.
func plainEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PARLEY_") })
}
