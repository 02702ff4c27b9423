package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/broker"
	"parley/models"
)

const defaultWait = 25 * time.Second

// pollAnswer is the answer of a long poll. The events are written as they stand in the log.
type pollAnswer struct {
	events []models.Event
	cursor int64
	more   bool
}

// VisitPollEventsResponse implements PollEventsResponseObject.
func (a pollAnswer) VisitPollEventsResponse(w http.ResponseWriter) error {
	size := 64
	for _, e := range a.events {
		size += len(e.JSON) + 1
	}
	b := append(make([]byte, 0, size), `{"events":[`...)
	for i, e := range a.events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.JSON...)
	}
	b = append(b, `],"cursor":`...)
	b = strconv.AppendInt(b, a.cursor, 10)
	b = append(b, `,"more":`...)
	b = strconv.AppendBool(b, a.more)
	b = append(b, "}\n"...)
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(b)
	return err
}

// PollEvents gives the durable events after a position, and waits for the first.
func (s *server) PollEvents(ctx context.Context, r PollEventsRequestObject) (PollEventsResponseObject, error) {
	ctx, actor := call(ctx)
	filter, err := s.filter(ctx, r.Params.Rooms, r.Params.Types)
	if err != nil {
		return nil, err
	}
	from, err := s.pollFrom(ctx, actor.User.ID, r.Params.After)
	if err != nil {
		return nil, err
	}
	// Before the first look into the log: what comes after that look rings the waiter.
	waiter, err := s.broker.Watch(actor.User.ID, actor.Session.ID, filter)
	if err != nil {
		return nil, streamFault(err)
	}
	defer waiter.Close()
	// And after that the session: what has ended it from now on ends the waiter too.
	if err := s.chat.Alive(ctx, actor); err != nil {
		return nil, err
	}
	timed, cancel := context.WithTimeout(ctx, waitOf(r.Params.Wait))
	defer cancel()
	p := poll{log: s.events, user: actor.User.ID, filter: filter, limit: limitOf(r.Params.Limit)}
	for {
		answer, page, err := p.read(ctx, from)
		if err == nil {
			waiter.Arrive(page.Standing)
		}
		if err != nil || len(answer.events) > 0 {
			return answer, err
		}
		if from, err = waiter.Wait(timed, page); err != nil {
			// Time is up, the session ended or the server stops: the next call tells.
			answer.cursor = from
			return answer, ctx.Err()
		}
	}
}

func waitOf(seconds *int) time.Duration {
	if seconds == nil {
		return defaultWait
	}
	return time.Duration(*seconds) * time.Second
}

// pollFrom gives where the poll begins and refuses a position that nothing can follow.
func (s *server) pollFrom(ctx context.Context, userID int64, after *int64) (int64, error) {
	standing, err := s.events.Standing(ctx, userID)
	if err != nil {
		return 0, err
	}
	if after == nil {
		return standing.Head, nil
	}
	if standing.Expired(*after) {
		return 0, errExpired(standing)
	}
	return *after, nil
}

func errExpired(s models.Standing) error {
	return &models.Error{
		Code: models.CodeCursorExpired, Oldest: s.Oldest, Cursor: s.Head,
		Detail: "events after this position are not kept, or it was never reached: load anew and go on from `cursor`",
	}
}

// poll reads filtered pages of a user's log.
type poll struct {
	log    broker.Log
	user   int64
	filter broker.Filter
	limit  int
}

// pollPage is how many entries a filtered poll examines at once. Without a filter each entry counts, and
// no more than the limit are read.
const pollPage = 256

func (p poll) page() int {
	if p.filter.Types == nil && !p.filter.HasRooms {
		return p.limit
	}
	return pollPage
}

// read gives the first events after the position that the filter lets through, and the last page that
// it looked at.
func (p poll) read(ctx context.Context, from int64) (answer pollAnswer, page models.LogPage, err error) {
	answer.cursor = from
	for {
		page, err = p.log.Page(ctx, p.user, answer.cursor, p.page())
		if err != nil {
			return answer, page, fmt.Errorf("read the log after %d: %w", answer.cursor, err)
		}
		if page.Expired(answer.cursor) { // the log was pruned meanwhile
			if len(answer.events) > 0 {
				answer.more = true // the next call is told
				return answer, page, nil
			}
			return answer, page, errExpired(page.Standing)
		}
		for i := range page.Events {
			e := &page.Events[i]
			if !p.filter.Passes(e) {
				continue
			}
			answer.events = append(answer.events, *e)
			if len(answer.events) == p.limit {
				answer.cursor, answer.more = e.ID, e.ID < page.Head
				return answer, page, nil
			}
		}
		answer.cursor = page.To
		if page.To >= page.Head {
			return answer, page, nil
		}
	}
}
