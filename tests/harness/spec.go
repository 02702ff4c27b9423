package harness

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Spec is openapi.yaml, read once, made strict for answers.
type Spec struct {
	doc    *openapi3.T
	routes []specRoute
}

type specRoute struct {
	segments []string // of the template; one in braces stands for anything
	route    *routers.Route
}

// TheSpec gives the spec of this repository.
var TheSpec = sync.OnceValue(func() *Spec {
	spec, err := loadSpec()
	if err != nil {
		panic(err)
	}
	return spec
})

func loadSpec() (*Spec, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("load the spec: %w", err)
	}
	// What these hold is for people; the spec says no more than that it is a text, or a file.
	for _, media := range []string{"text/html", "text/css", "text/javascript", "image/png"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	for _, schema := range doc.Components.Schemas {
		makeStrict(schema.Value)
	}
	s := &Spec{doc: doc}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			s.routes = append(s.routes, specRoute{
				segments: strings.Split(path, "/"),
				route:    &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
			})
		}
	}
	return s, nil
}

// Root is the directory of go.mod, above that of the test.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			err = errors.New("no go.mod above the test")
		}
		dir = parent
	}
	return "", fmt.Errorf("find the module: %w", err)
}

// makeStrict refuses fields that the schema does not name. Clients must let them pass; what we
// answer must be written down.
func makeStrict(s *openapi3.Schema) {
	if len(s.Properties) > 0 && s.AdditionalProperties.Has == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
}

// Pair is one answer that an operation lists.
type Pair struct {
	Operation string
	Status    int
}

// Pairs are all (operation, status) pairs that the spec lists; `default` is none.
func (s *Spec) Pairs() []Pair {
	var all []Pair
	for _, r := range s.routes {
		for status := range r.route.Operation.Responses.Map() {
			var n int
			if _, err := fmt.Sscanf(status, "%d", &n); err == nil {
				all = append(all, Pair{r.route.Operation.OperationID, n})
			}
		}
	}
	return all
}

// Operation is one call of the spec.
type Operation struct{ ID, Method, Path string }

// Operations are all calls of the spec.
func (s *Spec) Operations() []Operation {
	all := make([]Operation, 0, len(s.routes))
	for _, r := range s.routes {
		all = append(all, Operation{r.route.Operation.OperationID, r.route.Method, r.route.Path})
	}
	return all
}

// find gives the operation of a request as it was written, nil where there is none.
func (s *Spec) find(method string, u *url.URL) *routers.Route {
	segments := strings.Split(u.EscapedPath(), "/")
	var found *routers.Route
	for _, r := range s.routes {
		if r.route.Method == method && r.matches(segments) && (found == nil || !strings.Contains(r.route.Path, "{")) {
			found = r.route
		}
	}
	return found
}

func (r specRoute) matches(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		if strings.HasPrefix(want, "{") {
			if segments[i] == "" {
				return false
			}
		} else if segments[i] != want {
			return false
		}
	}
	return true
}

// millis is how the API writes moments.
var millis = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// schemaOptions make the validator hold the API's own rule for moments.
func schemaOptions() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{
		openapi3.EnableFormatValidation(), openapi3.VisitAsResponse(),
		openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(v string) error {
			if !millis.MatchString(v) {
				return fmt.Errorf("%q is not RFC 3339 in UTC with milliseconds", v)
			}
			return nil
		})),
	}
}

// checkAnswer holds a whole answer against the operation.
func (s *Spec) checkAnswer(route *routers.Route, req *http.Request, resp *http.Response, body []byte) error {
	if err := s.checkStatus(route, resp.StatusCode); err != nil {
		return err
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, SchemaValidationOptions: schemaOptions(),
		},
	}
	return openapi3filter.ValidateResponse(req.Context(), in.SetBodyBytes(body))
}

// checkStatus demands that the operation lists the status: `default` is for other servers.
func (s *Spec) checkStatus(route *routers.Route, status int) error {
	if route.Operation.Responses.Value(fmt.Sprint(status)) == nil {
		return fmt.Errorf("%s does not list the status %d", route.Operation.OperationID, status)
	}
	return nil
}

// check holds a JSON value against a named schema.
func (s *Spec) check(schema string, value any) error {
	return s.doc.Components.Schemas[schema].Value.VisitJSON(value, schemaOptions()...)
}

// Tag is under which heading the operation stands.
func (s *Spec) Tag(operation string) string {
	for _, r := range s.routes {
		if op := r.route.Operation; op.OperationID == operation && len(op.Tags) > 0 {
			return op.Tags[0]
		}
	}
	return ""
}
