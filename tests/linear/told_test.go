package linear

import (
	"net/http"
	"testing"

	"github.com/anishathalye/porcupine"
)

// line is an operation of a history that is written by hand: when it was called, when it was answered, and how. At the
// beginning Ann owns a public room, Bob and Eve are its members, and nobody has a name that is told of.
type line struct {
	call, back int64
	in         input
	out        output
}

const (
	ann = iota
	bob
	eve
)

func sends(who int, nonce string) input {
	return input{kind: send, object: "room", who: who, nonce: nonce, text: "t" + nonce}
}

func lists(who int) input {
	return input{kind: list, object: "room", who: who, window: window{limit: 10}}
}

func puts(k kind, who, whom int) input { return input{kind: k, object: "room", who: who, whom: whom} }

func edits(who int, id int64, text, onlyIf string) input {
	return input{kind: edit, object: "room", who: who, id: id, text: text, onlyIf: onlyIf}
}

func calls(who int, name string) input {
	return input{kind: rename, object: "f.", who: who, name: "f." + name}
}

func finds(who int, name string) input {
	return input{kind: byName, object: "f.", who: who, name: "f." + name}
}

func said(who int, id int64, nonce string) shown { return shown{id: id, by: who, text: "t" + nonce} }

func made(who int, id int64, nonce string) output {
	return output{id: id, answer: ok(http.StatusCreated, said(who, id, nonce))}
}

func again(who int, id int64, nonce string) output {
	return output{answer: ok(http.StatusOK, said(who, id, nonce))}
}

func shows(cursor int64, messages ...shown) output {
	return output{cursor: cursor, answer: ok(http.StatusOK, messages...)}
}

func as(a answer) output { return output{answer: a} }

func named(who int, name string) output {
	return as(answer{told: told{status: http.StatusOK, who: who, name: "f." + name}})
}

func edited(who int, id int64, text string) output {
	return as(ok(http.StatusOK, shown{id: id, by: who, text: text, edited: true}))
}

var unknown = output{unknown: true}

