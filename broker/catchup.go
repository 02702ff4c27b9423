package broker

import (
	"context"
	"fmt"

	"parley/models"
)

// pageBytes bounds what a reader holds of a page while it writes it, the first event apart. What is
// beyond is read again, in a smaller page.
const pageBytes = 64 << 10

// catchUp delivers from the log until the stream can go on from memory, at the log's head at the latest, where
// the page says what the user is entitled to, and joins again there. It leaves the stream behind when the
// session ends meanwhile.
func (s *Stream) catchUp(ctx context.Context) error {
	s.host.Block()
	defer s.replaying.Store(0)
	for s.end.Load() == nil {
		s.replaying.Store(s.cursor + 1)
		page, err := s.page(ctx)
		if err != nil {
			return err
		}
		if page.Expired(s.cursor) {
			s.cursor, s.oldest = page.Head, page.Oldest
			if err := s.writeControl(s.resetFrame()); err != nil {
				return err
			}
		} else if err := s.replay(page); err != nil {
			return err
		}
		if err := s.tellWhispers(); err != nil {
			return err
		}
		if s.cursor == page.Head || s.remembered(page.Standing) {
			s.behind = false
			s.place(page.Standing)
			return nil
		}
	}
	return nil
}

// replay writes a page and moves the cursor over it.
func (s *Stream) replay(page models.LogPage) error {
	for i := range page.Events {
		if !s.filter.Passes(&page.Events[i]) {
			continue
		}
		if err := s.deliver(newEntry(page.Events[i])); err != nil {
			return err
		}
	}
	s.cursor = page.To
	return s.flush()
}

// page reads the next page. Few may read at once; the place is given back before anything is
// written.
func (s *Stream) page(ctx context.Context) (models.LogPage, error) {
	select {
	case s.broker.pages <- struct{}{}:
		defer func() { <-s.broker.pages }()
	case <-ctx.Done():
		return models.LogPage{}, ctx.Err()
	}
	page, err := s.broker.opt.Log.Page(ctx, s.view.userID, s.cursor, s.limit)
	if err != nil {
		return models.LogPage{}, fmt.Errorf("replay after %d: %w", s.cursor, err)
	}
	s.limit = cut(&page, s.limit, s.broker.opt.PageSize)
	s.broker.replayed.pages.Add(1)
	s.broker.replayed.events.Add(int64(len(page.Events)))
	return page, nil
}

// cut drops what is over pageBytes, for the collector to have, and says how large the
// next page should be.
func cut(page *models.LogPage, limit, most int) int {
	size := 0
	for i := range page.Events {
		size += len(page.Events[i].JSON)
		if i > 0 && size > pageBytes {
			clear(page.Events[i:])
			page.Events = page.Events[:i]
			page.To = page.Events[i-1].ID
			return i
		}
	}
	return min(2*limit, most)
}
