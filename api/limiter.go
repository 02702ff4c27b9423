package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"parley/internal/limit"
	"parley/models"
)

// applyLimits hands the counters to their operations.
func (s *server) applyLimits(set *limit.Set) error {
	byID := map[string]*operation{}
	for _, op := range s.operations {
		byID[op.route.Operation.OperationID] = op
	}
	for _, counter := range set.Counters() {
		for _, id := range counter.Operations {
			op := byID[id]
			if op == nil {
				return fmt.Errorf("limit %v by %s: the spec has no operation %q", counter.Operations, counter.By, id)
			}
			op.limits = append(op.limits, counter)
		}
	}
	return nil
}

// limit counts the call by account and by address, before its body is read and before any work.
func (s *server) limit(c *gin.Context) {
	a := aboutOf(c.Request.Context())
	who := limit.Who{Account: a.actor.User.ID, Address: a.address}
	for _, counter := range operationOf(c).limits {
		at, err := counter.Take(c.Request.Context(), who)
		if err != nil {
			s.refuse(c, err)
			return
		}
		a.stand(at)
	}
}

// guess counts a login as that name. Of one that nobody can have only the address is counted.
func (s *server) guess(ctx context.Context, name string) error {
	if s.guesses == nil {
		return nil
	}
	_, key, err := models.UserName(name)
	if err != nil {
		return nil //nolint:nilerr // the login itself refuses it, as it does a wrong password
	}
	a := aboutOf(ctx)
	at, err := s.guesses.Check(ctx, key, a.address)
	if err == nil {
		a.stand(at)
	}
	return err
}

// stand has the answer's headers tell where the caller stands, by the limit of which least is left.
func (a *about) stand(at limit.Standing) {
	if !a.counted || at.Remaining < a.remaining {
		a.counted, a.remaining = true, at.Remaining
		setRateLimit(a.answer, at.Limit, at.Remaining, at.Reset)
	}
}

func setRateLimit(h http.Header, most, remaining int, reset time.Duration) {
	h["Ratelimit-Limit"] = []string{strconv.Itoa(most)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(remaining)}
	h["Ratelimit-Reset"] = []string{strconv.Itoa(limit.Seconds(reset))}
}
