package models

import (
	"slices"
	"strings"
	"testing"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	values := map[Placeholder]string{
		VisitorName: "Ann {{visitor.email}} <b>", VisitorEmail: "", AgentName: "Bob", ConversationID: "57",
		ConversationSubject: "$1 %s }} {{", QueueName: "general",
	}
	for text, want := range map[string]string{
		"":                                           "",
		"plain } }} { text":                          "plain } }} { text",
		"Hello {{visitor.name}}!":                    "Hello Ann {{visitor.email}} <b>!",
		"{{ visitor.name |there}}":                   "Ann {{visitor.email}} <b>",
		"<{{visitor.email}}>":                        "<>",
		"<{{visitor.email| none |at all }}>":         "< none |at all >",
		"{{agent.name}}{{conversation.id}}":          "Bob57",
		"{{conversation.subject}}, {{queue|no}}":     "$1 %s }} {{, general",
		"{{visitor.email|a}b}} c}}":                  "a}b c}}",
		"你好,{{visitor.name|朋友}}":                     "你好,Ann {{visitor.email}} <b>",
		"{{visitor.email|朋友}}":                       "朋友",
		strings.Repeat("{{queue}}", MaxPlaceholders): strings.Repeat("general", MaxPlaceholders),
	} {
		template, err := ParseTemplate(text)
		if got := template.Fill(values); err != nil || got != want {
			t.Errorf("%q gives %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"{{", "{{}}", "{{ }}", "{{|x}}", "{{visitor}}", "{{visitor.Name}}", "{{visitor.name", "{{visitor.name}", "{{{visitor.name}}}",
		"{{visitor.name|{{agent.name}}}}", "{{visitor.password}}", "{{visitor.name }{ }}", strings.Repeat("{{queue}}", MaxPlaceholders+1),
	} {
		_, err := ParseTemplate(text)
		if CodeOf(err) != CodeValidationFailed || !strings.Contains(err.Error(), "(text: has ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is taken is given back but for its placeholders, and what was filled in is there as it is.
func FuzzTemplates(f *testing.F) {
	for _, seed := range []string{"", "{{visitor.name}}", "a{{visitor.email|b}}c", "{{queue|}}}}", "{{", "}}{{queue}}"} {
		f.Add(seed, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		template, err := ParseTemplate(text)
		if err != nil {
			return
		}
		values := map[Placeholder]string{}
		for _, p := range placeholders {
			values[p] = value
		}
		rest := template.Fill(values)
		filled := len(slices.DeleteFunc(slices.Clone(template), func(p templatePart) bool { return p.placeholder == "" }))
		if value != "" && strings.Count(rest, value) < filled {
			t.Errorf("%q with %q gives %q", text, value, rest)
		}
		if filled == 0 && rest != text {
			t.Errorf("%q without placeholders gives %q", text, rest)
		}
	})
}
