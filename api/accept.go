package api

import (
	"mime"
	"strconv"
	"strings"
)

// accepts says whether an Accept header takes the media type.
func accepts(header, media string) bool { return quality(header, media) > 0 }

// quality is how welcome the media type is to an Accept header, from 0 to 1: what the narrowest of its ranges says
// that the type is in. An absent header takes everything.
func quality(header, media string) float64 {
	if strings.TrimSpace(header) == "" {
		return 1
	}
	family, _, _ := strings.Cut(media, "/")
	ranges := []string{"*/*", family + "/*", media}
	best, narrowest := 0.0, -1
	for part := range strings.SplitSeq(header, ",") {
		accepted, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		for narrow, name := range ranges {
			if accepted != name || narrow < narrowest {
				continue
			}
			if q := weight(params["q"]); narrow > narrowest || q > best {
				best, narrowest = q, narrow
			}
		}
	}
	return best
}

// weight reads a q; what is none counts as absent.
func weight(q string) float64 {
	if v, err := strconv.ParseFloat(q, 64); err == nil && v < 1 {
		return max(v, 0)
	}
	return 1
}
