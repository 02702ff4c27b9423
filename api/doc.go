// Package api is Parley over HTTP: the routes and types generated from openapi.yaml, one file
// of handlers per resource, and what stands before them all.
//
// A request goes through, in this order: request id, security headers and access log, recovery, CORS, the
// operation's entry in the spec (what it needs), the check of its origin, the session, the limits, the body
// (size, media type, strict decoding), validation against the spec, the handler. Every
// refusal, the router's and the recovery's included, is written by one function as
// problem+json. Only this package knows of Gin, and no *gin.Context leaves it or goes to
// another goroutine.
package api
