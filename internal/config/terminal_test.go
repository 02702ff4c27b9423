package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseSend(t *testing.T) {
	t.Parallel()
	const server = "https://chat.example/parley"
	for _, tt := range []struct {
		args, env []string
		want      SendArgs
	}{
		{[]string{"hi"}, nil, SendArgs{Timeout: time.Minute, Text: []string{"hi"}}},
		{nil, []string{"PARLEY_TO=x", "PARLEY_NONCE=x", "PARLEY_TIMEOUT=9s", "PARLEY_LOGIN=x", "PARLEY_JSON=true"}, SendArgs{Timeout: time.Minute}},
		{
			[]string{"--to", "@张三", "hello", "there", "--timeout=0", "--nonce=n", "--json"}, []string{"PARLEY_SERVER=" + server, "PARLEY_TOKEN=t"},
			SendArgs{Access: Access{Server: server, Token: "t"}, To: new("@张三"), Nonce: "n", JSON: true, Text: []string{"hello", "there"}},
		},
		{
			[]string{"--login=ann", "--lines", "--to=#kitchen", "--join"}, []string{"PARLEY_PASSWORD=hunter2"},
			SendArgs{Access: Access{Login: "ann", Password: "hunter2"}, To: new("#kitchen"), Join: true, Lines: true, Timeout: time.Minute},
		},
		{[]string{"--guest", "--", "--to"}, nil, SendArgs{Access: Access{Guest: true}, Timeout: time.Minute, Text: []string{"--to"}}},
	} {
		in, err := Parse(append([]string{"send"}, tt.args...), tt.env, io.Discard)
		if err != nil || in.Command != Send || !reflect.DeepEqual(in.Send, tt.want) {
			t.Errorf("%q %q: %+v, %v; want %+v", tt.args, tt.env, in.Send, err, tt.want)
		}
		if shown := fmt.Sprintf("%v %+v %#v", in, in, in); strings.Contains(shown, "hunter2") {
			t.Errorf("the password is shown: %s", shown)
		}
	}
	refuse(t, []string{"send", "--login=ann", "--guest"}, nil, "--login and --guest can't be used together (parley --help lists what there is)")
	refuse(t, []string{"send", "--guest"}, []string{"PARLEY_TOKEN=hunter2"}, "PARLEY_TOKEN (flag --token): goes without --login and --guest: they make a session of their own")
	refuse(t, []string{"send"}, []string{"PARLEY_SERVER=http://u:hunter2@h"}, "PARLEY_SERVER (flag --server): must be a URL such as http://127.0.0.1:8080")
	refuse(t, []string{"send", "--timeout=-1s"}, nil, "--timeout: must be 0 or at least 1s, not -1s")
}

func TestParseTail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, env []string
		want      TailArgs
	}{
		{nil, []string{"PARLEY_ROOM=x", "PARLEY_AFTER=1", "PARLEY_CURSOR=c", "PARLEY_LAST=1"}, TailArgs{}},
		{[]string{"-n", "5", "--room=lobby,@bob", "--room=7", "--join"}, nil, TailArgs{Room: []string{"lobby", "@bob", "7"}, Join: true, Last: 5}},
		{[]string{"--after=0", "--cursor=c", "--types=typing", "--json"}, nil, TailArgs{After: new(int64(0)), Cursor: "c", Types: []string{"typing"}, JSON: true}},
	} {
		in, err := Parse(append([]string{"tail"}, tt.args...), tt.env, io.Discard)
		if err != nil || in.Command != Tail || !reflect.DeepEqual(in.Tail, tt.want) {
			t.Errorf("%q: %+v, %v; want %+v", tt.args, in.Tail, err, tt.want)
		}
	}
	refuse(t, []string{"tail", "--room=lobby,@"}, nil, "--room: must be a channel, a room's id or @name, not empty")
	refuse(t, []string{"tail", "--after=now"}, nil, `--after: must be a whole number, not "now"`)
}
