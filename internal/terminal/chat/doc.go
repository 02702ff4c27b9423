// Package chat is `parley chat`: the chat in a terminal, or by lines where input or output is none.
//
// What one knows of the chat is a board: rooms, people, messages. It has no screen and makes no calls; events and
// answers change it, and it says what must be asked for. The model around it is what Bubble Tea runs: one goroutine
// takes keys, events and answers in turn, so that nothing here needs a lock. Calls run beside it, each with the connection
// that it is for: an answer of a connection that is over is dropped.
//
//   - Events come by client.Events, which resumes by its cursor; a `reset` makes the board load everything anew.
//   - A page of history is true of its cursor. Events behind that which came before the page did are kept in the
//     board's journal and applied to it, so that no edit or reaction is lost or counted twice.
//   - A message is delivered with a nonce, those of a room one after the other. Until the server has it, it is shown as
//     being sent.
//   - Nothing that somebody else wrote reaches the terminal but by clean or cleanLine.
package chat
