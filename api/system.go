package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"parley/models"
)

// Healthz says that the process lives.
func (s *server) Healthz(context.Context, HealthzRequestObject) (HealthzResponseObject, error) {
	return Healthz200JSONResponse{HealthyJSONResponse{Body: Health{Status: HealthStatusOk}}}, nil
}

// Readyz says whether the database answers.
func (s *server) Readyz(ctx context.Context, _ ReadyzRequestObject) (ReadyzResponseObject, error) {
	ctx, _ = call(ctx)
	if err := s.ready(ctx); err != nil {
		if models.CodeOf(err) == models.CodeUnavailable {
			return nil, err // it says itself what a client may read
		}
		return nil, models.Unavailable(err, "the database does not answer")
	}
	return Readyz200JSONResponse{HealthyJSONResponse{Body: Health{Status: HealthStatusOk}}}, nil
}

// OpenapiYAML gives the spec as it was written.
func (s *server) OpenapiYAML(context.Context, OpenapiYAMLRequestObject) (OpenapiYAMLResponseObject, error) {
	return OpenapiYAML200ApplicationYAMLResponse{
		Body: bytes.NewReader(specYAML), ContentLength: int64(len(specYAML)),
	}, nil
}

// OpenapiJSON gives the same as JSON.
func (s *server) OpenapiJSON(context.Context, OpenapiJSONRequestObject) (OpenapiJSONResponseObject, error) {
	return specDocument(s.specJSON), nil
}

// specDocument is the spec's JSON, written as it is.
type specDocument []byte

// VisitOpenapiJSONResponse writes the document.
func (d specDocument) VisitOpenapiJSONResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(d)
	return err
}

// Metrics gives what Prometheus collects.
func (s *server) Metrics(ctx context.Context, _ MetricsRequestObject) (MetricsResponseObject, error) {
	c, ok := ctx.(*gin.Context)
	if !ok {
		return nil, errNoRequest
	}
	return metricsAnswer{handler: s.metrics, request: c.Request}, nil
}

// errNoRequest cannot happen: every handler is called by Gin.
var errNoRequest = errors.New("the handler was called without a request")

// metricsAnswer lets the metrics' own handler answer.
type metricsAnswer struct {
	handler http.Handler
	request *http.Request
}

// VisitMetricsResponse implements MetricsResponseObject.
func (a metricsAnswer) VisitMetricsResponse(w http.ResponseWriter) error {
	a.handler.ServeHTTP(w, a.request)
	return nil
}
