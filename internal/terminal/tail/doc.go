// Package tail is `parley tail`.
//
// What is printed comes from one sequence of events that survives every break, in the order of the log. With a cursor file,
// the position behind an event is kept only when the event was written to standard output: a restart misses nothing. After
// an end by a signal nothing is printed twice either; after a crash, a kill or a power cut what was printed last may be.
package tail
