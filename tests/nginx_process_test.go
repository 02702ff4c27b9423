package tests

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nginx is a running nginx with examples/nginx.conf, of which only addresses and paths are changed.
type nginx struct {
	t                    *testing.T
	dir                  string
	plain, tls, redirect string         // host:port; the first is TLS left out
	roots                *x509.CertPool // of its certificate, which is for example.com

	cmd    *exec.Cmd
	stderr *shared
	exited chan struct{}
}

// startNginx starts it in front of the server at that host:port. The test is skipped where there is no
// nginx, but not in CI.
func startNginx(t *testing.T, parley string) *nginx {
	t.Helper()
	program := findNginx(t)
	n := &nginx{t: t, dir: t.TempDir(), plain: freePort(t), tls: freePort(t), redirect: freePort(t)}
	n.certificate()
	n.write("parley.conf", n.example(parley))
	n.write("nginx.conf", n.frame())
	n.start(program)
	t.Cleanup(n.stop)
	return n
}

func findNginx(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil { // Debian keeps it where only root looks
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no nginx on the PATH, and CI must have one")
	}
	if err != nil {
		t.Skip("no nginx on the PATH: examples/nginx.conf is not tested")
	}
	return program
}

// example is examples/nginx.conf for this machine; its TLS server listens without TLS too.
func (n *nginx) example(parley string) string {
	n.t.Helper()
	conf, err := os.ReadFile("../examples/nginx.conf")
	if err != nil {
		n.t.Fatal(err)
	}
	text := string(conf)
	for _, change := range [][2]string{
		{"server 127.0.0.1:8080;", "server " + parley + ";"},
		{"listen 80;", "listen " + n.redirect + ";"},
		{"listen [::]:80;", ""},
		{"listen 443 ssl http2;", "listen " + n.tls + " ssl http2;"},
		{"listen [::]:443 ssl http2;", "listen " + n.plain + ";"},
		{"/etc/letsencrypt/live/chat.example.org/fullchain.pem", n.path("cert.pem")},
		{"/etc/letsencrypt/live/chat.example.org/privkey.pem", n.path("key.pem")},
		{"/var/log/nginx/parley.log", n.path("access.log")},
	} {
		if c := strings.Count(text, change[0]); c != 1 {
			n.t.Fatalf("examples/nginx.conf has %q %d times", change[0], c)
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	return text
}

// frame is what Debian's nginx.conf is to the example, without anything below /var.
func (n *nginx) frame() string {
	frame := "daemon off;\nworker_processes 2;\nerror_log stderr warn;\npid " + n.path("pid") + ";\n"
	if os.Getuid() == 0 { // else its workers are somebody who cannot write to dir
		frame += "user root;\n"
	}
	frame += "events { worker_connections 1024; }\nhttp {\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		frame += fmt.Sprintf("  %s_temp_path %s;\n", kind, n.path(kind))
	}
	return frame + "  access_log off;\n  gzip on;\n  include " + n.path("parley.conf") + ";\n}\n"
}

// certificate borrows the certificate and the key that httptest's servers have.
func (n *nginx) certificate() {
	n.t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		n.t.Fatal(err)
	}
	n.roots = x509.NewCertPool()
	n.roots.AddCert(s.Certificate())
	n.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	n.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

func (n *nginx) path(name string) string { return filepath.Join(n.dir, name) }

func (n *nginx) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(n.path(name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *nginx) read(name string) string {
	n.t.Helper()
	text, err := os.ReadFile(n.path(name))
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// start waits until it lets somebody in.
func (n *nginx) start(program string) {
	n.t.Helper()
	n.stderr, n.exited = &shared{}, make(chan struct{})
	n.cmd = exec.Command(program, "-e", "stderr", "-p", n.dir, "-c", n.path("nginx.conf"))
	n.cmd.Stderr = n.stderr
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, exited chan<- struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(n.cmd, n.exited)
	err := eventually(n.t.Context(), func() error {
		select {
		case <-n.exited:
			n.t.Fatalf("nginx ended\n%s", n.stderr)
		default:
		}
		conn, err := net.Dial("tcp", n.plain)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		n.t.Fatalf("nginx does not listen: %v\n%s", err, n.stderr)
	}
}

// stop ends it at once, and breaks all connections.
func (n *nginx) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	<-n.exited
	if strings.Contains(n.stderr.String(), "[emerg]") || strings.Contains(n.stderr.String(), "[alert]") {
		n.t.Errorf("nginx complains:\n%s", n.stderr)
	}
}

// client speaks HTTP/2 over TLS to it.
func (n *nginx) client() *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: n.roots, ServerName: "example.com"},
		ForceAttemptHTTP2: true,
	}
	n.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
