package api

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// specYAML is openapi.yaml as it stands at the project's root, copied by tools/generate.sh.
//
//go:embed spec.gen.yaml
var specYAML []byte

// spec is what specYAML says. Nobody changes it.
type spec struct {
	doc  *openapi3.T
	json []byte
}

// theSpec reads specYAML, once for all servers of a process: a test's process has hundreds, and it takes longer than
// all else at a server's start.
var theSpec = sync.OnceValues(func() (*spec, error) {
	doc, err := openapi3.NewLoader().LoadFromData(specYAML)
	if err != nil {
		return nil, fmt.Errorf("load the API's spec: %w", err)
	}
	json, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the API's spec as JSON: %w", err)
	}
	return &spec{doc, json}, nil
})
