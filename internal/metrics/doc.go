// Package metrics turns what the parts of the server count into Prometheus' metrics. None of them knows
// Prometheus: they keep plain numbers, which are read when somebody asks (parts.go), or tell of what
// happens by a function that they were given (told.go).
//
// Labels take few values, almost all of them the program's own: routes are templates of the spec, methods those of
// HTTP, types and reasons those that package models and chat name. Only the names of support's departments are the
// admins', who make each of them; what is no more has no series. Nothing that anybody else sends makes one.
//
// There is no package state: each Metrics has a registry of its own, as each server in a test has.
package metrics
