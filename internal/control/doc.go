// Package control lets `parley user` work on a running server: HTTP and JSON over a Unix socket in the
// server's data directory. Whoever may open the socket, which its mode leaves to the server's own
// account and to root, is the operator; there is no other check.
//
// It is no public API: both ends are the same program. Without a server the command calls the same
// Handler in its own process, through a Client without a network.
//
// The socket is there while the server runs. One that a killed server left behind refuses every
// connection, by which the next server and the command know it.
package control
