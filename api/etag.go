package api

import (
	"slices"
	"strconv"
	"strings"

	"parley/models"
)

// ifMatch is the header's name in Go's form.
const ifMatch = "If-Match"

// messageETag stands for the message's text: it is strong, and a tombstone's is that of no text.
func messageETag(m models.Message) *string {
	tag := versionETag(m.Version)
	if m.IsDeleted() {
		tag = `"deleted"`
	}
	return &tag
}

func versionETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// parseIfMatch reads an If-Match: which versions it lets through. A weak tag is none of them (RFC 9110, 13.1.1), nor is
// what is no tag: who writes it wrong must not overwrite what they have not seen.
func parseIfMatch(header string) (matches func(version int64) bool) {
	if strings.TrimSpace(header) == "*" {
		return func(int64) bool { return true }
	}
	tags := strongTags(header)
	return func(version int64) bool { return slices.Contains(tags, versionETag(version)) }
}

// strongTags gives the strong tags of a list, up to where it is none.
func strongTags(list string) (tags []string) {
	for {
		list = strings.TrimLeft(list, ", \t")
		rest, weak := strings.CutPrefix(list, "W/")
		rest, quoted := strings.CutPrefix(rest, `"`)
		tag, rest, closed := strings.Cut(rest, `"`)
		list = strings.TrimLeft(rest, " \t")
		if !quoted || !closed || list != "" && list[0] != ',' {
			return tags
		}
		if !weak {
			tags = append(tags, `"`+tag+`"`)
		}
	}
}
