package config

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// What configures a server must not reach those that are measured: no variable is heard.
func TestParseBench(t *testing.T) {
	t.Parallel()
	whole := BenchArgs{
		Rounds: 3, Seconds: 5, Peers: []string{"parley", "floor", "nchan"}, Streams: 1000, Rooms: 1000, Senders: 64,
		Idle: []int{5000, 10_000}, Back: 10_000, Stored: []int{10_000, 1_000_000}, Bytes: 200,
	}
	some := whole
	some.Workloads, some.Seconds, some.Peers, some.Idle, some.Database = []string{"steady", "bursts"}, 0.5, []string{"nchan"}, []int{7}, "postgres://u:hunter2@h/x"
	for _, tt := range []struct {
		args, env []string
		want      BenchArgs
	}{
		{nil, []string{"PARLEY_DATABASE=postgres://u@h/production", "PARLEY_STREAMS=7", "PARLEY_DIR=/x", "PARLEY_JSON=x"}, whole},
		{[]string{"steady", "bursts", "--seconds=0.5", "--peers=nchan", "--idle=7", "--database=postgres://u:hunter2@h/x"}, nil, some},
	} {
		in, err := Parse(append([]string{"bench"}, tt.args...), tt.env, io.Discard)
		if err != nil || in.Command != Bench || !reflect.DeepEqual(in.Bench, tt.want) {
			t.Errorf("%q %q: %+v, %v; want %+v", tt.args, tt.env, in.Bench, err, tt.want)
		}
	}
	if in, err := Parse([]string{"bench-floor", "--hijack"}, nil, io.Discard); err != nil || in.Command != BenchFloor || !in.Floor.Hijack {
		t.Errorf("the floor: %+v, %v", in, err)
	}
	for _, tt := range []struct{ arg, want string }{
		{"--rounds=0", "--rounds: must be from 1 to 100, not 0"},
		{"--seconds=0", "--seconds: must be from 0.05 to 600"},
		{"--streams=1000000", "--streams: must be from 1 to 100000, not 1000000"},
		{"--idle=5,0", "--idle: must be from 1 to 100000, not 0"},
		{"--stored=5", "--stored: must be two numbers, the smaller first"},
		{"--peers=floor,floor", "--peers: floor is named twice"},
		{"--bytes=8", "--bytes: must be from 32 to 16384, not 8"},
		{"--database=mysql://u:hunter2@h/x", "--database: must be a URL like postgres://user:password@host/name"},
	} {
		refuse(t, []string{"bench", tt.arg}, nil, tt.want)
	}
}

// The peer that is built in is nobody's command.
func TestBenchHelp(t *testing.T) {
	t.Parallel()
	var all, bench bytes.Buffer
	if _, err := Parse([]string{"--help"}, nil, &all); err != nil || strings.Contains(all.String(), "bench-floor") {
		t.Errorf("%v\n%s", err, all.String())
	}
	if _, err := Parse([]string{"bench", "--help"}, nil, &bench); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(bench.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if text := bench.String(); !strings.Contains(text, "[default 1000]") || strings.Contains(text, "PARLEY_") {
		t.Errorf("it has no defaults, or variables:\n%s", text)
	}
}
