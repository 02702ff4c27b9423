package session

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// DefaultServer is where `parley serve` listens unless it is told otherwise.
const DefaultServer = "http://127.0.0.1:8080"

var errServer = errors.New("the server must be a URL such as " + DefaultServer)

// Server brings a server's URL into the form that sessions are kept by: a lower-case scheme and host, no port that goes
// without saying, no slash at the end. The error does not quote the URL, which may have a password in it.
func Server(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errServer
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch u.Scheme {
	case "http", "https":
		if port == "" || port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			break
		}
		host = net.JoinHostPort(host, port)
	default:
		return "", errServer
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.EscapedPath(), "/"), nil
}
