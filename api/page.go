package api

import (
	"encoding/base64"
	"strconv"

	"parley/models"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// limitOf gives the page's size; its bounds were validated against the spec.
func limitOf(limit *Limit) int {
	if limit == nil {
		return defaultLimit
	}
	return min(*limit, maxLimit)
}

// A page token is opaque to clients. Ours says after which id, or key, the page begins.

func pageToken(after string) *string {
	token := base64.RawURLEncoding.EncodeToString([]byte(after))
	return &token
}

// idToken is the token for an id, nil at the end.
func idToken(next int64) *string {
	if next == 0 {
		return nil
	}
	return pageToken(strconv.FormatInt(next, 10))
}

// afterKey reads a token made by pageToken, "" for the first page.
func afterKey(page *Page) (string, error) {
	if page == nil {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*page)
	if err == nil {
		err = models.CheckText("page", string(raw), 750)
	}
	if err != nil || len(raw) == 0 {
		return "", models.Invalid("page", "is not a page of this list: take the next_page of the answer before")
	}
	return string(raw), nil
}

// afterID reads a token made by idToken, 0 for the first page.
func afterID(page *Page) (int64, error) {
	key, err := afterKey(page)
	if err != nil || key == "" {
		return 0, err
	}
	id, ok := models.ParseID(key)
	if !ok {
		return 0, models.Invalid("page", "is not a page of this list: take the next_page of the answer before")
	}
	return id, nil
}
