package linear

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"
)

// spellings are names that are the same to the server, in rows: which, is said here by hand.
var spellings = [][]string{
	{"ann", "Ann", "ANN"},
	{"straße", "STRASSE", "Strasse"},
	{"ωmega", "Ωmega", "ΩMEGA"},
	{"éva", "Éva", "ÉVA"},
	{"小明"},
	{"ꭰbc", "Ꭰbc"},
	{"bob", "BOB"},
	{"zoë", "Zoë", "ZOË"},
	{"carol", "Carol", "CAROL"},
	{"дмитрий", "Дмитрий"},
	{"x.y", "X.Y"},
	{"dan", "DAN"},
	{"eve", "Eve"},
	{"fay", "FAY"},
	{"νίκος", "Νίκος", "ΝΊΚΟΣ", "νίκοσ"},
	{"gül", "GÜL"},
	{"이름"},
	{"hal_9", "HAL_9"},
}

// key is the same for names that only one can have at a time.
func key(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	for _, row := range spellings {
		if slices.Contains(row, rest) {
			return row[0]
		}
	}
	return rest
}

// names is who is called what in one family, where one operation comes after the other.
type names [people]string

func (n names) apply(in input, _ output) (names, answer) {
	switch in.kind {
	case rename:
		if h := n.holder(in.name); h >= 0 && h != in.who {
			return n, refused(http.StatusConflict, "name_taken")
		}
		n[in.who] = in.name
		return n, n.tell(in.who)
	case byName:
		if h := n.holder(in.name); h >= 0 {
			return n, n.tell(h)
		}
		return n, notFound
	default:
		return n, n.tell(in.whom)
	}
}

func (n names) holder(name string) int {
	return slices.IndexFunc(n[:], func(own string) bool { return key(own) == key(name) })
}

func (n names) tell(who int) answer {
	return answer{told: told{status: http.StatusOK, who: who, name: n[who]}}
}

var seed = maphash.MakeSeed()

func (n names) hash() uint64 { return maphash.Comparable(seed, n) }

func (n names) String() string { return fmt.Sprint([people]string(n)) }
