package direct

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/broker"
	"parley/models"
)

// readersOf names the variable by which a child process learns whom to read from.
const readersOf = "PARLEY_BENCH_READERS_OF"

const benchStreams = 1000

// BenchmarkOneByOne is the cost of a delivery where messages come singly: processor time of this process (user and
// system) by delivery. The readers are a process of their own.
func BenchmarkOneByOne(b *testing.B) {
	if addr := os.Getenv(readersOf); addr != "" {
		readAll(addr)
		return
	}
	br := broker.New(broker.Options{Log: emptyLog{}})
	br.Start(1)
	d := New()
	var users atomic.Int64
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := users.Add(1)
		stream, err := br.Subscribe(r.Context(), broker.Subscription{User: models.EventUser{ID: user}, SessionID: user})
		if err == nil {
			_, err = d.Take(w, r, stream, &told{done: make(chan struct{})})
		}
		if err != nil {
			b.Error(err)
		}
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = web.Serve(l) }()
	child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=BenchmarkOneByOne", "-test.benchtime=1x")
	child.Env = append(os.Environ(), readersOf+"="+l.Addr().String())
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	for br.Stats().Streams[broker.SSE] < benchStreams {
		time.Sleep(time.Millisecond)
	}
	text := strings.Repeat("x", 300)
	last, sent := int64(1), int64(0)
	user, system := processorTime()
	b.ResetTimer()
	for range b.N {
		last++
		br.Publish([]models.Event{{ID: last, Type: models.MessageCreated, Audience: models.Everyone(), JSON: fmt.Appendf(nil, "%q", text)}})
		sent += benchStreams
		time.Sleep(20 * time.Millisecond)
		for br.Stats().Deliveries < sent {
			time.Sleep(5 * time.Millisecond)
		}
	}
	b.StopTimer()
	userNow, systemNow := processorTime()
	b.ReportMetric(float64(userNow-user)/float64(sent), "user-ns/delivery")
	b.ReportMetric(float64(systemNow-system)/float64(sent), "system-ns/delivery")
	b.ReportMetric(0, "ns/op")
	_ = br.Close(context.Background())
	_ = d.Close(context.Background())
	_ = web.Close()
	_ = child.Wait()
}

func processorTime() (user, system int64) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano(), u.Stime.Nano()
}

// readAll opens the streams and reads all of them to their end.
func readAll(addr string) {
	done := make(chan struct{})
	for range benchStreams {
		go func() {
			defer func() { done <- struct{}{} }()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			defer c.Close()
			if _, err := io.WriteString(c, get); err == nil {
				_, _ = io.Copy(io.Discard, c)
			}
		}()
	}
	for range benchStreams {
		<-done
	}
}
