package api

import (
	"net/http"
	"testing"
)

// Whom a request comes from is the last one in its chain that is no proxy of ours, by however many lines that came.
func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	ours, err := parseProxies([]string{"127.0.0.0/8", "10.0.0.1", "2001:db8::/64"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		peer  string
		chain []string
		want  string
	}{
		{"127.0.0.1:80", nil, "127.0.0.1"},
		{"127.0.0.1:80", []string{"192.0.2.1, 198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:80", []string{"192.0.2.1", "198.51.100.7 , 10.0.0.1"}, "198.51.100.7"},
		{"127.0.0.1:80", []string{"10.0.0.1"}, "10.0.0.1"},
		{"127.0.0.1:80", []string{"192.0.2.1, unknown"}, "127.0.0.1"},
		{"127.0.0.1:80", []string{"192.0.2.1, unknown, 10.0.0.1"}, "10.0.0.1"},
		{"127.0.0.1:80", []string{""}, "127.0.0.1"},
		{"[::ffff:127.0.0.1]:80", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"[2001:db8::7]:80", []string{"fe80::1%eth0"}, "fe80::1"},
		{"[fe80::1%eth0]:80", []string{"192.0.2.1"}, "fe80::1"},
		{"192.0.2.9:80", []string{"198.51.100.7"}, "192.0.2.9"},
		{"somewhere", []string{"198.51.100.7"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.chain}}
		if got := ours.client(r).String(); got != tt.want {
			t.Errorf("%s with %q is %s, want %s", tt.peer, tt.chain, got, tt.want)
		}
		if got := (proxies{}).client(r); got != peerOf(r) {
			t.Errorf("without proxies %s with %q is %s", tt.peer, tt.chain, got)
		}
	}
}
