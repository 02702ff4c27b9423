package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/models"
)

// MaxQueues is how many departments there can be.
const MaxQueues = 100

// QueueReader reads what only the administration of departments needs.
type QueueReader interface {
	// QueueInUse says whether a conversation of the department is open.
	QueueInUse(queueID int64) (bool, error)
}

// QueueWriter writes departments.
type QueueWriter interface {
	// InsertQueue gives the department its id.
	InsertQueue(q models.SupportQueue) (models.SupportQueue, error)
	// UpdateQueue writes name, key, assignment and hours.
	UpdateQueue(q models.SupportQueue) error
	// DeleteQueue frees the department's name. Closed conversations still name it; agents who took from it alone take
	// from the general one.
	DeleteQueue(id int64) error
}

// Department is a department as it is just now.
type Department struct {
	models.SupportQueue
	Open        bool
	NextOpening models.Time // of one that is closed; zero: never
}

func departmentAt(q models.SupportQueue, now models.Time) Department {
	d := Department{SupportQueue: q}
	d.Open, d.NextOpening = q.OpenAt(now.Time)
	return d
}

// Departments gives the departments whose key comes after one, by name. next is the key to go on from, "" at the end.
func (s *Service) Departments(ctx context.Context, a Actor, after string, limit int) (list []Department, next string, err error) {
	list, err = view(ctx, s, func(r Reader) (list []Department, err error) {
		if _, err := serving(r, a); err != nil {
			return nil, err
		}
		all, err := r.SupportQueues()
		if err != nil {
			return nil, fmt.Errorf("list departments: %w", err)
		}
		for _, q := range all {
			if q.Key > after {
				list = append(list, departmentAt(q, s.moment(r)))
			}
		}
		return list, nil
	})
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Key
	}
	return list, next, err
}

// NewDepartment is what a department is made from.
type NewDepartment struct {
	Name       string
	Assignment models.Assignment    // empty: auto
	Hours      *models.OpeningHours // nil: always open
}

// CreateDepartment makes a department.
func (s *Service) CreateDepartment(ctx context.Context, a Actor, n NewDepartment) (Department, error) {
	name, key, err := departmentName(n.Name)
	if err != nil {
		return Department{}, err
	}
	if err := n.Hours.Check(); err != nil {
		return Department{}, err
	}
	return do(ctx, s, func(tx Tx) (Department, error) {
		by, err := administer(tx, a)
		if err != nil {
			return Department{}, err
		}
		if err := takesAnotherDepartment(tx, key); err != nil {
			return Department{}, err
		}
		q, err := tx.InsertQueue(models.SupportQueue{
			Name: name, Key: key, Assignment: cmp.Or(n.Assignment, models.AutoAssignment), Hours: n.Hours, CreatedAt: tx.Now(),
		})
		if err != nil {
			return Department{}, fmt.Errorf("insert department: %w", err)
		}
		return departmentAt(q, tx.Now()), record(tx, a, by, models.AuditEntry{
			Action: models.AuditQueueCreate,
			Detail: details("queue", q.Name, "assignment", string(q.Assignment), "hours", hoursInAudit(q)),
		})
	})
}

// departmentName is ChannelName without what has a meaning of its own where a conversation is opened.
func departmentName(s string) (name, key string, err error) {
	name, key, err = models.ChannelName(s)
	if err == nil && (key == "true" || key == "false") {
		err = models.Invalid("name", "%q is reserved", name)
	}
	return name, key, err
}

func takesAnotherDepartment(r Reader, key string) error {
	all, err := r.SupportQueues()
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	if len(all) >= MaxQueues {
		return models.Refuse(models.CodeConflict, "there are %d departments, which is as many as there can be: delete one first", len(all))
	}
	return departmentFree(r, key, 0)
}

// departmentFree refuses a key that belongs to a department other than self.
func departmentFree(r Reader, key string, self int64) error {
	q, err := r.SupportQueueByKey(key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up department: %w", err)
	case q.ID == self:
		return nil
	default:
		return models.Refuse(models.CodeNameTaken, "the department's name is taken")
	}
}

// hoursInAudit are the hours as the audit log has them.
func hoursInAudit(q models.SupportQueue) string {
	if q.Hours == nil {
		return "always"
	}
	b, err := json.Marshal(q.Hours)
	if err != nil {
		return err.Error() // there is nothing in them that could fail
	}
	return string(b)
}

// DepartmentChange is what may be changed of a department; nil leaves it as it is.
type DepartmentChange struct {
	Name       *string
	Assignment *models.Assignment
	Hours      *models.OpeningHours
	AlwaysOpen bool // takes the hours away
}

// UpdateDepartment changes a department, by its name or id; all of the change or nothing. The general one keeps its name.
func (s *Service) UpdateDepartment(ctx context.Context, a Actor, ref string, c DepartmentChange) (Department, error) {
	var key string
	if c.Name != nil {
		name, k, err := departmentName(*c.Name)
		if err != nil {
			return Department{}, err
		}
		c.Name, key = &name, k
	}
	if err := c.Hours.Check(); err != nil {
		return Department{}, err
	}
	return do(ctx, s, func(tx Tx) (Department, error) {
		by, before, err := administered(tx, a, ref)
		if err != nil {
			return Department{}, err
		}
		after := c.applied(before, key)
		fields := changedDepartment(before, after)
		if len(fields) == 0 {
			return departmentAt(before, tx.Now()), nil
		}
		if err := mayBeNamed(tx, before, after); err != nil {
			return Department{}, err
		}
		if err := tx.UpdateQueue(after); err != nil {
			return Department{}, fmt.Errorf("update department: %w", err)
		}
		fields["queue"] = before.Name
		if err := record(tx, a, by, models.AuditEntry{Action: models.AuditQueueUpdate, Detail: fields}); err != nil {
			return Department{}, err
		}
		return s.staffed(tx, after.ID)
	})
}

