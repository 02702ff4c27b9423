package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// errCannot says that a mutant must be built by itself.
var errCannot = errors.New("it cannot be taken in")

// function is where a function's body stands in its file, the braces left out.
type function struct {
	begin, end int
	result     bool // it has one, and so its body ends by itself
	labels     bool
}

// body is what one mutant makes of a function.
type body struct {
	mutant string
	text   []byte
}

// source is a file in Go with its functions.
type source struct {
	text      []byte
	name      string // of the package
	functions []function
}

func read(text []byte) (source, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
	if err != nil {
		return source{}, errCannot // the compiler says it better
	}
	s := source{text: text, name: file.Name.Name}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		s.functions = append(s.functions, function{
			begin: files.Position(f.Body.Lbrace).Offset + 1, end: files.Position(f.Body.Rbrace).Offset,
			result: f.Type.Results != nil, labels: hasLabels(f.Body),
		})
	}
	return s, nil
}

func hasLabels(b *ast.BlockStmt) (found bool) {
	ast.Inspect(b, func(n ast.Node) bool {
		_, label := n.(*ast.LabeledStmt)
		found = found || label
		return !found
	})
	return found
}

func (s source) body(i int) []byte { return s.text[s.functions[i].begin:s.functions[i].end] }

// outside is the file without the bodies of its functions.
func (s source) outside() []byte {
	var out []byte
	at := 0
	for _, f := range s.functions {
		out = append(out, s.text[at:f.begin]...)
		at = f.end
	}
	return append(out, s.text[at:]...)
}

// changed gives the bodies of the broken file that are others, by the number of the function. A label is
// known in the whole of a function, which two bodies in one would both define: such cannot be taken in.
func changed(whole, broken source) (map[int][]byte, error) {
	if !bytes.Equal(whole.outside(), broken.outside()) {
		return nil, errCannot
	}
	bodies := map[int][]byte{}
	for i := range whole.functions {
		if bytes.Equal(whole.body(i), broken.body(i)) {
			continue
		}
		if broken.functions[i].labels {
			return nil, errCannot
		}
		bodies[i] = broken.body(i)
	}
	return bodies, nil
}

// blend puts the mutants' bodies before the functions' own: each is run where the switch names it.
func blend(whole source, bodies map[int][]body) []byte {
	var out []byte
	at := 0
	for i, f := range whole.functions {
		out = append(out, whole.text[at:f.begin]...)
		at = f.begin
		for _, b := range bodies[i] {
			out = fmt.Appendf(out, "\nif %s == %q {%s\n", switchName, b.mutant, b.text)
			if !f.result {
				out = append(out, "return\n"...)
			}
			out = append(out, "}\n"...)
		}
	}
	return append(out, whole.text[at:]...)
}

const switchName = "mutantOfThisRun"

// switchFile is the file that tells a package which mutant is asked for.
func switchFile(name string) []byte {
	return fmt.Appendf(nil, "package %s\n\nimport \"os\"\n\nvar %s = os.Getenv(%q)\n", name, switchName, "MUTANT")
}
