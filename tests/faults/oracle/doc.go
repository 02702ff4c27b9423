// Package oracle says from the outside whether a server kept what it promises of delivery. It knows the promises, what was
// asked and answered, what every stream brought, and the rows of the log as they lie in the database; nothing of it is
// the server's code. From the rows and the answers it works out who was entitled to what:
//
//   - Ids are gapless from 1 to the head, but for the hole of a restore. What was answered before something else was asked
//     for has the smaller id.
//   - A membership is a spell from its member.joined to its member.left, both included; in a direct conversation from one's own
//     room.created on, in the lobby from one's registration on. Every join, leave, removal and ban that was answered is in
//     the log, in the order in which they were asked for, and no other is.
//   - A room's event belongs to who was a member at its id. After a removal or a ban, which have a reason, a connection made later
//     brings nothing of that spell but its last event; one that was open may have brought a part from the spell's beginning.
//   - Every message that was answered is there once; of those that were not answered at most one for each nonce. Nothing is there that
//     nobody sent, or that its sender had no right to at its id.
//   - A reader gets all of its user's events once, in id order, over all its connections, as the log has them. Only a reset
//     skips some, and only where the position was pruned, lost by a restore, or past the head.
//   - A read is true of its cursor, and its cursor is no older than what was known before the read was asked for.
package oracle
