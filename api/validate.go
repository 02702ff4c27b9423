package api

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"parley/models"
)

// validationOptions are the validator's: all faults at once, and nothing changed.
func validationOptions() *openapi3filter.Options {
	return &openapi3filter.Options{
		MultiError: true, SkipSettingDefaults: true, KeepValidatedValue: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
}

// validate holds the request against the spec: parameters and body. The session was checked before,
// and defaults are the handlers' business.
func (s *server) validate(c *gin.Context) {
	if aboutOf(c.Request.Context()).hot.taken {
		return
	}
	op := operationOf(c)
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: params, Route: op.route, Options: s.validation,
	})
	if err != nil {
		s.refuse(c, validationFault(err))
	}
}

// validationFault turns the validator's findings into one refusal that names each field.
func validationFault(err error) error {
	e := &models.Error{Code: models.CodeValidationFailed, Cause: nil}
	collect(e, err, "")
	if len(e.Fields) == 0 {
		return models.Refuse(models.CodeInvalidRequest, "the request does not fit the API: see /openapi.yaml")
	}
	slices.SortFunc(e.Fields, compareFields)
	e.Fields = slices.CompactFunc(e.Fields, func(a, b models.FieldError) bool { return a.Field == b.Field })
	return fieldsSorted(e)
}

func compareFields(a, b models.FieldError) int { return cmp.Compare(a.Field, b.Field) }

func sortFields(fields []models.FieldError) { slices.SortFunc(fields, compareFields) }

// collect walks the validator's error tree down to the schema errors. field is the parameter's
// name, "" inside the body.
func collect(e *models.Error, err error, field string) {
	switch err := err.(type) { //nolint:errorlint // the tree is walked by its own types
	case openapi3.MultiError:
		for _, inner := range err {
			collect(e, inner, field)
		}
		return
	case *openapi3filter.RequestError:
		if err.Parameter != nil {
			field = err.Parameter.Name
		}
		if err.Err != nil {
			collect(e, err.Err, field)
			return
		}
		e.Fields = append(e.Fields, models.FieldError{Field: cmp.Or(field, "body"), Detail: err.Reason})
		return
	case *openapi3.SchemaError:
		e.Fields = append(e.Fields, schemaFault(err, field))
		return
	case *openapi3filter.ParseError:
		e.Fields = append(e.Fields, parseFault(err, field))
		return
	}
	if inner := errors.Unwrap(err); inner != nil {
		collect(e, inner, field)
		return
	}
	e.Fields = append(e.Fields, models.FieldError{Field: cmp.Or(field, "body"), Detail: "is not what the API takes"})
}

// schemaFault names the field by its place in the body, or the parameter.
func schemaFault(err *openapi3.SchemaError, field string) models.FieldError {
	path := err.JSONPointer()
	detail := schemaDetail(err)
	if name, ok := quoted(err.Reason, `property "`, `" is unsupported`); ok {
		path, detail = append(path, name), "is not known"
	}
	if _, ok := quoted(err.Reason, `property "`, `" is missing`); ok {
		detail = "is missing" // the path ends with its name already
	}
	if field != "" {
		return models.FieldError{Field: field, Detail: detail} // parameters are flat, or lists of values
	}
	return models.FieldError{Field: cmp.Or(strings.Join(path, "/"), "body"), Detail: detail}
}

// quoted gives what stands between the two in a reason of the validator's.
func quoted(reason, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(reason, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// manyValues is from how many values of an enum on a client is sent to the spec for them.
const manyValues = 10

// schemaDetail says it in the words of our other errors where the validator's are about JSON Schema.
func schemaDetail(err *openapi3.SchemaError) string {
	s := err.Schema
	switch err.SchemaField {
	case "minLength":
		if s.MinLength == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength)
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *s.Min)
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *s.Max)
	case "enum":
		if len(s.Enum) > manyValues {
			return fmt.Sprintf("has %q, which is none of its values in /openapi.yaml", fmt.Sprint(err.Value))
		}
		return fmt.Sprintf("must be one of %s", enumValues(s.Enum))
	case "type":
		return fmt.Sprintf("must be a value of type %s", strings.Join(s.Type.Slice(), " or "))
	case "anyOf":
		return fmt.Sprintf("must be %s", variants(s.AnyOf))
	}
	return err.Reason
}

// variants names the types that a value may have.
func variants(schemas openapi3.SchemaRefs) string {
	names := make([]string, len(schemas))
	for i, ref := range schemas {
		names[i] = strings.Join(ref.Value.Type.Slice(), " or ")
	}
	return "of type " + strings.Join(names, " or ")
}

func enumValues(values []any) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = fmt.Sprint(v)
	}
	return strings.Join(names, ", ")
}

// parseFault is about a parameter or form field that could not be read as its type.
func parseFault(err *openapi3filter.ParseError, field string) models.FieldError {
	detail := "cannot be read as what the API takes"
	if err.Reason != "" {
		detail = err.Reason
	}
	path := make([]string, 0, len(err.Path()))
	for _, p := range err.Path() {
		path = append(path, fmt.Sprint(p))
	}
	return models.FieldError{Field: cmp.Or(field, strings.Join(path, "/"), "body"), Detail: detail}
}
