package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/models"
)

// mentionsCost sends b.N messages of the text by 64 users at once into the lobby, through the rules.
func mentionsCost(b *testing.B, o Options, text func(n int64) string) {
	s := mustOpen(b, o)
	users, _ := crowd(b, s, senders)
	service := chat.New(chat.Options{Store: s})
	var sent atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for _, u := range users {
		wg.Go(func() {
			for n := sent.Add(1); n <= int64(b.N); n = sent.Add(1) {
				if _, _, err := service.Send(b.Context(), chat.Actor{User: u}, models.Draft{To: "crowd", Text: text(n)}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkSendMentions compares a text without mentions with one that mentions somebody, with one that might mention
// somebody and with one made to cost as much as it can.
func BenchmarkSendMentions(b *testing.B) {
	const rest = " is whom everybody talks about all day long"
	for _, bench := range []struct {
		name string
		text func(n int64) string
	}{
		{"none", func(int64) string { return "user0" + rest }},
		{"one", func(n int64) string { return fmt.Sprintf("@user%d%s", n%senders, rest) }},
		{"nobody", func(n int64) string { return fmt.Sprintf("@nobody%d%s", n, rest) }},
		{"worst", func(n int64) string {
			var text strings.Builder
			for i := range int64(models.MaxMentions) {
				text.WriteString("@" + string(rune('一'+(n*models.MaxMentions+i)%20000)) + strings.Repeat("张三你好", 8))
			}
			return text.String()
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			benchBoth(b, func(b *testing.B, o Options) { mentionsCost(b, o, bench.text) })
		})
	}
}
