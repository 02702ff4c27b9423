package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// pair is a certificate for this machine with its key, in PEM, and the pool that trusts it.
type pair struct {
	cert, key []byte
	pool      *x509.CertPool
}

// thePair is that of every server with TLS; Client trusts it.
var thePair = sync.OnceValue(func() pair {
	p, err := newPair()
	if err != nil {
		panic(err)
	}
	return p
})

func newPair() (p pair, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return p, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return p, err
	}
	p.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	p.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	p.pool = x509.NewCertPool()
	if !p.pool.AppendCertsFromPEM(p.cert) {
		return p, errors.New("the certificate just made is none")
	}
	return p, nil
}

// TLSClient is how a client trusts servers with TLS.
func TLSClient() *tls.Config {
	return &tls.Config{RootCAs: thePair().pool, MinVersion: tls.VersionTLS12}
}

// TLS makes the server speak HTTPS, and so HTTP/2, with a certificate that Client trusts.
func TLS() Option {
	return func(tb testing.TB, p *program) {
		tb.Helper()
		dir := tb.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		err := errors.Join(os.WriteFile(cert, thePair().cert, 0o600), os.WriteFile(key, thePair().key, 0o600))
		if err != nil {
			tb.Fatalf("write the certificate: %v", err)
		}
		p.flags = append(p.flags, "--tls-cert", cert, "--tls-key", key)
	}
}
