// Package harness runs the whole of Parley inside a test and checks every answer against the spec.
//
// Start gives a server on a free port with data of its own. Users are its accounts; their calls
// give Answers, their streams Streams, each with the few assertions that stories are told in.
//
// Whatever goes through Client is held against openapi.yaml, more strictly than clients may: a
// status that the operation does not list, a field that the schema does not name, a time without
// its three digits, a JSON name twice, a missing X-Request-Id are all faults. Streams are checked
// while they flow, event by event, their order and their SSE fields too. A fault fails the call and
// is kept for Faults, so that no retry can swallow it. Seen says which (operation, status) pairs came.
//
// Only tests import this package.
package harness
