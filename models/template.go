package models

import (
	"slices"
	"strings"
)

// Placeholder is what a canned reply has filled in.
type Placeholder string

// The placeholders.
const (
	VisitorName         Placeholder = "visitor.name"
	VisitorEmail        Placeholder = "visitor.email"
	AgentName           Placeholder = "agent.name" // of who asks
	ConversationID      Placeholder = "conversation.id"
	ConversationSubject Placeholder = "conversation.subject"
	QueueName           Placeholder = "queue"
)

var placeholders = []Placeholder{VisitorName, VisitorEmail, AgentName, ConversationID, ConversationSubject, QueueName}

// MaxPlaceholders is how many one text may have: what is filled in may be long.
const MaxPlaceholders = 50

// Template is a text with placeholders: `{{visitor.name}}`, or `{{visitor.name|there}}` with what stands in for a value
// that is not there.
type Template []templatePart

type templatePart struct {
	placeholder Placeholder // empty: the text as it stands
	text        string      // of a placeholder the fallback
}

// ParseTemplate takes a text apart. What is wrong is a fault of the field `text`.
func ParseTemplate(text string) (t Template, err error) {
	for filled := 0; ; filled++ {
		before, rest, more := strings.Cut(text, "{{")
		if before != "" {
			t = append(t, templatePart{text: before})
		}
		if !more {
			return t, nil
		}
		inside, after, closed := strings.Cut(rest, "}}")
		switch {
		case !closed:
			return nil, Invalid("text", "has a placeholder that is not closed by }}")
		case strings.Contains(inside, "{{"):
			return nil, Invalid("text", "has a placeholder that begins within another one")
		case filled == MaxPlaceholders:
			return nil, Invalid("text", "has more than %d placeholders", MaxPlaceholders)
		}
		name, fallback, _ := strings.Cut(inside, "|")
		part := templatePart{placeholder: Placeholder(strings.TrimSpace(name)), text: fallback}
		if !slices.Contains(placeholders, part.placeholder) {
			return nil, Invalid("text", "has the placeholder {{%.40s}}, there are only %s", part.placeholder, placeholderNames())
		}
		t, text = append(t, part), after
	}
}

func placeholderNames() string {
	names := make([]string, len(placeholders))
	for i, p := range placeholders {
		names[i] = "{{" + string(p) + "}}"
	}
	return strings.Join(names, ", ")
}

// Fill gives the text with each placeholder's value, its fallback where that is empty. No value is looked at for
// placeholders.
func (t Template) Fill(values map[Placeholder]string) string {
	var b strings.Builder
	for _, part := range t {
		value := ""
		if part.placeholder != "" {
			value = values[part.placeholder]
		}
		if value == "" {
			value = part.text
		}
		b.WriteString(value)
	}
	return b.String()
}
