package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListQueues gives the departments.
func (s *server) ListQueues(ctx context.Context, r ListQueuesRequestObject) (ListQueuesResponseObject, error) {
	after, err := afterKey(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, next, err := s.chat.Departments(ctx, actor, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	body := SupportQueueList{Queues: each(list, wireDepartment)}
	if next != "" {
		body.NextPage = pageToken(next)
	}
	return ListQueues200JSONResponse{Body: body}, nil
}

// CreateQueue makes a department.
func (s *server) CreateQueue(ctx context.Context, r CreateQueueRequestObject) (CreateQueueResponseObject, error) {
	var n chat.NewDepartment
	switch {
	case r.JSONBody != nil:
		b := r.JSONBody
		n = chat.NewDepartment{Name: b.Name, Assignment: models.Assignment(deref(b.Assignment)), Hours: openingHours(b.Hours)}
	case r.FormdataBody != nil:
		b := r.FormdataBody
		n = chat.NewDepartment{Name: b.Name, Assignment: models.Assignment(deref(b.Assignment))}
	default:
		return nil, errNoBody
	}
	ctx, actor := call(ctx)
	d, err := s.chat.CreateDepartment(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	return CreateQueue201JSONResponse{Body: wireDepartment(d)}, nil
}

// UpdateQueue changes a department.
func (s *server) UpdateQueue(ctx context.Context, r UpdateQueueRequestObject) (UpdateQueueResponseObject, error) {
	var c chat.DepartmentChange
	switch {
	case r.JSONBody != nil:
		b := r.JSONBody
		c = chat.DepartmentChange{
			Name: b.Name, Assignment: (*models.Assignment)(b.Assignment), Hours: openingHours(b.Hours), AlwaysOpen: aboutOf(ctx).isNull("hours"),
		}
	case r.FormdataBody != nil:
		b := r.FormdataBody
		c = chat.DepartmentChange{Name: b.Name, Assignment: (*models.Assignment)(b.Assignment)}
	default:
		return nil, errNoBody
	}
	ctx, actor := call(ctx)
	d, err := s.chat.UpdateDepartment(ctx, actor, r.Queue, c)
	if err != nil {
		return nil, err
	}
	return UpdateQueue200JSONResponse{Body: wireDepartment(d)}, nil
}

// DeleteQueue deletes a department.
func (s *server) DeleteQueue(ctx context.Context, r DeleteQueueRequestObject) (DeleteQueueResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.DeleteDepartment(ctx, actor, r.Queue); err != nil {
		return nil, err
	}
	return DeleteQueue204Response{}, nil
}

// SetSupportAgent sets what an agent takes.
func (s *server) SetSupportAgent(ctx context.Context, r SetSupportAgentRequestObject) (SetSupportAgentResponseObject, error) {
	var c chat.AgentChange
	switch {
	case r.JSONBody != nil:
		c = chat.AgentChange{Available: r.JSONBody.Available, Capacity: r.JSONBody.Capacity}
		if r.JSONBody.Queues != nil {
			c.Queues = &r.JSONBody.Queues
		}
	case r.FormdataBody != nil:
		c = chat.AgentChange{Available: r.FormdataBody.Available, Capacity: r.FormdataBody.Capacity}
	default:
		return nil, errNoBody
	}
	ctx, actor := call(ctx)
	agent, err := s.chat.SetSupportAgent(ctx, actor, r.User, c)
	if err != nil {
		return nil, err
	}
	return SetSupportAgent200JSONResponse{Body: wireAgent(agent)}, nil
}

func wireDepartment(d chat.Department) SupportQueue {
	return SupportQueue{
		ID: d.ID, Name: d.Name, Assignment: Assignment(d.Assignment), Hours: wireHours(d.Hours), Open: d.Open,
		NextOpening: timeOrNil(d.NextOpening), Waiting: d.Waiting,
	}
}

func wireHours(h *models.OpeningHours) *OpeningHours {
	if h == nil {
		return nil
	}
	out := &OpeningHours{Timezone: h.Timezone, Weekly: []OpeningTime{}, Closed: h.Closed}
	for _, t := range h.Weekly {
		out.Weekly = append(out.Weekly, OpeningTime{Day: Weekday(t.Day), From: t.From, To: t.To})
	}
	return out
}

// openingHours is the inverse of wireHours.
func openingHours(h *OpeningHours) *models.OpeningHours {
	if h == nil {
		return nil
	}
	out := &models.OpeningHours{Timezone: h.Timezone, Closed: h.Closed}
	for _, t := range h.Weekly {
		out.Weekly = append(out.Weekly, models.OpeningTime{Day: string(t.Day), From: t.From, To: t.To})
	}
	return out
}
