package broker_test

import (
	"syscall"
	"testing"
	"time"

	"parley/models"
)

// BenchmarkTyping1000: somebody types in a room of 1,000 streams, against a message there. Reported is the
// processor's time, since whispers wait for the crier.
func BenchmarkTyping1000(b *testing.B) {
	c := mustCrowd(b, 1000, oneRoom)
	message, whisper := c.size, sizeOfTyping(b)
	var messages, typing time.Duration
	for n := int64(1); b.Loop(); n++ {
		c.size = message
		began := processorTime(b)
		c.expect(1000)
		c.b.Publish(c.batch(nil, 9))
		c.wait()
		between := processorTime(b)
		c.size = whisper
		c.expect(1000)
		c.b.Typing(9, person(1_000_000+n))
		c.wait()
		messages, typing = messages+between-began, typing+processorTime(b)-between
	}
	b.ReportMetric(float64(messages)/float64(b.N)/1000, "cpu-ns/message")
	b.ReportMetric(float64(typing)/float64(b.N)/1000, "cpu-ns/typing")
	b.ReportMetric(float64(typing)/float64(messages), "ratio")
}

// sizeOfTyping is that of a frame about a user with seven digits.
func sizeOfTyping(tb testing.TB) int {
	e := models.Event{Type: models.Typing, RoomID: 9, At: models.At(time.Now())}
	if err := e.Encode(models.TypingData{User: person(1_000_000), Until: e.At}); err != nil {
		tb.Fatal(err)
	}
	return len("data: ") + len(e.JSON) + len("\n\n")
}

// processorTime is what the process has used.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
