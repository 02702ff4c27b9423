package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/models"
)

const (
	// SessionLife is how long a session lives from its last use.
	SessionLife = 30 * 24 * time.Hour
	// touchEvery is how often a session's last use is written down at most.
	touchEvery = 5 * time.Minute
	maxAgent   = 200 // bytes of a User-Agent that are kept
)

// Device is where a session is used from.
type Device struct {
	Agent   string // the User-Agent header
	Address string // the IP address

	mark string // of a connection's session, before the agent: passingAgent or returningAgent
}

// agent is what is kept of the device's name. No client can give its own the mark of a connection.
func (d Device) agent() string {
	agent := shortAgent(d.Agent)
	if d.mark == "" && (strings.HasPrefix(agent, passingAgent) || strings.HasPrefix(agent, returningAgent)) {
		return shortAgent("client " + agent)
	}
	return d.mark + agent
}

func shortAgent(agent string) string { return cleanText(agent[:min(len(agent), maxAgent)]) }

// Login is a new session: the token is given out once and never stored.
type Login struct {
	Actor Actor
	Token string
}

// errSession is one answer for every token that stands for nothing.
func errSession() error {
	return models.Refuse(models.CodeUnauthorized, "log in first: the session is unknown or has ended")
}

// Authenticate gives who a session token stands for, and slides the session's end. slid says that the new end
// was written down: time for a cookie to follow.
func (s *Service) Authenticate(ctx context.Context, token string) (a Actor, slid bool, err error) {
	hash := hashToken(token)
	entry, generation := s.sessions.get(hash)
	if entry == nil {
		actor, err := s.lookUp(ctx, hash)
		if err != nil {
			return Actor{}, false, err
		}
		entry = s.sessions.put(hash, actor, generation)
	}
	now := s.now()
	if now.After(s.endOf(entry)) {
		return Actor{}, false, errSession()
	}
	if slid = entry.authenticatedAt(now); slid {
		s.touches.note(entry.actor.Session.ID, now)
	}
	s.idle.see(entry.actor)
	s.desk.note(entry.actor.User)
	return entry.actor, slid, nil
}

// endOf is when the session ends by itself, counted from the last use in memory, which
// is never older than the one in the database.
func (s *Service) endOf(e *cachedSession) time.Time {
	return time.UnixMilli(max(e.usedAt.Load(), e.savedAt.Load())).Add(SessionLife)
}

// lookUp reads a session that is not in memory. Few do so at once: when everybody comes back after a restart,
// they wait here, where waiting costs nothing, and not before the database, where all other readers would
// wait behind them.
func (s *Service) lookUp(ctx context.Context, hash []byte) (Actor, error) {
	select {
	case s.lookUps <- struct{}{}:
		defer func() { <-s.lookUps }()
	case <-ctx.Done():
		return Actor{}, fmt.Errorf("wait to read a session: %w", ctx.Err())
	}
	return view(ctx, s, func(r Reader) (Actor, error) { return readSession(r, hash) })
}

func readSession(r Reader, hash []byte) (Actor, error) {
	session, err := r.SessionByHash(hash)
	if errors.Is(err, ErrNotFound) {
		return Actor{}, errSession()
	}
	if err != nil {
		return Actor{}, fmt.Errorf("read session: %w", err)
	}
	user, err := r.User(session.UserID)
	if errors.Is(err, ErrNotFound) {
		return Actor{}, errSession()
	}
	if err != nil {
		return Actor{}, fmt.Errorf("read the session's user: %w", err)
	}
	return Actor{User: user, Session: session}, nil
}

// Alive says whether the actor's session has not ended, from the database: a stream asks after it was
// registered, so that an end between the request's authentication and then is not missed.
func (s *Service) Alive(ctx context.Context, a Actor) error {
	return s.store.View(ctx, func(r Reader) error { return living(r, a) })
}

// openSession adds a session for the user inside a command; banned for who may not have one.
func (s *Service) openSession(tx Tx, user models.User, d Device) (Login, error) {
	if err := admit(tx, user, d.Address); err != nil {
		return Login{}, err
	}
	token, hash := newToken()
	now := tx.Now()
	session, err := tx.InsertSession(models.Session{
		UserID: user.ID, TokenHash: hash, CreatedAt: now, LastUsedAt: now,
		ExpiresAt: slideTo(now.Time), Agent: d.agent(), Address: d.Address,
	})
	if err != nil {
		return Login{}, fmt.Errorf("insert session: %w", err)
	}
	return Login{Actor: Actor{User: user, Session: session}, Token: token}, nil
}

// logIn runs the command that opens a session, which counts as an act.
func (s *Service) logIn(ctx context.Context, open func(tx Tx) (Login, error)) (Login, error) {
	login, err := do(ctx, s, open)
	if err == nil {
		s.Acted(login.Actor)
	}
	return login, err
}

// Logout ends the actor's session; its streams get session.ended.
func (s *Service) Logout(ctx context.Context, a Actor) error {
	return s.store.Do(ctx, func(tx Tx) error {
		if err := living(tx, a); err != nil {
			return err
		}
		return endSession(tx, a.Session, ending{reason: "logout"})
	})
}

// living refuses an actor whose session has ended since the request came in: what concerns sessions must
// not be decided by one that is none any more.
func living(r Reader, a Actor) error {
	_, err := r.Session(a.Session.ID)
	if errors.Is(err, ErrNotFound) {
		return errSession()
	}
	if err != nil {
		return fmt.Errorf("read session: %w", err)
	}
	return nil
}

// ending is why a session ends, as session.ended tells it. Detail may be empty.
type ending struct{ reason, detail string }

// endSession deletes the session and notes it in the log, by which every cache and stream
// learns of it.
func endSession(tx Tx, session models.Session, e ending) error {
	_, err := tx.Append(models.Event{
		Type: models.SessionFinished,
		Change: models.Change{
			Kind: models.SessionGone, UserID: session.UserID, SessionID: session.ID, Reason: e.reason, Detail: e.detail,
		},
	}, models.SessionData{SessionID: session.ID, UserID: session.UserID, Reason: e.reason, Detail: e.detail})
	if err != nil {
		return fmt.Errorf("append the end of the session: %w", err)
	}
	if err := tx.DeleteSession(session.ID); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

// endSessions ends all sessions of the user but keep, which may be 0.
func endSessions(tx Tx, userID, keep int64, e ending) error {
	sessions, err := tx.SessionsOf(userID)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, session := range sessions {
		if session.ID == keep {
			continue
		}
		if err := endSession(tx, session, e); err != nil {
			return err
		}
	}
	return nil
}
