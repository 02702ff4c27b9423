package chat

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/models"
)

// record writes down what was done with an admin's rights, in the transaction that does it. by is
// the actor as administer, or acting, gave them.
func record(tx Tx, a Actor, by models.User, e models.AuditEntry) error {
	e.At, e.ActorID, e.ActorName, e.Address, e.Via = tx.Now(), by.ID, by.Name, a.Address, models.ViaHTTP
	if a.Operator != "" {
		e.Via = models.ViaCLI
	}
	if err := tx.InsertAudit(e); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// details are names and values in turn, without those that are empty.
func details(namesAndValues ...string) map[string]string {
	d := map[string]string{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			d[namesAndValues[i]] = namesAndValues[i+1]
		}
	}
	return d
}

// byAdminRight says whether it is as the server's admin that the target's user may do the action: their
// role in the room would not do.
func (t target) byAdminRight(action Action) bool {
	standing := rankOf(t.role)
	if t.room.NotesOf != 0 {
		standing = Member // as any agent
	}
	return t.rank == Admin && standing < needed(action, t.room)
}

// recordInRoom writes down an act in a room that took an admin's right. other is whom it was done
// to, if anybody.
func recordInRoom(tx Tx, a Actor, t target, action models.AuditAction, other models.User, detail map[string]string) error {
	return record(tx, a, t.user, models.AuditEntry{
		Action: action, RoomID: t.room.ID, RoomName: t.room.Name, UserID: other.ID, UserName: other.Name, Detail: detail,
	})
}

// readAgain is how often an admin's reading of one private channel is written down.
const readAgain = time.Hour

// readLog remembers which admin's reading of which room was written down, and when.
type readLog struct {
	mu   sync.Mutex
	last map[reading]time.Time
}

type reading struct{ userID, roomID int64 }

// due says whether a reading is to be written down, and counts it as such.
func (l *readLog) due(r reading, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.last[r]; ok && now.Sub(last) < readAgain {
		return false
	}
	for old, last := range l.last {
		if now.Sub(last) >= readAgain {
			delete(l.last, old)
		}
	}
	if l.last == nil {
		l.last = map[reading]time.Time{}
	}
	l.last[r] = now
	return true
}

// undo takes back what due counted.
func (l *readLog) undo(r reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, r)
}

// recordReading writes down that an admin reads a room that they could not read otherwise. It is done
// before they are answered.
func (s *Service) recordReading(ctx context.Context, a Actor, t target) error {
	r := reading{t.user.ID, t.room.ID}
	if !s.readings.due(r, s.now()) {
		return nil
	}
	err := s.store.Do(ctx, func(tx Tx) error {
		return recordInRoom(tx, a, t, models.AuditRoomRead, models.User{}, nil)
	})
	if err != nil {
		s.readings.undo(r)
	}
	return err
}

// AuditQuery says which entries are wanted. Actor is a UserRef, empty for anybody's.
type AuditQuery struct {
	Actor  string
	Action models.AuditAction
	Before int64
	Limit  int
}

// Audit gives entries of the audit log, newest first. next is the id to go on from, 0 at the end.
func (s *Service) Audit(ctx context.Context, a Actor, q AuditQuery) (entries []models.AuditEntry, next int64, err error) {
	entries, err = view(ctx, s, func(r Reader) ([]models.AuditEntry, error) {
		if _, err := administer(r, a); err != nil {
			return nil, err
		}
		page := models.AuditPage{Action: q.Action, Before: q.Before, Limit: q.Limit + 1}
		if q.Actor != "" {
			if page.ActorID, err = auditedID(r, q.Actor); err != nil {
				return nil, err
			}
		}
		return r.Audit(page)
	})
	if len(entries) > q.Limit {
		entries = entries[:q.Limit]
		next = entries[q.Limit-1].ID
	}
	return entries, next, err
}

// auditedID gives the id of a UserRef. One by id may be of an account that is no more.
func auditedID(r Reader, ref string) (int64, error) {
	parsed, err := models.ParseUserRef(ref)
	if err != nil || parsed.ID != 0 {
		return parsed.ID, err
	}
	user, err := lookupUser(r, ref)
	return user.ID, err
}
