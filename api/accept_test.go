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

func TestQuality(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]float64{
		"":                                      1,
		"text/event-stream;q=0.5, */*":          0.5,
		"*/*, text/*;q=0.2":                     0.2,
		"*/*;q=0.3, text/event-stream;q=0":      0,
		"text/*;q=0.3, text/*;q=0.4":            0.4,
		"text/event-stream;q=0.1;x=y, */*;q=.9": 0.1,
		"text/event-stream;q=7":                 1,
		"text/event-stream;q=-1":                0,
		"text/event-stream;q=NaN":               1,
		"text/html;q=0.5":                       0,
	} {
		if got := quality(header, sseType); got != want {
			t.Errorf("Accept %q: %v, want %v", header, got, want)
		}
	}
}
