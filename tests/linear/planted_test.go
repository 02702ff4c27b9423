package linear

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// plants are faults, each put into one object of a history that was right. A plant gives the history with the fault, or says that
// there is no place for it.
var plants = map[string]func(ops []porcupine.Operation) ([]porcupine.Operation, bool){
	"a read shows what was there before a message that was acknowledged": staleRead,
	"a read is of a moment before a message that was acknowledged":       staleMoment,
	"a nonce makes a second message":                                     doubledNonce,
	"a message is shown twice":                                           shownTwice,
	"an acknowledged message is lost":                                    lostMessage,
	"an edit of what is no longer so":                                    lostEdit,
	"two people get one name":                                            twoWinners,
	"somebody sends who was removed before":                              sentAfterRemoval,
}

// plantAll puts each fault into the first object that has a place for it, and demands that it is found.
func plantAll(t *testing.T, first begin, history []porcupine.Operation) {
	t.Helper()
	objects := byObject(history)
	for name, plant := range plants {
		planted := false
		for _, object := range slices.Sorted(maps.Keys(objects)) {
			wrong, found := plant(slices.Clone(objects[object]))
			if !found {
				continue
			}
			planted = true
			if result := first.verdict(object, wrong); result != porcupine.Illegal {
				t.Errorf("planted in %s: %s: %s", object, name, result)
			}
			break
		}
		if !planted {
			t.Errorf("%s: there is no place for it", name)
		}
	}
}

// pairs finds two operations that one after the other are what is asked for.
func pairs(ops []porcupine.Operation, is func(x, y porcupine.Operation) bool) (x, y int, found bool) {
	for x := range ops {
		for y := range ops {
			if ops[x].Return < ops[y].Call && is(ops[x], ops[y]) {
				return x, y, true
			}
		}
	}
	return 0, 0, false
}

// newest says whether it is an answered list of a room's newest messages.
func newest(op porcupine.Operation) bool {
	w := in(op).window
	return in(op).kind == list && out(op).status == http.StatusOK && w == window{limit: w.limit} && w.limit > 1
}

func staleRead(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	before, after, found := pairs(ops, func(x, y porcupine.Operation) bool {
		return newest(x) && newest(y) && in(x).who == in(y).who && in(x).window == in(y).window &&
			slices.ContainsFunc(ops, func(op porcupine.Operation) bool {
				return out(op).status == http.StatusCreated && x.Return < op.Call && op.Return < y.Call
			})
	})
	if found {
		o := out(ops[before])
		o.cursor = out(ops[after]).cursor
		ops[after].Output = o
	}
	return ops, found
}

func staleMoment(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	sent, read, found := pairs(ops, func(x, y porcupine.Operation) bool { return in(x).kind == wrote && in(y).kind == stood })
	if found {
		o := out(ops[read])
		o.cursor = out(ops[sent]).id - 1
		ops[read].Output = o
	}
	return ops, found
}

func doubledNonce(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	_, again, found := pairs(ops, func(x, y porcupine.Operation) bool {
		return in(x).kind == send && in(x) == in(y) && out(x).status == http.StatusCreated && out(y).status == http.StatusOK
	})
	if !found {
		return ops, false
	}
	i, o := in(ops[again]), output{id: newestBefore(ops, ops[again].Return) + 1}
	o.answer = ok(http.StatusCreated, shown{id: o.id, by: i.who, text: i.text})
	ops[again].Output = o
	return ops, true
}

// newestBefore is the newest message that anybody can have been told of then.
func newestBefore(ops []porcupine.Operation, moment int64) (id int64) {
	for _, op := range ops {
		if op.Call > moment {
			continue
		}
		id = max(id, out(op).id, out(op).cursor)
	}
	return id
}

func shownTwice(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	at := slices.IndexFunc(ops, func(op porcupine.Operation) bool { return newest(op) && len(out(op).shown) > 0 })
	if at < 0 {
		return ops, false
	}
	o := out(ops[at])
	o.shown = append(slices.Clone(o.shown), o.shown[len(o.shown)-1])
	ops[at].Output = o
	return ops, true
}

