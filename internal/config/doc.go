// Package config reads what an operator says: defaults, then the environment, then flags,
// into one Config that is validated as a whole before anything is started.
//
// Every flag --some-name has the variable PARLEY_SOME_NAME; an empty variable counts as
// not set. What is wrong is one UsageError of one line that names the flag, and the variable where
// the value came from one. No error and no log line holds a secret.
package config
