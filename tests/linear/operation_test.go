package linear

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/anishathalye/porcupine"
)

// How many act at once: each client makes one operation after the other, and some people have two, so that one person's
// nonces and edits meet too.
const (
	people  = 8
	clients = 12
)

// kind is what is done.
type kind uint8

const (
	send kind = iota
	list
	get
	edit
	erase
	like
	unlike
	join
	leave
	put
	expel
	ban
	unban
	members
	look
	rename
	byName
	byID
	wrote // the log's part of a send
	stood // the log's part of an answer with a cursor
)

var kinds = [...]string{
	"send", "list", "get", "edit", "delete", "like", "unlike", "join", "leave", "put", "expel", "ban", "unban",
	"members", "look", "rename", "byName", "byID", "wrote", "stood",
}

// reads says whether it changes nothing: of unknown outcome it says nothing.
func (k kind) reads() bool {
	return slices.Contains([]kind{list, get, members, look, byName, byID, stood}, k)
}

// role is what somebody is in a room, in the order of what they may do.
type role uint8

const (
	outsider role = iota
	member
	moderator
	owner
)

var roles = [...]string{"", "member", "moderator", "owner"}

// input is one operation.
type input struct {
	kind   kind
	object string // a room's id, or the prefix of a family's names
	who    int
	whom   int
	role   role // outsider: none is asked for
	nonce  string
	text   string
	onlyIf string // the text that an edit is to replace; empty: any
	id     int64  // of a message
	window window
	name   string
}

// window is which messages a list is asked for: the newest where no bound is given.
type window struct {
	before, after, around int64
	limit                 int
}

// output is what came of it.
type output struct {
	unknown bool
	id      int64 // of the message that a send made, as far as anybody came to know it
	cursor  int64 // the position of the log that the answer is of, 0 where it has none
	answer
}

// answer is what the model has to foretell.
type answer struct {
	told
	shown []shown
}

// told is what of an answer can be compared by ==.
type told struct {
	status      int
	code        string
	older, more bool // has_before, has_after
	roles       [people]role
	role        role
	count       int
	who         int
	name        string
}

// shown is a message as one reader sees it. A tombstone has but its id and who sent it.
type shown struct {
	id              int64
	by              int
	text            string
	edited, deleted bool
	likes           int
	mine            bool // one of the likes is the reader's
}

func (a answer) equals(b answer) bool { return a.told == b.told && slices.Equal(a.shown, b.shown) }

func refused(status int, code string) answer { return answer{told: told{status: status, code: code}} }

func ok(status int, messages ...shown) answer {
	return answer{told: told{status: status}, shown: messages}
}

var (
	notFound  = refused(http.StatusNotFound, "not_found")
	forbidden = refused(http.StatusForbidden, "forbidden")
	banned    = refused(http.StatusForbidden, "banned")
	conflict  = refused(http.StatusConflict, "conflict")
	done      = ok(http.StatusNoContent)
)

func in(op porcupine.Operation) input   { return op.Input.(input) }
func out(op porcupine.Operation) output { return op.Output.(output) }

func (i input) String() string {
	text := fmt.Sprintf("%s %d", kinds[i.kind], i.who)
	switch i.kind {
	case send:
		text += fmt.Sprintf(" %q nonce %q", i.text, i.nonce)
	case list:
		text += fmt.Sprintf(" %+v", i.window)
	case get, erase, like, unlike:
		text += fmt.Sprintf(" #%d", i.id)
	case edit:
		text += fmt.Sprintf(" #%d %q if %q", i.id, i.text, i.onlyIf)
	case put:
		text += fmt.Sprintf(" whom %d %s", i.whom, roles[i.role])
	case expel, ban, unban, byID:
		text += fmt.Sprintf(" whom %d", i.whom)
	case rename, byName:
		text += " " + i.name
	case wrote, stood, join, leave, members, look:
	}
	return text
}

func (o output) String() string {
	if o.unknown {
		return fmt.Sprintf("? (id %d)", o.id)
	}
	text := fmt.Sprint(o.status)
	if o.code != "" {
		text += " " + o.code
	}
	if o.cursor != 0 {
		text += fmt.Sprintf(" at %d", o.cursor)
	}
	if o.name != "" {
		text += fmt.Sprintf(" %d is %s", o.who, o.name)
	}
	for _, m := range o.shown {
		text += " " + m.String()
	}
	if o.count != 0 {
		text += fmt.Sprintf(" %v, %d members", o.roles, o.count)
	}
	return text
}

func (m shown) String() string {
	switch {
	case m.deleted:
		return fmt.Sprintf("#%d by %d gone", m.id, m.by)
	case m.likes > 0:
		return fmt.Sprintf("#%d by %d %q +%d", m.id, m.by, m.text, m.likes)
	default:
		return fmt.Sprintf("#%d by %d %q", m.id, m.by, m.text)
	}
}
