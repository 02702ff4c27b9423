package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"parley/internal/config"
)

// floor is about the least that a fan-out by Go's HTTP server can be: no accounts, no storage, no JSON. One lock decides the order. Whoever
// reads slowly holds up who sends.
type floor struct {
	hijack bool
	mu     sync.Mutex
	rooms  map[string]map[*floorStream]bool
	number int
}

type floorStream struct {
	frames chan []byte
	gone   <-chan struct{} // whoever waits to hand it a frame goes on
}

// ServeFloor is the hidden `parley bench-floor`: it serves until ctx ends.
func ServeFloor(ctx context.Context, args config.FloorArgs, stdout io.Writer) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f := &floor{hijack: args.Hijack, rooms: map[string]map[*floorStream]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pub/{room}", f.publish)
	mux.HandleFunc("GET /sub/{room}", f.subscribe)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintf(stdout, "http://%s\n", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (f *floor) publish(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	f.mu.Lock()
	f.number++
	frame := fmt.Appendf(nil, "id: %d\ndata: %s\n\n", f.number, text)
	for s := range f.rooms[r.PathValue("room")] {
		select {
		case s.frames <- frame:
		case <-s.gone:
		}
	}
	f.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

func (f *floor) subscribe(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if f.hijack {
		ctx = context.WithoutCancel(ctx) // it ends with the handler
	}
	ctx, cancel := context.WithCancel(ctx)
	s, room := &floorStream{frames: make(chan []byte, 64), gone: ctx.Done()}, r.PathValue("room")
	f.mu.Lock()
	if f.rooms[room] == nil {
		f.rooms[room] = map[*floorStream]bool{}
	}
	f.rooms[room][s] = true
	f.mu.Unlock()
	leave := func() {
		cancel() // first: the lock may be held by who waits for this one
		f.mu.Lock()
		delete(f.rooms[room], s)
		f.mu.Unlock()
	}
	if f.hijack {
		f.detach(w, s, leave)
		return
	}
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	f.pump(s, w, http.NewResponseController(w).Flush)
}

// detach takes the connection from net/http, whose buffers go when the handler returns.
func (f *floor) detach(w http.ResponseWriter, s *floorStream, leave func()) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		leave()
		return
	}
	go func() {
		defer leave()
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
		f.pump(s, conn, func() error { return nil })
	}()
}

// pump writes what waits, and then flushes.
func (f *floor) pump(s *floorStream, w io.Writer, flush func() error) {
	_, err := io.WriteString(w, ": hi\n\n")
	for err = errors.Join(err, flush()); err == nil; err = errors.Join(err, flush()) {
		select {
		case frame := <-s.frames:
			_, err = w.Write(frame)
		case <-s.gone:
			return
		}
		for len(s.frames) > 0 && err == nil {
			_, err = w.Write(<-s.frames)
		}
	}
}

// floorPeer is the floor as a process.
type floorPeer struct {
	program, called string
}

func (p *floorPeer) name() string { return p.called }

func (p *floorPeer) start(ctx context.Context, _ string) (target, error) {
	args := []string{"bench-floor"}
	if p.called == nameHijacked {
		args = append(args, "--hijack")
	}
	c, err := startChild(ctx, p.called, "", p.program, args, plainEnvironment())
	if err != nil {
		return nil, err
	}
	return &openDoor{child: c}, nil
}

// openDoor is a target where nobody has to be known: rooms are paths.
type openDoor struct {
	*child
	cast cast
}

func (o *openDoor) pid() int { return o.cmd.Process.Pid }

func (o *openDoor) prepare(_ context.Context, c cast) error {
	o.cast = c
	return nil
}

func (o *openDoor) listening(stream int) listening {
	room := stream % o.cast.rooms
	return listening{addr: o.addr, path: fmt.Sprintf("/sub/r%d", room), room: room}
}

func (o *openDoor) letter(_, room int) letter {
	return newLetter(o.addr, fmt.Sprintf("/pub/r%d", room), "Content-Type: text/plain\r\n", "", o.cast.size, "")
}