// lostMessage takes a message out of all that was shown, with whatever was done to it.
func lostMessage(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	sent, _, found := pairs(ops, func(x, y porcupine.Operation) bool {
		return in(x).kind == send && out(x).status == http.StatusCreated && newest(y) &&
			slices.ContainsFunc(out(y).shown, func(m shown) bool { return m.id == out(x).id })
	})
	if !found {
		return ops, false
	}
	id := out(ops[sent]).id
	var rest []porcupine.Operation
	for _, op := range ops {
		o := out(op)
		has := func(m shown) bool { return m.id == id }
		switch {
		case in(op).id == id && in(op).kind != list:
			continue
		case in(op).kind == list:
			o.shown = slices.DeleteFunc(slices.Clone(o.shown), has)
			op.Output = o
		case in(op).kind == look && slices.ContainsFunc(o.shown, has):
			continue
		}
		rest = append(rest, op)
	}
	return rest, true
}

// lostEdit lets an edit be done that was refused, since the text that it was to replace was replaced before.
func lostEdit(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	for at, op := range ops {
		if out(op).status != http.StatusPreconditionFailed {
			continue
		}
		i := in(op)
		_, _, found := pairs(ops, func(x, y porcupine.Operation) bool {
			first := in(x).text == i.onlyIf && (out(x).status == http.StatusCreated || out(x).status == http.StatusOK)
			return first && in(y).kind == edit && in(y).id == i.id && out(y).status == http.StatusOK && y.Return < op.Call
		})
		if found {
			ops[at].Output = output{answer: ok(http.StatusOK, shown{id: i.id, by: i.who, text: i.text, edited: true})}
			return ops, true
		}
	}
	return ops, false
}

// twoWinners gives a name to somebody while another one has it, from before until after.
func twoWinners(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	holds := func(op porcupine.Operation, name string) int {
		if in(op).kind == byName && key(in(op).name) == key(name) && out(op).status == http.StatusOK {
			return out(op).who
		}
		return -1
	}
	for at, op := range ops {
		if in(op).kind != rename || out(op).status != http.StatusConflict {
			continue
		}
		name := in(op).name
		_, _, found := pairs(ops, func(x, y porcupine.Operation) bool {
			holder := holds(x, name)
			return holder >= 0 && holds(y, name) == holder && x.Return < op.Call && op.Return < y.Call &&
				!slices.ContainsFunc(ops, func(o porcupine.Operation) bool {
					return in(o).kind == rename && in(o).who == holder && o.Call <= y.Return && x.Call <= o.Return
				})
		})
		if found {
			ops[at].Output = output{answer: answer{told: told{status: http.StatusOK, who: in(op).who, name: name}}}
			return ops, true
		}
	}
	return ops, false
}

// sentAfterRemoval lets somebody send who was removed before, and let in by nobody since.
func sentAfterRemoval(ops []porcupine.Operation) ([]porcupine.Operation, bool) {
	_, sent, found := pairs(ops, func(x, y porcupine.Operation) bool {
		who := in(y).who
		return in(x).kind == expel && in(x).whom == who && out(x).status == http.StatusNoContent &&
			in(y).kind == send && (out(y).code == "forbidden" || out(y).code == "not_found") &&
			!slices.ContainsFunc(ops, func(o porcupine.Operation) bool {
				in := in(o)
				return (in.kind == put && in.whom == who || in.kind == join && in.who == who) && o.Call <= y.Return && x.Call <= o.Return
			})
	})
	if !found {
		return ops, false
	}
	i, o := in(ops[sent]), output{id: newestBefore(ops, ops[sent].Return) + 1}
	o.answer = ok(http.StatusCreated, shown{id: o.id, by: i.who, text: i.text})
	ops[sent].Output = o
	return ops, true
}
