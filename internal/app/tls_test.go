package app

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	mathbig "math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/config"
)

// writePair makes a certificate for this machine with the serial number and writes it and its key.
func writePair(t *testing.T, certFile, keyFile string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: mathbig.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", secret)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pairFiles are the files of a new pair.
func pairFiles(t *testing.T) (cfg config.Config, pool *x509.CertPool) {
	t.Helper()
	cfg = testConfig(t.TempDir())
	cfg.TLSCert, cfg.TLSKey = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	return cfg, writePair(t, cfg.TLSCert, cfg.TLSKey, 1)
}

func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	cfg, _ := pairFiles(t)
	var lines page
	tlsConfig, err := serverTLS(cfg, slog.New(slog.NewTextHandler(&lines, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate{certFile: cfg.TLSCert, keyFile: cfg.TLSKey, log: slog.New(slog.NewTextHandler(&lines, nil))}
	c.seen = c.look()
	if c.pair.Store(must(c.read())); tlsConfig.MinVersion != tls.VersionTLS12 {
		t.Errorf("least version %x", tlsConfig.MinVersion)
	}
	serial := func() int64 {
		c.next.Store(0) // a second has passed
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Fatalf("serial %d", n)
	}
	// A key that does not belong to it, and then none at all: the old pair stays.
	writePair(t, cfg.TLSCert, filepath.Join(t.TempDir(), "elsewhere.pem"), 2)
	touch(t, cfg.TLSCert, 1)
	for range 3 {
		if n := serial(); n != 1 {
			t.Errorf("with a key of another: serial %d", n)
		}
	}
	if n := strings.Count(lines.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings about one change:\n%s", n, lines.String())
	}
	if err := os.Remove(cfg.TLSKey); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 1 {
		t.Errorf("without a key: serial %d", n)
	}
	writePair(t, cfg.TLSCert, cfg.TLSKey, 3)
	touch(t, cfg.TLSCert, 2)
	if n := serial(); n != 3 {
		t.Errorf("serial %d after the third was written", n)
	}
	// Not looked for at every handshake.
	writePair(t, cfg.TLSCert, cfg.TLSKey, 4)
	touch(t, cfg.TLSCert, 3)
	if pair, _ := c.get(nil); pair.Leaf.SerialNumber.Int64() != 3 {
		t.Error("the files are looked at again within a second")
	}
	if n := serial(); n != 4 {
		t.Errorf("serial %d after a second", n)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// touch makes the file's time another, also where the file system knows none as fine.
func touch(t *testing.T, file string, hours int) {
	t.Helper()
	at := time.Now().Add(time.Duration(hours) * time.Hour)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateThatIsNone(t *testing.T) {
	t.Parallel()
	good, _ := pairFiles(t)
	other, _ := pairFiles(t)
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("no PEM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ cert, key, want string }{
		"no cert":     {bad + "x", good.TLSKey, "--tls-cert: open "},
		"no key":      {good.TLSCert, bad + "x", "--tls-key: open "},
		"bad cert":    {bad, good.TLSKey, "--tls-cert " + bad},
		"bad key":     {good.TLSCert, bad, "--tls-key " + bad},
		"other's key": {good.TLSCert, other.TLSKey, "--tls-key " + other.TLSKey},
	} {
		cfg := testConfig(t.TempDir())
		cfg.TLSCert, cfg.TLSKey = tt.cert, tt.key
		_, err := New(t.Context(), cfg, Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The program says https, and who speaks plain HTTP to it is told.
func TestProgramSpeaksTLS(t *testing.T) {
	t.Parallel()
	cfg, pool := pairFiles(t)
	p := startProgram(t, "--addr=127.0.0.1:0", "--tls-cert="+cfg.TLSCert, "--tls-key="+cfg.TLSKey)
	defer func() {
		p.signal(t, os.Interrupt)
		if code := p.wait(t); code != exitOK {
			t.Errorf("exit code %d\n%s", code, p.stderr.String())
		}
	}()
	url := strings.Fields(strings.TrimPrefix(p.line, "Parley listens on "))[0]
	if !strings.HasPrefix(url, "https://127.0.0.1:") || strings.Contains(p.line, "http://") {
		t.Fatalf("the first line is %q", p.line)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%d by %s, %v", resp.StatusCode, resp.Proto, resp.Header)
	}

	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.0 400 ") {
		t.Errorf("plain HTTP is answered %q, %v", line, err)
	}
	old := &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
}
