package linear
import ("testing";"fmt";"sort";"github.com/anishathalye/porcupine")
func stats(t *testing.T, h []porcupine.Operation){ m:=map[string]int{}; for _,op:=range h{ o:=out(op); m[fmt.Sprintf("%-8s %d %s %v",kinds[in(op).kind],o.status,o.code,o.unknown)]++}
 var ks []string; for k:=range m{ks=append(ks,k)}; sort.Strings(ks); for _,k:=range ks{ t.Logf("%5d %s",m[k],k)}}
