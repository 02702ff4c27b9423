package api

import (
	"strings"
	"testing"

	"parley/models"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body, field string
		code        models.Code
	}{
		{`{"text":"hi"}`, "", ""},
		{` {"a":{"b":[1,2,{"c":null}]}} `, "", ""},
		{`"只是文字"`, "", ""},
		{`{"text":`, "", models.CodeInvalidRequest},
		{`{"text":"hi"`, "", models.CodeInvalidRequest},
		{`{text:"hi"}`, "", models.CodeInvalidRequest},
		{`{"text":"hi"} {"text":"ho"}`, "", models.CodeInvalidRequest},
		{`{"text":"hi"}x`, "", models.CodeInvalidRequest},
		{`{"text":"a","text":"b"}`, "text", models.CodeValidationFailed},
		{"{\"text\":\"\xff\"}", "text", models.CodeValidationFailed},
		{`{"text":"\ud83d"}`, "text", models.CodeValidationFailed},
		{`{"a":{"b":"\udc00"}}`, "a/b", models.CodeValidationFailed},
		{strings.Repeat("[", 100_000), "", models.CodeInvalidRequest},
	}
	for _, tt := range tests {
		name := tt.body[:min(len(tt.body), 40)]
		err := checkJSON([]byte(tt.body))
		if tt.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || models.CodeOf(err) != tt.code {
			t.Errorf("%s: got %v, want %s", name, err, tt.code)
			continue
		}
		fields := err.(*models.Error).Fields
		if tt.field != "" && (len(fields) != 1 || fields[0].Field != tt.field) {
			t.Errorf("%s: names %v, want %s", name, fields, tt.field)
		}
	}
}
