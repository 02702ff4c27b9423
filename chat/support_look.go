package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"parley/models"
)

const (
	// deskEvery is how often support is looked at whatever happens: no queued conversation stays beside a free
	// agent for longer.
	deskEvery = time.Second
	// deskPause is the shortest time between two looks.
	deskPause = 50 * time.Millisecond
	// deskTimeout bounds one look.
	deskTimeout = 20 * time.Second
)

// tend looks after support until stop is closed: at once when something happened, and every second.
func (s *Service) tend(stop <-chan struct{}) {
	ticker := time.NewTicker(deskEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.desk.bell:
		case <-stop:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), deskTimeout)
		if err := guarded(func() error { return s.LookAround(ctx) }); err != nil {
			s.log.Warn("look after support; trying again", "error", err)
		}
		cancel()
		select {
		case <-time.After(deskPause):
		case <-stop:
			return
		}
	}
}

// floor is what support looks like at one moment.
type floor struct {
	open   []models.OpenConversation
	left   []models.OpenConversation
	heads  []models.QueueHead
	agents []int64 // who is available
}

func (s *Service) readFloor(ctx context.Context) (floor, error) {
	return view(ctx, s, func(r Reader) (f floor, err error) {
		if f.open, err = r.OpenConversations(); err != nil {
			return f, fmt.Errorf("read open conversations: %w", err)
		}
		if f.left, err = r.LeftConversations(models.At(s.now().Add(-reopenWithin))); err != nil {
			return f, fmt.Errorf("read conversations that were left: %w", err)
		}
		if f.heads, err = r.QueueHeads(); err != nil {
			return f, fmt.Errorf("read the heads of the queues: %w", err)
		}
		if f.agents, err = r.AvailableAgents(); err != nil {
			return f, fmt.Errorf("read who is available: %w", err)
		}
		return f, nil
	})
}

// LookAround does what nobody's command does: it sees who has gone and who has come back, and that nobody waits beside a free
// agent. What it decides by is looked at again inside each command. What fails keeps nothing else from being done. Begin has it
// done all the time; it is never run twice at once.
func (s *Service) LookAround(ctx context.Context) error {
	comers := s.desk.takeComers()
	f, err := s.readFloor(ctx)
	if err != nil {
		return err
	}
	s.desk.follow(f)
	var failed []error
	for _, c := range f.left {
		if s.desk.streams(c.VisitorID) {
			failed = append(failed, s.takeBack(ctx, c.ID))
		}
	}
	failed = append(failed, s.seeVisitors(ctx, f.open), s.seeAgents(ctx, f.open))
	if s.canAssign(f) {
		if err := s.store.Do(ctx, s.assignWaiting); err != nil {
			failed = append(failed, fmt.Errorf("assign conversations: %w", err))
		}
	}
	failed = append(failed, s.tellPlaces(ctx, comers))
	return errors.Join(failed...)
}

// follow watches all who matter to support now.
func (d *desk) follow(f floor) {
	now := d.now()
	matter := make(map[int64]struct{}, 2*len(f.open)+len(f.left)+len(f.agents))
	for _, c := range f.open {
		matter[c.VisitorID] = struct{}{}
		if c.AgentID != 0 {
			matter[c.AgentID] = struct{}{}
		}
	}
	for _, c := range f.left {
		matter[c.VisitorID] = struct{}{}
	}
	for _, id := range f.agents {
		matter[id] = struct{}{}
	}
	for id := range matter {
		d.watched.LoadOrStore(id, new(attendance))
	}
	d.watched.Range(func(id, at any) bool {
		// Who was just watched for a command that is still at work stays for a while.
		if _, matters := matter[id.(int64)]; !matters && now.Sub(time.UnixMilli(at.(*attendance).asked.Load())) > requestGrace {
			d.watched.Delete(id)
		}
		return true
	})
	d.visitors.Range(func(id, at any) bool {
		// A request may be about to open a stream.
		if !d.streams(id.(int64)) && now.Sub(time.UnixMilli(at.(*atomic.Int64).Load())) > requestGrace {
			d.visitors.Delete(id)
		}
		return true
	})
}

// seeVisitors closes what visitors have left, and notes who is back to what they left as a message.
func (s *Service) seeVisitors(ctx context.Context, open []models.OpenConversation) error {
	var failed []error
	for _, c := range open {
		switch {
		case c.Offline && s.desk.streams(c.VisitorID):
			failed = append(failed, s.backAgain(ctx, c.ID))
		case !c.Offline && s.desk.left(c.VisitorID):
			failed = append(failed, s.visitorGone(ctx, c.ID))
		}
	}
	return errors.Join(failed...)
}

