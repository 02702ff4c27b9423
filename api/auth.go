package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"parley/chat"
	"parley/models"
)

// cookieName is the cookie that register, guest and login set.
const cookieName = "parley_session"

// actorOf is who makes the request; every operation that is not public has one.
func actorOf(ctx context.Context) chat.Actor { return aboutOf(ctx).actor }

// authenticate finds the session of the request. A bearer token wins over the cookie, and both
// over a ticket.
func (s *server) authenticate(c *gin.Context) {
	op := operationOf(c)
	token, fromCookie := tokenOf(c.Request)
	if err := s.checkOrigin(c, op, token, fromCookie); err != nil {
		s.refuse(c, err)
		return
	}
	if op.public {
		return
	}
	actor, release, err := s.actor(c, op, token, fromCookie)
	if err != nil {
		s.refuse(c, err)
		return
	}
	if release != nil {
		aboutOf(c.Request.Context()).last.holds(release)
	}
	actor.Address = aboutOf(c.Request.Context()).address.String()
	if err := s.chat.CheckAddress(actor); err != nil {
		s.refuse(c, err)
		return
	}
	if op.acts {
		s.chat.Acted(actor)
	}
	aboutOf(c.Request.Context()).actor = actor
	c.Next()
}

func (s *server) actor(c *gin.Context, op *operation, token string, fromCookie bool) (chat.Actor, func(context.Context), error) {
	r := c.Request
	if token != "" {
		a, slid, err := s.chat.Authenticate(r.Context(), token)
		if slid && fromCookie {
			http.SetCookie(c.Writer, sessionCookie(token, aboutOf(r.Context()).secure)) // the browser's copy slides too
		}
		return a, nil, err
	}
	if ticket := r.URL.Query().Get("ticket"); op.tickets && ticket != "" {
		return s.chat.UseTicket(r.Context(), ticket)
	}
	return chat.Actor{}, nil, models.Refuse(models.CodeUnauthorized,
		"log in first: send the token as `Authorization: Bearer …` or as the cookie %s", cookieName)
}

// tokenOf reads the session token from the Authorization header or else the cookie.
func tokenOf(r *http.Request) (token string, fromCookie bool) {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest), false
	}
	if cookie, err := r.Cookie(cookieName); err == nil && cookie.Value != "" {
		return cookie.Value, true
	}
	return "", false
}

// sessionCookie is the cookie of a new session. A browser keeps it as long as a session
// lives without use; the server decides.
func sessionCookie(token string, secure bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is for TLS only: on loopback there is none
		Name: cookieName, Value: token, Path: "/", MaxAge: int(chat.SessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
}

// noCookie takes the cookie back.
func noCookie(secure bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // as above
		Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
}
