package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"parley/internal/limit"
)

// operation is what the spec says of one route, worked out once at start.
type operation struct {
	route    *routers.Route // for the validator; its security is empty, we check that ourselves
	public   bool           // needs no session
	tickets  bool           // takes ?ticket=
	setsCook bool           // answers with a session cookie
	stream   bool           // its answer does not end
	lasting  bool           // waits for what happens: a stream or a long-poll
	acts     bool           // counts as the user doing something
	hot      bool           // its body is read by hand where that can be
	body     *openapi3.RequestBody
	limits   []*limit.Counter // by account and by address, in the order in which they are asked
}

const lastEventID = "Last-Event-Id"

// operations indexes the spec by method and Gin's form of the path.
func operations(doc *openapi3.T) map[string]*operation {
	all := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			all[method+" "+ginPath(path)] = newOperation(doc, path, item, method, op)
		}
	}
	return all
}

func newOperation(doc *openapi3.T, path string, item *openapi3.PathItem, method string, op *openapi3.Operation) *operation {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	// A ticket is got by a client by itself, in order to stream.
	o := &operation{public: len(security) == 0, acts: changesState(method) && op.OperationID != "createTicket"}
	for _, requirement := range security {
		if _, ok := requirement["ticket"]; ok {
			o.tickets = true
		}
	}
	switch op.OperationID {
	case "register", "login", "guest":
		o.setsCook = true
	case "streamEvents", "streamNDJSON", "pollEvents":
		o.lasting = true
	case "send":
		o.hot = true
	}
	if ok := op.Responses.Status(http.StatusOK); ok != nil {
		o.stream = ok.Value.Content.Get(sseType) != nil || ok.Value.Content.Get(ndjsonType) != nil
	}
	if op.RequestBody != nil {
		o.body = op.RequestBody.Value
	}
	unsecured := *op
	unsecured.Security = &openapi3.SecurityRequirements{}
	o.route = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: &unsecured}
	return o
}

// ginPath writes `{room}` as `:room`.
func ginPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && strings.HasSuffix(p, "}") {
			parts[i] = ":" + p[1:len(p)-1]
		}
	}
	return strings.Join(parts, "/")
}

// findOperation notes the operation of the request for the steps after it, and puts its query in order.
func (s *server) findOperation(c *gin.Context) {
	op, ok := s.operations[c.Request.Method+" "+c.FullPath()]
	if !ok {
		s.refuse(c, fmt.Errorf("route %s %s is not in the spec", c.Request.Method, c.FullPath()))
		return
	}
	if op.stream && aboutOf(c).head {
		s.refuseMethod(c)
		return
	}
	aboutOf(c.Request.Context()).op = op
	c.Request.URL.RawQuery = normalQuery(c.Request.URL.RawQuery)
	for _, name := range []string{lastEventID, ifMatch} {
		if lines := c.Request.Header.Values(name); len(lines) > 1 {
			c.Request.Header.Set(name, strings.Join(lines, ",")) // as proxies do; of Last-Event-ID no position either way
		}
	}
}

func operationOf(c *gin.Context) *operation { return aboutOf(c.Request.Context()).op }

// changesState says whether the method may change something.
func changesState(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}
