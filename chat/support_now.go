package chat

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/models"
)

// agentPage bounds a look-up of agents.
const agentPage = 200

// nowTimeout bounds how long the numbers wait for the database.
const nowTimeout = time.Second

// lastNow remembers how support stood when it could be read last.
type lastNow struct {
	mu  sync.Mutex
	now models.SupportNow
}

// read gives how support stands, or stood last where the database does not answer: numbers are wanted most then.
func (l *lastNow) read(s *Service) models.SupportNow {
	ctx, cancel := context.WithTimeout(context.Background(), nowTimeout)
	defer cancel()
	now, err := view(ctx, s, func(r Reader) (models.SupportNow, error) { return s.supportNow(r, 0) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.now = now
	}
	return l.now
}

// supportNow reads how the departments stand, or the only one asked for (0: all), and how all agents do.
func (s *Service) supportNow(r Reader, queueID int64) (models.SupportNow, error) {
	var now models.SupportNow
	queues, err := r.SupportQueues()
	if err != nil {
		return now, fmt.Errorf("list departments: %w", err)
	}
	loads, err := r.QueueLoads()
	if err != nil {
		return now, fmt.Errorf("count the open conversations: %w", err)
	}
	now.Queues = make([]models.QueueNow, 0, len(queues))
	for _, q := range queues {
		if queueID == 0 || queueID == q.ID {
			now.Queues = append(now.Queues, s.queueNow(q, loads))
		}
	}
	now.Agents, err = s.agentsNow(r)
	return now, err
}

func (s *Service) queueNow(q models.SupportQueue, loads []models.QueueLoad) models.QueueNow {
	n := models.QueueNow{Queue: q.Name}
	for _, l := range loads {
		switch {
		case l.QueueID != q.ID:
		case l.State == models.Queued:
			n.Waiting, n.LongestWait = l.Count, between(l.QueuedSince, models.At(s.now()))
		default:
			n.Assigned = l.Count
		}
	}
	return n
}

func (s *Service) agentsNow(r Reader) (models.AgentsNow, error) {
	var n models.AgentsNow
	for after := int64(0); ; {
		agents, err := r.SupportAgents(after, agentPage)
		if err != nil {
			return n, fmt.Errorf("list agents: %w", err)
		}
		for _, a := range agents {
			after = a.User.ID
			if !a.Available {
				continue
			}
			n.Available++
			if s.desk.here(a.User.ID) {
				n.Present++
				n.Capacity += a.Capacity
				n.Load += a.Load
			}
		}
		if len(agents) < agentPage {
			return n, nil
		}
	}
}
