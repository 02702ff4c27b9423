// Parley is a chat server: people talk by HTTP, events come by SSE. See README.md.
package main

import (
	"os"

	"parley/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
