package api

import "testing"

func TestAccepts(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"":                                   true,
		"*/*":                                true,
		"text/*":                             true,
		"text/event-stream":                  true,
		"Text/Event-Stream":                  true,
		"text/html, text/event-stream;q=0.5": true,
		"application/json":                   false,
		"text/html":                          false,
		"text/event-stream;q=0":              false,
		"application/json, */*;q=0.1":        true,
		"; nonsense":                         false,
	} {
		if got := accepts(header, sseType); got != want {
			t.Errorf("Accept %q: %v, want %v", header, got, want)
		}
	}
}
