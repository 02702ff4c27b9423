// Package send is `parley send`.
//
// A message is tried with one nonce until the server has said yes or no, or patience has ended. So it is stored once or not
// at all, and what is not known afterwards (ErrUnfinished) can be settled by calling again with the nonce that is told.
package send
