package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"parley/internal/config"
)

// healthPatience is how long a server may take to say that it is well.
const healthPatience = 4 * time.Second

// health is `parley health`, for where there is no curl: no error means that the server answered with
// 200, which it says on one line.
func health(ctx context.Context, h config.Health, stdout io.Writer) error {
	target, trusted, err := healthTarget(h)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: trusted, DisableKeepAlives: true}
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", target, err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", target, resp.Status)
	}
	fmt.Fprintf(stdout, "%s answers %s\n", target, resp.Status)
	return nil
}

// healthTarget is the URL that was asked for, or the own server's by its flags, whose
// certificate alone is then trusted: no authority vouches for 127.0.0.1.
func healthTarget(h config.Health) (target string, trusted *tls.Config, err error) {
	if h.URL != "" {
		u, err := url.Parse(h.URL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return "", nil, fmt.Errorf("%q is no http:// or https:// URL", h.URL)
		}
		if u.Path == "" || u.Path == "/" {
			u.Path = "/readyz"
		}
		return u.String(), nil, nil
	}
	host, err := localHost(h.Addr)
	if err != nil {
		return "", nil, err
	}
	if h.TLSCert == "" {
		return "http://" + host + "/readyz", nil, nil
	}
	trusted, err = trustOnly(h.TLSCert)
	return "https://" + host + "/readyz", trusted, err
}

// localHost is where a server that listens on addr is reached from its own machine.
func localHost(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("--addr: %w", err)
	}
	if port == "0" {
		return "", errors.New("--addr has port 0, which may be any: say the URL to ask")
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

// trustOnly trusts the first certificate of the file, under the name that it has.
func trustOnly(file string) (*tls.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("--tls-cert: %s holds no PEM", file)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %s: %w", file, err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{RootCAs: pool, ServerName: nameOf(leaf), MinVersion: tls.VersionTLS12}, nil
}

// nameOf is a name that the certificate is good for; a wildcard stands for any label.
func nameOf(leaf *x509.Certificate) string {
	switch {
	case len(leaf.DNSNames) > 0:
		return strings.Replace(leaf.DNSNames[0], "*", "any", 1)
	case len(leaf.IPAddresses) > 0:
		return leaf.IPAddresses[0].String()
	default:
		return leaf.Subject.CommonName
	}
}
