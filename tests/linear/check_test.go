package linear

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// never is when an operation without an answer returns.
const never = math.MaxInt64

// begin is the kind of object that a name stands for, and how it is at first: rooms and families begin with what their
// makers saw before anybody else knew of them.
type begin map[string]any

// model is the whole of what the server is held to. A history is linearizable if that of each object is: rooms
// share nothing that an operation here asks for. A nonce is used for one room alone, whose id it begins with; people are neither banned
// from the server nor given another role there; names are looked at in families, whose names and people no other
// operation touches. What rooms do share is the log, and that is an object too, with the position that each
// operation told: it finds what is stale in one room after an answer of another.
func (b begin) model(object string) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{b[object]} },
		Step: step,
		Equal: func(x, y any) bool {
			if r, is := x.(*room); is {
				return r == y.(*room) || r.equals(y.(*room))
			}
			return x == y
		},
		Hash: func(s any) uint64 {
			switch s := s.(type) {
			case *room:
				return s.hash()
			case names:
				return s.hash()
			default:
				return uint64(s.(head))
			}
		},
		DescribeOperation: func(i, o any) string { return fmt.Sprintf("%v → %v", i, o) },
		DescribeState:     func(s any) string { return fmt.Sprint(s) },
	}
	return m.ToModel()
}

// step gives the states that an operation can lead to: none where it cannot have been answered so, two where nobody
// knows whether it was done.
func step(state, i, o any) []any {
	in, out := i.(input), o.(output)
	var next any
	var want answer
	switch s := state.(type) {
	case *room:
		r, a := s.apply(in, out)
		if r != nil {
			next, want = r, a
		}
	case names:
		next, want = s.apply(in, out)
	case head:
		if h, a, may := s.apply(in, out); may {
			next, want = h, a
		}
	}
	switch {
	case out.unknown && (next == nil || next == state):
		return []any{state}
	case out.unknown:
		return []any{next, state}
	case next != nil && want.equals(out.answer):
		return []any{next}
	default:
		return nil
	}
}

// settle makes a history of what the clients noted: messages of unknown outcome get the id by which anybody saw
// them, and what nobody can have noticed goes.
func settle(noted []porcupine.Operation) (history []porcupine.Operation) {
	seen := map[string]int64{} // ids by a message's first text: none but repeats have the same
	for _, op := range noted {
		if i := in(op); i.kind == send && out(op).unknown {
			seen[i.object+i.text] = 0
		}
	}
	for _, op := range noted {
		for _, m := range out(op).shown {
			if _, asked := seen[in(op).object+m.text]; asked {
				seen[in(op).object+m.text] = m.id
			}
		}
	}
	for _, op := range noted {
		i, o := in(op), out(op)
		if o.unknown && i.kind.reads() {
			continue
		}
		if o.unknown && i.kind == send {
			if o.id = seen[i.object+i.text]; o.id == 0 {
				continue
			}
			op.Output = o
		}
		history = append(history, op)
	}
	return history
}

// byObject cuts the history.
func byObject(history []porcupine.Operation) map[string][]porcupine.Operation {
	objects := map[string][]porcupine.Operation{theLog: ofTheLog(history)}
	for _, op := range history {
		objects[in(op).object] = append(objects[in(op).object], op)
	}
	return objects
}

// verdict is what porcupine says of one object's history. It needs a moment: the bound is for what cannot be decided.
func (b begin) verdict(object string, ops []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(b.model(object), ops, 5*time.Minute)
}

// check demands that the history is linearizable, and leaves a picture of what is not.
func (b begin) check(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	began := time.Now()
	objects := byObject(history)
	for object, ops := range objects {
		if result := b.verdict(object, ops); result != porcupine.Ok {
			t.Errorf("%d operations of %s: %s; see %s", len(ops), object, result, b.picture(t, object, ops))
		}
	}
	t.Logf("%d operations of %d objects looked through in %v", len(history), len(objects), time.Since(began).Round(time.Millisecond))
}

// picture draws an object's history with the longest orders that explain a part of it.
func (b begin) picture(t *testing.T, object string, ops []porcupine.Operation) string {
	t.Helper()
	_, info := porcupine.CheckOperationsVerbose(b.model(object), ops, time.Minute)
	path := filepath.Join(t.ArtifactDir(), strings.Trim(object, ".")+".html")
	if err := porcupine.VisualizePath(b.model(object), info, path); err != nil {
		return err.Error()
	}
	return path
}
