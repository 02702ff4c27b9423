// Parley is a chat server: people talk by HTTP, events come by SSE. See README.md.
package main

import (
	"os"
	_ "time/tzdata" // containers have no time zones of their own, and opening hours are in some

	"parley/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
