package config

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestParseChat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, env string
		address   string
		want      ChatArgs // but for the server
	}{
		{"", "", "http://127.0.0.1:8080", ChatArgs{}},
		{"", "PARLEY_SERVER=https://chat.example", "https://chat.example", ChatArgs{}},
		{"--server http://a:1/b", "PARLEY_SERVER=https://chat.example", "http://a:1/b", ChatArgs{}},
		{"-ip 127.0.0.1 -port 8080", "", "http://127.0.0.1:8080", ChatArgs{IP: "127.0.0.1", Port: 8080}},
		{"-ip=::1", "PARLEY_SERVER=https://chat.example", "http://[::1]:8080", ChatArgs{IP: "::1"}},
		{"--port=9", "PARLEY_IP=x", "http://127.0.0.1:9", ChatArgs{Port: 9}},
		{"--guest", "PARLEY_LOGIN=x", "http://127.0.0.1:8080", ChatArgs{Guest: true}},
		{"--login ann", "PARLEY_PASSWORD=hunter2", "http://127.0.0.1:8080", ChatArgs{Login: "ann", Password: "hunter2"}},
	} {
		in, err := Parse(append([]string{"chat"}, strings.Fields(tt.args)...), []string{tt.env}, io.Discard)
		got := in.Chat
		got.Server = ""
		if err != nil || in.Command != Chat || in.Chat.Address() != tt.address || got != tt.want {
			t.Errorf("%q: %s %+v, %v", tt.args, in.Chat.Address(), got, err)
		}
		if shown := fmt.Sprintf("%v %#v", in, in); strings.Contains(shown, "hunter2") {
			t.Errorf("the password is shown: %s", shown)
		}
	}
	refuse(t, []string{"chat", "--server=example.org"}, nil, "--server: must be a URL such as http://127.0.0.1:8080")
	refuse(t, []string{"chat"}, []string{"PARLEY_SERVER=ftp://h"}, "PARLEY_SERVER (flag --server): must be a URL such as http://127.0.0.1:8080")
	refuse(t, []string{"chat", "-port", "65536"}, nil, "--port: must be from 1 to 65535, not 65536")
	refuse(t, []string{"chat", "-ip", "a/b"}, nil, "--ip: must be an address or the name of a host")
	refuse(t, []string{"chat", "--guest", "--login=ann"}, nil, "--guest and --login can't be used together (parley --help lists what there is)")
}