// administered finds a department that an admin acts upon. Nobody else learns whether there is one.
func administered(tx Tx, a Actor, ref string) (by models.User, q models.SupportQueue, err error) {
	if by, err = administer(tx, a); err != nil {
		return by, q, err
	}
	if id, ok := models.ParseID(ref); ok {
		q, err = tx.SupportQueue(id)
	} else {
		q, err = tx.SupportQueueByKey(models.NameKey(ref))
	}
	return by, q, found(err, "department")
}

func (c DepartmentChange) applied(q models.SupportQueue, key string) models.SupportQueue {
	if c.Name != nil {
		q.Name, q.Key = *c.Name, key
	}
	if c.Assignment != nil {
		q.Assignment = *c.Assignment
	}
	if c.Hours != nil || c.AlwaysOpen {
		q.Hours = c.Hours
	}
	return q
}

// changedDepartment gives what is new of a department, by its field.
func changedDepartment(before, after models.SupportQueue) map[string]string {
	d := map[string]string{}
	for field, values := range map[string][2]string{
		"name":       {before.Name, after.Name},
		"assignment": {string(before.Assignment), string(after.Assignment)},
		"hours":      {hoursInAudit(before), hoursInAudit(after)},
	} {
		if values[0] != values[1] {
			d[field] = values[1]
		}
	}
	return d
}

func mayBeNamed(r Reader, before, after models.SupportQueue) error {
	if before.ID == models.GeneralQueue && before.Name != after.Name {
		return models.Refuse(models.CodeConflict, "%s keeps its name", before.Name)
	}
	return departmentFree(r, after.Key, after.ID)
}

// staffed lets go to agents what now can, and gives the department as it is then.
func (s *Service) staffed(tx Tx, id int64) (Department, error) {
	if err := s.assignWaiting(tx); err != nil {
		return Department{}, err
	}
	q, err := tx.SupportQueue(id)
	if err != nil {
		return Department{}, fmt.Errorf("read department: %w", err)
	}
	return departmentAt(q, tx.Now()), nil
}

// DeleteDepartment deletes a department, by its name or id. conflict for the general one, and while a conversation of it
// is open.
func (s *Service) DeleteDepartment(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		by, q, err := administered(tx, a, ref)
		if err != nil {
			return err
		}
		if q.ID == models.GeneralQueue {
			return models.Refuse(models.CodeConflict, "%s takes what is for no other department: it stays", q.Name)
		}
		busy, err := tx.QueueInUse(q.ID)
		if err != nil {
			return fmt.Errorf("look for open conversations of the department: %w", err)
		}
		if busy {
			return models.Refuse(models.CodeConflict, "%s has open conversations: close or transfer them first", q.Name)
		}
		if err := tx.DeleteQueue(q.ID); err != nil {
			return fmt.Errorf("delete department: %w", err)
		}
		err = record(tx, a, by, models.AuditEntry{Action: models.AuditQueueDelete, Detail: details("queue", q.Name)})
		if err != nil {
			return err
		}
		return s.assignWaiting(tx) // agents who had it alone may take others now
	})
}

// AgentChange is what an admin sets for an agent; nil leaves it as it is.
type AgentChange struct {
	Available *bool
	Capacity  *int
	Queues    *[]string // the departments to take from; none: all
}

// SetSupportAgent sets what an agent takes from, and how many. conflict for who is no agent.
func (s *Service) SetSupportAgent(ctx context.Context, a Actor, ref string, c AgentChange) (PresentAgent, error) {
	if err := checkCapacity(c.Capacity); err != nil {
		return PresentAgent{}, err
	}
	agent, err := do(ctx, s, func(tx Tx) (models.SupportAgent, error) {
		act, err := upon(tx, a, ref)
		if err != nil {
			return models.SupportAgent{}, err
		}
		if !act.user.Role.Staff() {
			return models.SupportAgent{}, models.Refuse(models.CodeConflict, "%s is a %s, no agent: give them that role first", act.user.Name, act.user.Role)
		}
		before, err := agentOf(tx, act.user)
		if err != nil {
			return before, err
		}
		v := Availability{Available: before.Available, Capacity: c.Capacity, Queues: c.Queues}
		if c.Available != nil {
			v.Available = *c.Available
		}
		after, err := s.setAvailability(tx, act.user, v)
		if err != nil {
			return after, err
		}
		return after, recordAgent(tx, a, act, before, after)
	})
	if err != nil {
		return PresentAgent{}, err
	}
	return s.presentAgent(agent), nil
}

// recordAgent writes down what is new of an agent.
func recordAgent(tx Tx, a Actor, act administration, before, after models.SupportAgent) error {
	d := map[string]string{}
	if before.Available != after.Available {
		d["available"] = strconv.FormatBool(after.Available)
	}
	if before.Capacity != after.Capacity {
		d["capacity"] = strconv.Itoa(after.Capacity)
	}
	if !slices.Equal(before.Queues, after.Queues) {
		d["queues"] = cmp.Or(strings.Join(after.Queues, ", "), "all")
	}
	if len(d) == 0 {
		return nil
	}
	return record(tx, a, act.by, models.AuditEntry{
		Action: models.AuditAgentUpdate, UserID: act.user.ID, UserName: act.user.Name, Detail: d,
	})
}