func TestModel(t *testing.T) {
	t.Parallel()
	taken := as(refused(http.StatusConflict, "name_taken"))
	tests := map[string]struct {
		want  porcupine.CheckResult
		lines []line
	}{
		"a read of what was there before an acknowledged message": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 4, sends(bob, "2"), made(bob, 12, "2")},
			{5, 6, lists(eve), shows(13, said(ann, 11, "1"))},
		}},
		"the same while the message was still on its way": {porcupine.Ok, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 7, sends(bob, "2"), made(bob, 14, "2")},
			{5, 6, lists(eve), shows(13, said(ann, 11, "1"))},
		}},
		"the same with a cursor behind that message": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 7, sends(bob, "2"), made(bob, 12, "2")},
			{5, 6, lists(eve), shows(13, said(ann, 11, "1"))},
		}},
		"a moment before one that was shown already": {porcupine.Illegal, []line{
			{1, 2, lists(ann), shows(13)},
			{3, 4, lists(eve), shows(12)},
		}},
		"an id before what was shown already": {porcupine.Illegal, []line{
			{1, 2, lists(ann), shows(13)},
			{3, 4, sends(eve, "1"), made(eve, 12, "1")},
		}},
		"two ids against the order of their sends": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 12, "1")},
			{3, 4, sends(bob, "2"), made(bob, 11, "2")},
		}},
		"a nonce that makes two messages": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 4, sends(ann, "1"), made(ann, 12, "1")},
		}},
		"a nonce that gives its message": {porcupine.Ok, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 4, sends(ann, "1"), again(ann, 11, "1")},
		}},
		"a message of unknown outcome that is there": {porcupine.Ok, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, lists(eve), shows(12, said(ann, 11, "1"))},
		}},
		"one that is there later": {porcupine.Ok, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, lists(eve), shows(12)},
			{5, 6, lists(eve), shows(15, said(ann, 14, "1"))},
		}},
		"one that nobody ever sees": {porcupine.Ok, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, lists(eve), shows(12)},
			{5, 6, sends(bob, "2"), made(bob, 13, "2")},
			{7, 8, lists(eve), shows(14, said(bob, 13, "2"))},
		}},
		"one that is there and then is not": {porcupine.Illegal, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, lists(eve), shows(12, said(ann, 11, "1"))},
			{5, 6, lists(eve), shows(12)},
		}},
		"one before what was shown without it": {porcupine.Illegal, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, lists(eve), shows(12)},
			{5, 6, lists(eve), shows(13, said(ann, 11, "1"))},
		}},
		"one whose repeat makes it": {porcupine.Ok, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, sends(ann, "1"), made(ann, 12, "1")},
			{5, 6, lists(eve), shows(12, said(ann, 12, "1"))},
		}},
		"one whose repeat finds it": {porcupine.Ok, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, sends(ann, "1"), again(ann, 11, "1")},
		}},
		"one that is there beside its repeat": {porcupine.Illegal, []line{
			{1, never, sends(ann, "1"), unknown},
			{3, 4, sends(ann, "1"), made(ann, 12, "1")},
			{5, 6, lists(eve), shows(12, said(ann, 11, "1"), said(ann, 12, "1"))},
		}},
		"a message that was acknowledged and is lost": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 4, lists(eve), shows(12)},
		}},
		"a message by somebody removed before": {porcupine.Illegal, []line{
			{1, 2, puts(expel, ann, bob), as(done)},
			{3, 4, sends(bob, "1"), made(bob, 12, "1")},
		}},
		"a message by somebody who is being removed": {porcupine.Ok, []line{
			{1, 4, puts(expel, ann, bob), as(done)},
			{3, 6, sends(bob, "1"), made(bob, 12, "1")},
			{7, 8, sends(bob, "2"), as(forbidden)},
		}},
		"a removal of unknown outcome that was not": {porcupine.Ok, []line{
			{1, never, puts(expel, ann, bob), unknown},
			{3, 4, sends(bob, "1"), made(bob, 12, "1")},
		}},
		"one that was, and was taken back by nobody": {porcupine.Illegal, []line{
			{1, never, puts(expel, ann, bob), unknown},
			{3, 4, sends(bob, "1"), as(forbidden)},
			{5, 6, sends(bob, "2"), made(bob, 12, "2")},
		}},
		"somebody banned who comes back": {porcupine.Illegal, []line{
			{1, 2, puts(ban, ann, bob), as(ok(http.StatusOK))},
			{3, 4, puts(join, bob, bob), as(is(member))},
		}},
		"a role that nobody gave": {porcupine.Illegal, []line{
			{1, 2, puts(expel, bob, eve), as(done)},
		}},
		"two edits of one text, each if it is still so": {porcupine.Illegal, []line{
			{1, 2, sends(ann, "1"), made(ann, 11, "1")},
			{3, 6, edits(ann, 11, "a", "t1"), edited(ann, 11, "a")},
			{4, 5, edits(ann, 11, "b", "t1"), edited(ann, 11, "b")},
		}},
		"two people who win one name": {porcupine.Illegal, []line{
			{1, 4, calls(ann, "x"), named(ann, "x")},
			{2, 3, calls(bob, "x"), named(bob, "x")},
		}},
		"one after the other has given it up": {porcupine.Ok, []line{
			{1, 8, calls(ann, "x"), named(ann, "x")},
			{2, 7, calls(ann, "y"), named(ann, "y")},
			{3, 6, calls(bob, "x"), named(bob, "x")},
			{9, 10, finds(eve, "x"), named(bob, "x")},
		}},
		"a name that is taken by another spelling": {porcupine.Ok, []line{
			{1, 2, calls(ann, "straße"), named(ann, "straße")},
			{3, 4, calls(bob, "STRASSE"), taken},
			{5, 6, finds(eve, "Strasse"), named(ann, "straße")},
		}},
		"a name that is refused and free": {porcupine.Illegal, []line{
			{1, 2, finds(eve, "x"), as(notFound)},
			{3, 4, calls(bob, "x"), taken},
		}},
		"a rename of unknown outcome, found and then not": {porcupine.Illegal, []line{
			{1, never, calls(ann, "x"), unknown},
			{3, 4, finds(eve, "x"), named(ann, "x")},
			{5, 6, finds(eve, "x"), as(notFound)},
		}},
		"not found and then found": {porcupine.Ok, []line{
			{1, never, calls(ann, "x"), unknown},
			{3, 4, finds(eve, "x"), as(notFound)},
			{5, 6, finds(eve, "x"), named(ann, "x")},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var noted []porcupine.Operation
			for _, l := range test.lines {
				noted = append(noted, porcupine.Operation{ClientId: l.in.who, Input: l.in, Call: l.call, Output: l.out, Return: l.back})
			}
			if got := verdict(noted); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// verdict is that of all objects together.
func verdict(noted []porcupine.Operation) porcupine.CheckResult {
	first := begin{theLog: head(0), "f.": names{"f.a", "f.b", "f.c"}, "room": &room{floor: 1, roles: [people]role{owner, member, member}}}
	for object, ops := range byObject(settle(noted)) {
		if result := first.verdict(object, ops); result != porcupine.Ok {
			return result
		}
	}
	return porcupine.Ok
}
