package api

import (
	"mime"
	"strconv"
	"strings"
)

// accepts says whether an Accept header takes the media type. An absent header takes
// everything; a range with q=0 takes nothing.
func accepts(header, media string) bool {
	if strings.TrimSpace(header) == "" {
		return true
	}
	family, _, _ := strings.Cut(media, "/")
	for part := range strings.SplitSeq(header, ",") {
		accepted, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q <= 0 {
			continue
		}
		if accepted == media || accepted == "*/*" || accepted == family+"/*" {
			return true
		}
	}
	return false
}
