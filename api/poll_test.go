package api

import (
	"context"
	"errors"
	"testing"

	"parley/broker"
	"parley/models"
)

// prunedLog loses its entries up to 50 after the first page.
type prunedLog struct{ pages int }

func (l *prunedLog) Standing(context.Context, int64) (models.Standing, error) {
	return models.Standing{Head: 100, Oldest: 1}, nil
}

func (l *prunedLog) Page(_ context.Context, _, after int64, limit int) (models.LogPage, error) {
	l.pages++
	p := models.LogPage{Standing: models.Standing{Head: 100, Oldest: 1}, To: after + int64(limit)}
	if l.pages > 1 {
		p.Oldest = 51
	}
	for id := after + 1; id <= p.To; id++ {
		p.Events = append(p.Events, models.Event{ID: id, Type: models.MessageCreated})
	}
	return p, nil
}

// A poll that looks through several pages must not skip what is pruned between two of them.
func TestPollOfALogThatIsPrunedMeanwhile(t *testing.T) {
	t.Parallel()
	log := &prunedLog{}
	p := poll{log: log, limit: 10}
	if answer, _, err := p.read(t.Context(), 3); err != nil || len(answer.events) != 10 || answer.cursor != 13 {
		t.Errorf("before: %+v, %v", answer, err)
	}
	_, _, err := p.read(t.Context(), 13)
	if e, ok := errors.AsType[*models.Error](err); !ok || e.Code != models.CodeCursorExpired || e.Oldest != 51 || e.Cursor != 100 {
		t.Errorf("after: %v", err)
	}
	// With events in hand they are given, and the next call is told.
	log = &prunedLog{}
	p = poll{log: log, limit: 20}
	p.filter.Types = []models.EventType{models.MessageCreated}
	if answer, _, err := (poll{log: pageOf{log, 10}, filter: p.filter, limit: 20}).read(t.Context(), 3); err != nil ||
		len(answer.events) != 10 || answer.cursor != 13 || !answer.more {
		t.Errorf("in the middle: %d events to %d, %v", len(answer.events), answer.cursor, err)
	}
}

// pageOf gives smaller pages than it is asked for.
type pageOf struct {
	broker.Log
	n int
}

func (p pageOf) Page(ctx context.Context, user, after int64, _ int) (models.LogPage, error) {
	return p.Log.Page(ctx, user, after, p.n)
}
