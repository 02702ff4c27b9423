//go:build !unix

package app

// openFileLimit is not known here: there is none to run into.
func openFileLimit() uint64 { return 0 }
