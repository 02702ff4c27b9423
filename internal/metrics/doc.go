// Package metrics turns what the parts of the server count into Prometheus' metrics. None of them knows
// Prometheus: they keep plain numbers, which are read when somebody asks (parts.go), or tell of what
// happens by a function that they were given (told.go).
//
// Labels take few values, all of them the program's own: routes are templates of the spec, methods those of
// HTTP, types and reasons those that package models and chat name. Nothing that a client sends makes a series.
//
// There is no package state: each Metrics has a registry of its own, as each server in a test has.
package metrics
