package broker

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/models"
)

const (
	// cryEvery keeps the frames of presence of a stream under 10 a second, however late one of two is
	// written.
	cryEvery = 125 * time.Millisecond
	// After cryBurst streams were called the crier lets them write for cryPer each: to tell 10,000 streams
	// takes a share of the processor for a second, not all of it at once.
	cryBurst = 32
	cryPer   = 100 * time.Microsecond
	// cryUsers is how many users are in a frame at most.
	cryUsers = 200
	// announceChunk bounds what is done under the index's lock at a time.
	announceChunk = 16
)

// Heard gives those of the users of whose presence some stream would be told: one that stands in a room
// with them. Nobody needs to be announced whom nobody hears.
func (b *Broker) Heard(userIDs []int64, inLobby bool) []int64 {
	var heard []int64
	for chunk := range slices.Chunk(userIDs, announceChunk) {
		b.index.mu.Lock()
		for _, id := range chunk {
			if len(b.index.roomsHeard(id, inLobby, 1)) > 0 {
				heard = append(heard, id)
			}
		}
		b.index.mu.Unlock()
	}
	return heard
}

// Announce tells the streams of all who share a room with the users what has become of these. It
// waits for nobody. Of the lobby's members only those hear it who have another room in common,
// unless inLobby is set.
func (b *Broker) Announce(users []models.PresenceUser, inLobby bool) error {
	for chunk := range slices.Chunk(users, announceChunk) {
		rooms := make([][]int64, len(chunk))
		b.index.mu.Lock()
		for i := range chunk {
			rooms[i] = b.index.roomsHeard(chunk[i].ID, inLobby, 0)
		}
		b.index.mu.Unlock()
		for i := range chunk {
			if len(rooms[i]) == 0 {
				continue
			}
			body, err := json.Marshal(chunk[i])
			if err != nil {
				return fmt.Errorf("encode presence: %w", err)
			}
			b.board.post(chunk[i].ID, body, rooms[i])
		}
	}
	return nil
}

// Forget says that the users' going was told. Their accounts go unless they are back.
func (b *Broker) Forget(userIDs []int64) {
	for chunk := range slices.Chunk(userIDs, announceChunk) {
		b.index.forget(chunk)
	}
}

// roomsHeard gives the rooms of the user in which some stream listens, at most `most` of them where that is
// not 0. It needs mu.
func (x *index) roomsHeard(userID int64, inLobby bool, most int) []int64 {
	a := x.accounts[userID]
	if a == nil {
		return nil
	}
	var rooms []int64
	for _, t := range a.topics {
		if t.Kind != models.ToRoom || t.ID == models.LobbyID && !inLobby || !x.listened(t) {
			continue
		}
		if rooms = append(rooms, t.ID); len(rooms) == most {
			break
		}
	}
	return rooms
}

// listened says whether any stream under the topic wants presence. Most do, so that the first is
// found at once.
func (x *index) listened(t models.Audience) bool {
	for a := range x.topics[t] {
		for _, s := range a.subs {
			if s.hears {
				return true
			}
		}
	}
	return false
}

// cryLoop calls the streams for which there is something on the board: one goroutine for all.
func (b *Broker) cryLoop() {
	timer := time.NewTimer(cryEvery)
	defer timer.Stop()
	for tick := int64(1); ; tick++ {
		select {
		case <-timer.C:
		case <-b.stop:
			return
		}
		b.cry(tick, timer)
		timer.Reset(cryEvery)
	}
}

// cry wakes whom the news since the last time may concern. timer is free for its pauses.
func (b *Broker) cry(tick int64, timer *time.Timer) {
	called := 0
	pace := func() {
		if called++; called%cryBurst == 0 {
			b.pause(timer, cryPer*cryBurst)
		}
	}
	b.tellAside(pace)
	call := func(s *subscriber) {
		if s.call(tick) {
			pace()
		}
	}
	b.cries.Store(tick)
	rooms, upTo, again := b.board.takeFresh()
	for _, s := range again {
		call(s)
	}
	var ears []*subscriber
	for _, room := range rooms {
		ears = b.index.listeners(ears[:0], models.InRoom(room))
		for _, s := range ears {
			call(s)
		}
	}
	b.cried.Store(upTo)
}

// listeners appends the streams under the topic that want presence.
func (x *index) listeners(to []*subscriber, t models.Audience) []*subscriber {
	x.mu.Lock()
	defer x.mu.Unlock()
	for a := range x.topics[t] {
		for _, s := range a.subs {
			if s.hears {
				to = append(to, s)
			}
		}
	}
	return to
}

// call wakes the stream to look at the board, once a cry, and says whether it did; only the crier calls.
func (s *subscriber) call(tick int64) bool {
	if s.called == tick {
		return false
	}
	s.called = tick
	s.news.Store(true)
	s.nudge()
	return true
}

// tellPresence writes one frame of what is new of those who share a room with the user, if there is any
// and none was written since the last cry. A stream that reads the log waits until its view is
// good again.
func (s *Stream) tellPresence() error {
	if s.behind || !s.news.Load() {
		return nil
	}
	tick := s.broker.cries.Load()
	if tick == s.told {
		return nil
	}
	s.told = tick
	// In this order: whoever finds neither set knows that the stream was told all that it was called for.
	s.telling.Store(true)
	defer s.telling.Store(false)
	s.news.Store(false)
	c := presenceFrames.Get().(*presenceFrame)
	defer c.putBack()
	seen, more := c.draw(s)
	if more {
		s.news.Store(true)
		s.broker.board.callAgain(&s.subscriber)
	}
	if len(c.frame) > 0 {
		if err := s.send(c.frame); err != nil {
			return err
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.seen.Store(seen)
	return nil
}

// ownRooms are the user's rooms, those of the filter where there is one.
func (s *Stream) ownRooms() []int64 {
	if !s.filter.HasRooms {
		return s.view.rooms
	}
	var rooms []int64
	for _, room := range s.view.rooms {
		if slices.Contains(s.filter.Rooms, room) {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// sweepBoard drops what all streams have seen. It comes with the pacemaker's tick.
func (b *Broker) sweepBoard() {
	if !b.board.empty() {
		b.board.trim(b.index.leastSeen(b.cried.Load()))
	}
}

// leastSeen is the number up to which every stream was told, at most that up to which all were called. A
// stream that is not called has nothing to be told, however old the number that it remembers.
func (x *index) leastSeen(cried int64) int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, subs := range x.sessions {
		for _, s := range subs {
			if s.hears && (s.news.Load() || s.telling.Load()) {
				cried = min(cried, s.seen.Load())
			}
		}
	}
	return cried
}
