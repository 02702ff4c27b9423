// Examples shows eventsource.html in front of a running Parley: go run ./examples
//
// A page and the API it calls need one origin, as they have behind the web server of a product. Here
// that web server is this program: it serves the page and passes /v1 on.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

//go:embed eventsource.html
var page []byte

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on")
	parley := flag.String("parley", "http://127.0.0.1:8080", "where Parley listens")
	flag.Parse()
	to, err := url.Parse(*parley)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	http.Handle("/v1/", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		// EventSource reconnects when a connection breaks, but gives up for good on a 502: while Parley
		// restarts, break it.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("open http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil)) //nolint:gosec // an example on the own machine
}
