package direct

import (
	"bytes"
	"net/http"
	"time"
)

// header is the status line and the header as net/http would write them for an answer without an end. What the
// handler took out of h, or set, is as it left it.
func header(h http.Header, r *http.Request) []byte {
	var b bytes.Buffer
	b.Grow(1 << 10)
	b.WriteString("HTTP/1.1 200 OK\r\n")
	if !r.ProtoAtLeast(1, 1) {
		b.Reset()
		b.WriteString("HTTP/1.0 200 OK\r\n")
	}
	_ = h.WriteSubset(&b, ours) // a Buffer takes all
	if _, set := h["Date"]; !set {
		b.WriteString("Date: ")
		b.Write(time.Now().UTC().AppendFormat(b.AvailableBuffer(), http.TimeFormat))
		b.WriteString("\r\n")
	}
	b.WriteString("Connection: close\r\n\r\n")
	return b.Bytes()
}

// ours say where the body ends, which here is said by the end of the connection.
var ours = map[string]bool{"Connection": true, "Transfer-Encoding": true, "Content-Length": true}
