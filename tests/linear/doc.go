// Package linear holds the program to linearizability: people act on rooms and on names all at once, against a real server
// that is killed and started again meanwhile, and porcupine looks for an order of all operations, one at a time, that
// explains every answer and that nobody's clock contradicts. Where there is none, somebody read what was over, lost what
// was acknowledged, or got what only one could have.
//
// It is a module of its own, so that the program's go.mod stays small.
//
//   - operation_test.go: what can be asked, and what is answered
//   - room_test.go, members_test.go, names_test.go, log_test.go: what the answers have to be where one operation comes after the other;
//     written from the API's description, and sharing no code with the server
//   - check_test.go: the history cut into objects, and porcupine's verdict
//   - act_test.go, choose_test.go, stage_test.go, frame_test.go: who does what, where, first and last
//   - run_test.go, process_test.go: a server and its deaths
//   - linear_test.go: TestLinearizable, the long form of it with SOAK=30m, and again the same choices with SEED=…
//   - told_test.go, planted_test.go: the checks are checked by histories that are wrong
//
// # Unknown outcomes
//
// Who was cut off, or answered 503, does not know whether it was done. Such an operation stays in the history, its return is
// at the end of time, and its step gives two states, one where it took effect and one where it did not: so it may be placed
// anywhere behind its call, or, with the second state, nowhere. A message of unknown outcome that somebody saw later has an
// id by that, which says where it was placed; one that nobody ever saw had no effect that any answer could tell, and is left
// out. A call that found nobody listening was not made.
package linear
