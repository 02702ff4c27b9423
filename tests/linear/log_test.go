package linear

import (
	"net/http"

	"github.com/anishathalye/porcupine"
)

// head is the newest position of the log that anybody was told of.
type head int64

// apply holds a write or a read of any room against all the others: a message is later than whatever was answered before it
// was asked for, and nobody is shown a moment before one that somebody was already shown.
func (h head) apply(in input, of output) (head, answer, bool) {
	if in.kind == wrote {
		return head(of.id), ok(http.StatusCreated), of.id > int64(h)
	}
	return head(of.cursor), ok(http.StatusOK), of.cursor >= int64(h)
}

// theLog is the object that all rooms share: of each operation that tells a position, what it says of the log. A message that
// nobody answered for says when it was asked for, not when it was there.
const theLog = "log"

func ofTheLog(history []porcupine.Operation) (ops []porcupine.Operation) {
	for _, op := range history {
		i, o := in(op), out(op)
		switch {
		case i.kind == send && o.status == http.StatusCreated:
			op.Input, op.Output = input{kind: wrote, object: theLog, who: i.who}, output{id: o.id, answer: ok(o.status)}
		case o.cursor != 0:
			op.Input, op.Output = input{kind: stood, object: theLog, who: i.who}, output{cursor: o.cursor, answer: ok(o.status)}
		default:
			continue
		}
		ops = append(ops, op)
	}
	return ops
}