// seeAgents requeues what agents have who are gone. It comes after seeVisitors: what nobody is in any more goes to no
// other agent.
func (s *Service) seeAgents(ctx context.Context, open []models.OpenConversation) error {
	var failed []error
	seen := map[int64]bool{}
	for _, c := range open {
		if !c.Offline && s.desk.left(c.VisitorID) {
			continue // closed just now: agents come in the order of what is left of theirs
		}
		if c.AgentID != 0 && !seen[c.AgentID] && s.desk.gone(c.AgentID) {
			seen[c.AgentID] = true
			failed = append(failed, s.agentGone(ctx, c.AgentID))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) agentGone(ctx context.Context, agentID int64) error {
	err := s.store.Do(ctx, func(tx Tx) error {
		if !s.desk.gone(agentID) {
			return nil
		}
		if err := requeueAll(tx, agentID); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	})
	if err != nil {
		return fmt.Errorf("requeue the conversations of agent %d: %w", agentID, err)
	}
	return nil
}

func (s *Service) visitorGone(ctx context.Context, id int64) error {
	err := s.store.Do(ctx, func(tx Tx) error {
		c, err := tx.Conversation(id)
		if err != nil || !c.Open() || c.Offline || !s.desk.left(c.VisitorID) {
			return err
		}
		if err := closeConversation(tx, c, models.VisitorLeft, 0); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	})
	if err != nil {
		return fmt.Errorf("close conversation %d, whose visitor has left: %w", id, err)
	}
	return nil
}

// takeBack reopens the conversation of somebody who had left and is here again, unless they have another one by now.
func (s *Service) takeBack(ctx context.Context, id int64) error {
	err := s.store.Do(ctx, func(tx Tx) error {
		c, err := tx.Conversation(id)
		if err != nil || c.Open() || c.Reason != models.VisitorLeft || !s.desk.streams(c.VisitorID) {
			return err
		}
		last, err := tx.LastConversation(c.VisitorID)
		if err != nil || last.ID != c.ID {
			return err
		}
		user, err := tx.User(c.VisitorID)
		if errors.Is(err, ErrNotFound) || err == nil && user.Role.Staff() {
			return nil // deleted, or made an agent
		}
		if err != nil {
			return err
		}
		if err := reopen(tx, c); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	})
	if err != nil {
		return fmt.Errorf("reopen conversation %d, whose visitor is back: %w", id, err)
	}
	return nil
}

// backAgain notes that who opened a conversation outside the hours is here.
func (s *Service) backAgain(ctx context.Context, id int64) error {
	err := s.store.Do(ctx, func(tx Tx) error {
		c, err := tx.Conversation(id)
		if err != nil || !c.Open() || !c.Offline {
			return err
		}
		queue, err := tx.SupportQueue(c.QueueID)
		if err != nil {
			return err
		}
		if open, _ := queue.OpenAt(tx.Now().Time); !open {
			return nil // they leave a message just now
		}
		c.Offline = false
		_, err = tellSupport(tx, c)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that the visitor of conversation %d is back: %w", id, err)
	}
	return nil
}

// canAssign says whether some queue waits that is open, while an agent might be free: the command looks properly.
func (s *Service) canAssign(f floor) bool {
	isOpen := func(head models.QueueHead) bool {
		open, _ := head.Hours.At(s.now())
		return open
	}
	if !slices.ContainsFunc(f.heads, isOpen) {
		return false
	}
	return slices.ContainsFunc(f.agents, s.desk.here)
}

// tellPlaces tells visitors their place in the queue where it is another one, or they have just come. It comes last: nobody
// hears of a place that they have no more.
func (s *Service) tellPlaces(ctx context.Context, comers map[int64]struct{}) error {
	places, err := view(ctx, s, func(r Reader) ([]models.QueuePlace, error) { return r.QueuePlaces() })
	if err != nil {
		return fmt.Errorf("read the places in the queues: %w", err)
	}
	told := make(map[int64]int, len(places))
	var queue int64
	position := 0
	for _, p := range places {
		if p.QueueID != queue {
			queue, position = p.QueueID, 0
		}
		position++
		told[p.ConversationID] = position
		if _, came := comers[p.VisitorID]; came || s.desk.told[p.ConversationID] != position {
			s.whisper.Position(p.VisitorID, p.ConversationID, position)
		}
	}
	s.desk.told = told
	return nil
}
