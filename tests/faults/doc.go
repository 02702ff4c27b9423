// Package faults holds the program to what it promises of delivery while it is killed, its disk is full, its network is bad,
// its log is pruned and an old backup is put in its place. `go test` here is the short form, `make soak` the long one.
package faults
