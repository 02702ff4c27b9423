package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"parley/models"
)

// takesHEAD answers HEAD as GET wherever there is a GET; net/http leaves the body out.
func takesHEAD(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), headKey, true))
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// method is the one that the client wrote.
func method(c *gin.Context) string {
	if aboutOf(c.Request.Context()).head {
		return http.MethodHead
	}
	return c.Request.Method
}

// refuseMethod answers 405 with what the path takes; the router has said so in Allow, but for HEAD. A stream has
// no end, and so no HEAD.
func (s *server) refuseMethod(c *gin.Context) {
	op := s.operations[http.MethodGet+" "+c.Request.URL.Path]
	endless := op != nil && op.stream
	allow := c.Writer.Header().Get("Allow")
	switch {
	case endless && allow == "":
		allow = http.MethodGet
	case !endless && strings.Contains(allow, http.MethodGet):
		allow += ", " + http.MethodHead
	}
	c.Header("Allow", allow)
	s.refuse(c, models.Refuse(models.CodeMethodNotAllowed, "this path takes %s", allow))
}
