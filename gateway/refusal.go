package gateway

import (
	"errors"

	"parley/models"
)

// detailOf is the part of a refusal that is for people; empty for what is not theirs to know.
func detailOf(err error) string {
	e, ok := errors.AsType[*models.Error](err)
	switch {
	case !ok:
		return ""
	case len(e.Fields) > 0:
		return e.Fields[0].Detail
	default:
		return e.Detail
	}
}
