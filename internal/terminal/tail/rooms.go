package tail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/client"
	"parley/internal/terminal/access"
	"parley/internal/terminal/plain"
)

// rooms knows which rooms are wanted, and what rooms are called.
type rooms struct {
	account *access.Account
	me      int64
	known   map[int64]room
	chosen  []int64
	// awaited are people with whom there is no conversation yet. The server cannot narrow the stream to what is not
	// there, so with one of them all rooms come, and are looked at here.
	awaited []int64
}

// room is what is kept of one: the name of a channel, the two of a conversation, nothing of one that cannot be looked up.
type room struct {
	name  *string
	peers []client.Peer
}

func openRooms(ctx context.Context, account *access.Account) (*rooms, error) {
	r := &rooms{account: account, known: map[int64]room{}}
	err := account.Try(ctx, func(ctx context.Context) error {
		resp, err := account.GetMeWithResponse(ctx)
		if err == nil {
			err = client.Check(resp.HTTPResponse, resp.Body)
		}
		if err == nil && resp.JSON200 != nil {
			r.me = resp.JSON200.ID
		}
		return err
	})
	return r, err
}

// choose narrows the output to the room too. One that is not there is an error: nothing would ever come.
func (r *rooms) choose(ctx context.Context, ref string, join bool) error {
	ref = strings.TrimPrefix(ref, "#")
	name, direct := strings.CutPrefix(ref, "@")
	found, err := r.get(ctx, ref, join && !direct)
	switch {
	case err == nil && found.Role == nil && found.Kind == client.RoomKindChannel:
		return fmt.Errorf("--room %s: one has to be a member to be told what happens there: say --join too", plain.Line(ref))
	case err == nil:
		r.known[found.ID] = room{found.Name, found.Members}
		r.chosen = append(r.chosen, found.ID)
		return nil
	case direct && errors.Is(err, client.ErrorCodeNotFound):
		return r.await(ctx, name)
	}
	return fmt.Errorf("--room %s: %w", plain.Line(ref), err)
}

// get looks a room up, or joins it, which gives it too.
func (r *rooms) get(ctx context.Context, ref string, join bool) (found client.Room, err error) {
	err = r.account.Try(ctx, func(ctx context.Context) error {
		if join {
			found, err = r.account.Join(ctx, ref)
			return err
		}
		resp, err := r.account.GetRoomWithResponse(ctx, ref)
		if err != nil {
			return err
		}
		if resp.JSON200 != nil {
			found = *resp.JSON200
			return nil
		}
		return client.Check(resp.HTTPResponse, resp.Body)
	})
	return found, err
}

// await chooses the conversation with somebody that is not there yet.
func (r *rooms) await(ctx context.Context, name string) error {
	err := r.account.Try(ctx, func(ctx context.Context) error {
		resp, err := r.account.GetUserWithResponse(ctx, "@"+name)
		if err == nil {
			err = client.Check(resp.HTTPResponse, resp.Body)
		}
		if err == nil && resp.JSON200 != nil {
			r.awaited = append(r.awaited, resp.JSON200.ID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("--room @%s: %w", plain.Line(name), err)
	}
	return nil
}

// filter is what the server is asked for: by id, since a name may become another's. nil is all.
func (r *rooms) filter() []string {
	if len(r.awaited) > 0 {
		return nil
	}
	var refs []string
	for _, id := range r.chosen {
		refs = append(refs, strconv.FormatInt(id, 10))
	}
	return refs
}

// wants tells whether what happens in a room, 0 being none, is to be printed.
func (r *rooms) wants(ctx context.Context, id int64) (bool, error) {
	if id == 0 || len(r.awaited) == 0 || slices.Contains(r.chosen, id) {
		return true, nil
	}
	room, err := r.look(ctx, id)
	if err != nil || !slices.ContainsFunc(room.peers, func(p client.Peer) bool { return slices.Contains(r.awaited, p.ID) && p.ID != r.me }) {
		return false, err
	}
	r.chosen = append(r.chosen, id)
	return true, nil
}

// look gives a room by its id, asking the server once.
func (r *rooms) look(ctx context.Context, id int64) (room, error) {
	if known, ok := r.known[id]; ok {
		return known, nil
	}
	found, err := r.get(ctx, strconv.FormatInt(id, 10), false)
	if err != nil && !errors.Is(err, client.ErrorCodeNotFound) && !errors.Is(err, client.ErrorCodeForbidden) {
		return room{}, err
	}
	r.known[id] = room{found.Name, found.Members}
	return r.known[id], nil
}

// title is how a room is called: #channel, @somebody, or its id.
func (r *rooms) title(ctx context.Context, id int64) (string, error) {
	room, err := r.look(ctx, id)
	if err != nil {
		return "", err
	}
	if room.name != nil {
		return "#" + plain.Line(*room.name), nil
	}
	for _, p := range room.peers {
		if p.ID != r.me {
			return "@" + plain.Line(p.Name), nil
		}
	}
	return "room " + strconv.FormatInt(id, 10), nil
}

// learn takes note of what an event says of rooms and names.
func (r *rooms) learn(e client.Event) {
	switch e.Type {
	case client.EventTypeRoomCreated, client.EventTypeRoomUpdated:
		if data, err := client.DataOf[client.RoomData](e); err == nil && data.Room.ID == e.RoomID {
			r.known[e.RoomID] = room{data.Room.Name, data.Room.Members}
		}
	case client.EventTypeUserRenamed:
		data, err := client.DataOf[client.UserRenamedData](e)
		if err != nil {
			return
		}
		for _, room := range r.known {
			for i, p := range room.peers {
				if p.ID == data.User.ID {
					room.peers[i].Name = data.User.Name
				}
			}
		}
	}
}
