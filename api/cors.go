package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"parley/models"
)

// preflightSeconds is how long a browser may remember that a call is allowed. Chromium remembers nothing
// longer than two hours.
const preflightSeconds = 2 * 60 * 60

// newCORS lets pages of the origins call the API with tokens and tickets; nil where there are none. The cookie is
// never for them: Access-Control-Allow-Credentials is not sent.
func newCORS(origins []string) *cors.Cors {
	if len(origins) == 0 {
		return nil
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders: []string{
			"Accept", "Authorization", "Cache-Control", "Content-Type", "If-Match", "If-None-Match", lastEventID, "Range",
		},
		ExposedHeaders: []string{
			"X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
			"Content-Disposition", "Content-Range", "ETag",
		},
		MaxAge: preflightSeconds,
	})
}

// crossOrigin adds what the browser asks for before it lets a page of another origin read the answer, whatever
// becomes of the request, and answers the question whether it may be made at all.
func (s *server) crossOrigin(c *gin.Context) {
	if s.cors == nil {
		return
	}
	s.cors.HandlerFunc(c.Writer, c.Request) // its 204 for a preflight is not sent before somebody writes
	switch {
	case !isPreflight(c.Request):
	case c.Writer.Header().Get("Access-Control-Allow-Origin") != "":
		c.AbortWithStatus(http.StatusNoContent)
	default:
		s.refuse(c, models.Refuse(models.CodeForbidden, "pages of this origin may not make this call"))
	}
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// allowsOrigin says whether the request comes from a page that may call the API.
func (s *server) allowsOrigin(r *http.Request) bool {
	return s.cors != nil && r.Header.Get("Origin") != "" && s.cors.OriginAllowed(r)
}

// checkOrigin refuses what a page of another origin could do with the session cookie of whoever looks at
// it: change something with it, or have one set. Pages that are allowed to log people in get the
// token, and no cookie.
func (s *server) checkOrigin(c *gin.Context, op *operation, token string, fromCookie bool) error {
	if !changesState(c.Request.Method) || s.origins.Check(c.Request) == nil {
		return nil
	}
	aboutOf(c.Request.Context()).foreign = true
	switch {
	case op.setsCook && (s.allowsOrigin(c.Request) || token != "" && !fromCookie):
		return nil
	case op.setsCook || fromCookie:
		return models.Refuse(models.CodeForbidden, "requests from another origin need a bearer token")
	}
	return nil
}
