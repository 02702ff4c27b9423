package bench

import (
	"context"
	"fmt"

	"parley/client"
)

// newest gives the id of the newest message of the first room, 0 where there is none.
func (r *runningParley) newest(ctx context.Context) (int64, error) {
	list, err := r.history(ctx, client.ListMessagesParams{Limit: new(1)})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0].ID, nil
}

// stored looks in the first room's history, behind a message, for all that was accepted.
func (r *runningParley) stored(ctx context.Context, l *ledger, after int64) (faults, error) {
	var got []uint32
	for {
		list, err := r.history(ctx, client.ListMessagesParams{Limit: new(200), After: &after})
		if err != nil {
			return faults{}, err
		}
		for _, m := range list {
			if m.ID <= after {
				return faults{}, fmt.Errorf("message %d comes behind %d", m.ID, after)
			}
			after = m.ID
			if number, found := findNumber([]byte(m.Text)); found {
				got = append(got, number)
			}
		}
		if len(list) < 200 {
			return l.check(0, [][]uint32{got}), nil
		}
	}
}

func (r *runningParley) history(ctx context.Context, params client.ListMessagesParams) ([]client.Message, error) {
	c, err := client.New("http://"+r.addr, client.WithHTTPClient(r.http), client.WithToken(r.say[0]))
	if err != nil {
		return nil, err
	}
	resp, err := c.ListMessagesWithResponse(ctx, fmt.Sprint(r.rooms[0]), &params)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	if resp.JSON200 == nil {
		return nil, fmt.Errorf("read the history: %w", client.Check(resp.HTTPResponse, resp.Body))
	}
	return resp.JSON200.Messages, nil
}
