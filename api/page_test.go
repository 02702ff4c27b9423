package api

import (
	"testing"

	"parley/models"
)

func TestPageTokensComeBack(t *testing.T) {
	t.Parallel()
	for _, id := range []int64{1, 57, models.MaxID} {
		got, err := afterID(idToken(id))
		if err != nil || got != id {
			t.Errorf("token of %d reads as %d, %v", id, got, err)
		}
	}
	if got, err := afterKey(pageToken("张三")); err != nil || got != "张三" {
		t.Errorf("token of a key reads as %q, %v", got, err)
	}
	if idToken(0) != nil {
		t.Error("the end has a token")
	}
}

func TestBadPageTokens(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", "!", "%00", "AAAA", "MA", "LTU", "eA"} {
		if _, err := afterID(&page); models.CodeOf(err) != models.CodeValidationFailed {
			t.Errorf("page %q: %v", page, err)
		}
	}
}
