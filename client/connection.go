package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

var (
	errSilent = errors.New("the connection is silent")
	errClosed = errors.New("the server closed the stream")
)

// settled is how long a stream must have lived for its end not to count as one more failure,
// where nothing but `ready` came.
const settled = 5 * time.Second

// connection opens one stream and hands its events over until it ends, which is always an error.
func (f *follower) connection(ctx context.Context, hand func(Event) bool) error {
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	silence := time.AfterFunc(f.opts.Silence, func() { cut(errSilent) })
	defer silence.Stop()

	body, err := f.open(ctx)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer func() { _ = body.Close() }() // nothing is to be learnt from it
	opened := time.Now()
	in := newFrames(&watched{r: body, timer: silence, limit: f.opts.Silence})
	for {
		frame, err := in.next()
		if errors.Is(err, io.EOF) {
			err = errClosed
		}
		if err == nil {
			err = f.take(frame, hand)
		}
		if time.Since(opened) > settled {
			f.pauses.well()
		}
		if err != nil {
			return causeOr(ctx, err)
		}
	}
}

// open asks for the stream behind the cursor.
func (f *follower) open(ctx context.Context) (io.ReadCloser, error) {
	params := &StreamEventsParams{}
	if f.cursor >= 0 {
		params.LastEventID = new(strconv.FormatInt(f.cursor, 10))
	}
	if len(f.opts.Rooms) > 0 { // an empty list would be sent, and means none
		params.Rooms = f.opts.Rooms
	}
	if len(f.opts.Types) > 0 {
		params.Types = f.opts.Types
	}
	resp, err := f.client.raw.StreamEvents(ctx, params, acceptStream)
	if err != nil {
		return nil, err
	}
	if err := checkStream(resp); err != nil {
		_ = resp.Body.Close() // err says more
		return nil, err
	}
	return resp.Body, nil
}

func acceptStream(_ context.Context, req *http.Request) error {
	req.Header.Set("Accept", "text/event-stream")
	return nil
}

// checkStream makes sure that the answer is a stream, and no page of something in between.
func checkStream(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // half a problem is none
		if err := Check(resp, body); err != nil {
			return err
		}
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "text/event-stream" {
		return fmt.Errorf("%w: status %d, type %q", errMalformed, resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return nil
}

// take acts on one frame and hands its event over.
func (f *follower) take(in frame, hand func(Event) bool) error {
	if in.retry >= 0 {
		f.pauses.retry(in.retry)
	}
	if in.data == nil {
		return nil
	}
	e, err := decodeEvent(in.data)
	if err != nil {
		return err
	}
	f.advance(e, in.id)
	e.Cursor = max(f.cursor, 0)
	if e.Type != EventTypeReady {
		f.pauses.well()
	}
	if !hand(e) {
		return errLeft
	}
	if e.Type == EventTypeSessionEnded {
		return ErrSessionEnded
	}
	return nil
}

// advance moves the cursor to the frame's. `ready` sets it only where there is none: with a cursor that
// the server cannot serve, `ready` carries the head, and the `reset` that says so comes only
// after it. Were the connection cut between them, a resume from the head would hide the loss.
func (f *follower) advance(e Event, id string) {
	at, err := strconv.ParseInt(id, 10, 64)
	switch {
	case err != nil || at < 0:
		if e.ID > 0 {
			f.cursor = e.ID
		}
	case e.Type == EventTypeReady && f.cursor >= 0:
	default:
		f.cursor = at
	}
}

// causeOr prefers the reason for which ctx was cut over the read error that followed from it.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, errLeft) && !final(err) {
		return cause
	}
	return err
}

// watched lets the timer run only while a read waits: a loop body that takes its time is no
// silence of the server's.
type watched struct {
	r     io.Reader
	timer *time.Timer
	limit time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.limit)
	defer w.timer.Stop()
	return w.r.Read(p)
}
