package tests

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"

	"parley/client"
)

// compare holds what the server now says of rooms, members and history against the log.
func (t *town) compare(ctx context.Context, tb testing.TB, b *books) {
	tb.Helper()
	for _, f := range b.ledger.faults { // what the replays found
		tb.Error(f)
	}
	said := map[int64][]int64{}
	for _, id := range slices.Sorted(maps.Keys(t.ledger.said)) {
		room := t.ledger.said[id].room
		said[room] = append(said[room], id)
	}
	for _, p := range t.people {
		var want []int64
		for room := range b.kinds {
			if room == lobby || b.present[room][p.id] != nil {
				want = append(want, room)
			}
		}
		slices.Sort(want)
		if got := p.roomsOf(ctx, tb); !slices.Equal(got, want) {
			tb.Errorf("user %d is in rooms %v, by the log in %v", p.id, got, want)
		}
		for _, room := range want {
			got := p.history(ctx, tb, room)
			for _, m := range got {
				if gone := b.gone[m.ID] != 0; m.Text != b.texts[m.ID] || (m.DeletedAt != nil) != gone {
					tb.Errorf("the history of room %d has %+v, by the log %q, deleted: %v", room, m, b.texts[m.ID], gone)
				}
			}
			if ids := idsOf(got); !slices.Equal(ids, said[room]) {
				tb.Errorf("the history of room %d: %s", room, difference(ids, said[room]))
			}
			if room == lobby {
				continue
			}
			members := slices.Sorted(maps.Keys(b.present[room]))
			if got := p.membersOf(ctx, tb, room); !slices.Equal(got, members) {
				tb.Errorf("room %d has the members %v, by the log %v", room, got, members)
			}
		}
	}
}

// pages collects the ids of a list over its pages; one gives a page's ids and the next page.
func pages(tb testing.TB, one func(page *string) ([]int64, *string, error)) (all []int64) {
	tb.Helper()
	for page := (*string)(nil); ; {
		ids, next, err := one(page)
		if err != nil {
			tb.Fatal(err)
		}
		if all = append(all, ids...); next == nil {
			slices.Sort(all)
			return all
		}
		page = next
	}
}

func (p *person) roomsOf(ctx context.Context, tb testing.TB) []int64 {
	tb.Helper()
	limit := 7
	return pages(tb, func(page *string) (ids []int64, next *string, err error) {
		resp, err := p.ListRoomsWithResponse(ctx, &client.ListRoomsParams{Page: page, Limit: &limit})
		if err = answered(err, resp); err != nil {
			return nil, nil, err
		}
		for _, r := range resp.JSON200.Rooms {
			ids = append(ids, r.ID)
		}
		return ids, resp.JSON200.NextPage, nil
	})
}

func (p *person) membersOf(ctx context.Context, tb testing.TB, room int64) []int64 {
	tb.Helper()
	limit := 3
	return pages(tb, func(page *string) (ids []int64, next *string, err error) {
		resp, err := p.ListMembersWithResponse(ctx, strconv.FormatInt(room, 10),
			&client.ListMembersParams{Page: page, Limit: &limit})
		if err = answered(err, resp); err != nil {
			return nil, nil, err
		}
		for _, m := range resp.JSON200.Members {
			ids = append(ids, m.User.ID)
		}
		return ids, resp.JSON200.NextPage, nil
	})
}

func idsOf(messages []client.Message) []int64 {
	ids := make([]int64, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// history reads a room from its beginning, page by page, oldest first.
func (p *person) history(ctx context.Context, tb testing.TB, room int64) (all []client.Message) {
	tb.Helper()
	limit := 50
	for after := int64(0); ; {
		resp, err := p.ListMessagesWithResponse(ctx, strconv.FormatInt(room, 10),
			&client.ListMessagesParams{After: &after, Limit: &limit})
		if err = answered(err, resp); err != nil {
			tb.Fatal(err)
		}
		all = append(all, resp.JSON200.Messages...)
		if !resp.JSON200.HasAfter {
			return all
		}
		after = all[len(all)-1].ID
	}
}
