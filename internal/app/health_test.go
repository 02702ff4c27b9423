package app

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/config"
)

// well is a server that answers at /readyz and, differently, everywhere else.
func well(t *testing.T, status int) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
	})
}

func TestHealthAsksTheServerOfTheFlags(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(well(t, 200))
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	port := addr[strings.LastIndex(addr, ":"):]
	for _, tt := range []struct{ args, environ []string }{
		{args: []string{"health", "--addr", addr}},
		{args: []string{"health", "--addr", port}},
		{args: []string{"health"}, environ: []string{"PARLEY_ADDR=0.0.0.0" + port}},
		{args: []string{"health", s.URL}},
		{args: []string{"health", s.URL + "/"}, environ: []string{"PARLEY_ADDR=127.0.0.1:1"}},
	} {
		var stdout, stderr bytes.Buffer
		want := "http://" + addr + "/readyz answers 200 OK\n"
		if code := Main(tt.args, tt.environ, &stdout, &stderr); code != exitOK || stdout.String() != want {
			t.Errorf("%q %q: exit code %d, %s%s", tt.args, tt.environ, code, stdout.String(), stderr.String())
		}
	}
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	ill := httptest.NewServer(well(t, 503))
	t.Cleanup(ill.Close)
	encrypted := httptest.NewTLSServer(well(t, 200))
	t.Cleanup(encrypted.Close)
	noPEM := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(noPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{ill.URL}, exitFailure, ill.URL + "/readyz answers 503 Service Unavailable"},
		{[]string{ill.URL + "/healthz"}, exitFailure, ill.URL + "/healthz answers 418"},
		{[]string{"--addr=127.0.0.1:1"}, exitFailure, "connection refused"},
		{[]string{"--addr=:0"}, exitFailure, "port 0"},
		{[]string{"--addr=nowhere"}, exitFailure, "--addr: "},
		{[]string{"ftp://x"}, exitFailure, `"ftp://x" is no http:// or https:// URL`},
		{[]string{encrypted.URL}, exitFailure, "certificate"},
		{[]string{"--tls-cert=" + noPEM}, exitFailure, noPEM + " holds no PEM"},
		{[]string{"--tls-cert=" + noPEM + "x"}, exitFailure, "no such file"},
		{[]string{"one", "two"}, exitUsage, "unexpected argument two"},
	}
	for _, tt := range tests {
		var stdout, stderr bytes.Buffer
		code := Main(append([]string{"health"}, tt.args...), nil, &stdout, &stderr)
		if got := stderr.String(); code != tt.code || !strings.Contains(got, tt.want) ||
			strings.Count(got, "\n") != 1 || stdout.Len() != 0 {
			t.Errorf("%q: exit code %d\nstdout %s\nstderr %s", tt.args, code, stdout.String(), got)
		}
	}
}

// The server's own certificate is trusted, though no authority vouches for it.
func TestHealthTrustsTheServersCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(well(t, 200))
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "cert.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	h := config.Health{Addr: s.Listener.Addr().String(), TLSCert: file}
	if err := health(t.Context(), h, &stdout); err != nil || !strings.HasPrefix(stdout.String(), "https://127.0.0.1:") {
		t.Errorf("%v %s", err, stdout.String())
	}
}

func TestHealthNamesWhatTheCertificateIsGoodFor(t *testing.T) {
	t.Parallel()
	tests := []x509.Certificate{
		{DNSNames: []string{"chat.example.org", "example.org"}},
		{DNSNames: []string{"*.example.org"}},
		{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}},
		{IPAddresses: []net.IP{net.IPv6loopback}},
	}
	for _, leaf := range tests {
		if err := leaf.VerifyHostname(nameOf(&leaf)); err != nil {
			t.Error(err)
		}
	}
}
