package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"parley/client"
)

// parley is a build of Parley as it is, but for the limits of calls.
type parley struct {
	program  string
	called   string
	database string
	profiles string
	used     *bool // the database has had a server of this call
}

func (p *parley) name() string { return p.called }

// callers are how many accounts are made at once.
const callers = 64

// runningParley is a server with the accounts of a run.
type runningParley struct {
	*child
	peer    *parley
	pprof   string // address for profiles
	dir     string
	http    *http.Client
	rooms   []int64
	hear    []string // tokens of the streams
	say     []string // tokens of the senders
	cast    cast
	restart []string // arguments to start it again
}

func (p *parley) start(ctx context.Context, dir string) (target, error) {
	r := &runningParley{peer: p, dir: filepath.Join(dir, "data")}
	args := []string{"--data", r.dir, "--rate-limit", "off", "--log-level", "error"}
	if p.profiles != "" {
		addr, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		r.pprof, args = addr, append(args, "--pprof-addr", addr)
	}
	r.restart = args
	var err error
	if r.child, err = r.launch(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	r.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	return r, nil
}

func (r *runningParley) launch(ctx context.Context, addr string) (*child, error) {
	environ := plainEnvironment()
	if r.peer.database != "" {
		environ = append(environ, "PARLEY_DATABASE="+r.peer.database)
	}
	return startChild(ctx, r.peer.called, "", r.peer.program, append([]string{"serve", "--addr", addr}, r.restart...), environ)
}

// startAgain ends the server, and starts one on the same data and the same address.
func (r *runningParley) startAgain(ctx context.Context) error {
	addr := r.addr
	if err := r.child.stop(); err != nil {
		return err
	}
	var err error
	r.child, err = r.launch(ctx, addr)
	return err
}

func (r *runningParley) pid() int { return r.cmd.Process.Pid }

func (r *runningParley) stop() error {
	if r.http != nil {
		r.http.CloseIdleConnections()
	}
	return r.child.stop()
}

// prepare makes the rooms, an account with its session for each stream and each sender, and their memberships.
func (r *runningParley) prepare(ctx context.Context, c cast) error {
	r.cast, r.rooms, r.hear, r.say = c, make([]int64, c.rooms), make([]string, c.streams), make([]string, c.accounts)
	owner, err := r.owner(ctx)
	if err != nil {
		return err
	}
	suffix := rand.Text()[:8]
	err = each(ctx, callers, c.rooms, func(ctx context.Context, i int) error {
		room, err := owner.CreateRoomWithResponse(ctx, client.CreateRoomRequest{Name: fmt.Sprintf("bench-%s-%d", suffix, i)})
		if err != nil {
			return fmt.Errorf("make a room: %w", err)
		}
		if room.JSON201 == nil {
			return fmt.Errorf("make a room: %w", client.Check(room.HTTPResponse, room.Body))
		}
		r.rooms[i] = room.JSON201.ID
		return nil
	})
	if err != nil {
		return err
	}
	err = each(ctx, callers, c.streams, func(ctx context.Context, i int) (err error) {
		r.hear[i], err = r.guest(ctx, []int{i % c.rooms})
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, callers, c.accounts, func(ctx context.Context, i int) (err error) {
		r.say[i], err = r.guest(ctx, c.writesTo(i))
		return err
	})
}

// owner is the first account. Where it is no admin, the database was not empty, and may be somebody's.
func (r *runningParley) owner(ctx context.Context) (*client.Client, error) {
	c, err := r.client()
	if err != nil {
		return nil, err
	}
	session, err := c.Register(ctx, "bench-"+rand.Text()[:8], rand.Text())
	if err != nil {
		return nil, fmt.Errorf("make the first account: %w", err)
	}
	if session.User.Role != client.RoleAdmin && !*r.peer.used {
		return nil, errors.New("the database is not empty: nothing was measured")
	}
	*r.peer.used = r.peer.database != ""
	return c, nil
}

// guest makes an account that is a member of some rooms, and gives its session's token.
func (r *runningParley) guest(ctx context.Context, rooms []int) (token string, err error) {
	c, err := r.client()
	if err != nil {
		return "", err
	}
	if _, err := c.Guest(ctx, ""); err != nil {
		return "", fmt.Errorf("make a guest: %w", err)
	}
	for _, room := range rooms {
		if _, err := c.Join(ctx, fmt.Sprint(r.rooms[room])); err != nil {
			return "", fmt.Errorf("join a room: %w", err)
		}
	}
	return c.Token(), nil
}

func (r *runningParley) client() (*client.Client, error) {
	return client.New("http://"+r.addr, client.WithHTTPClient(r.http))
}

func bearer(token string) string { return "Authorization: Bearer " + token + "\r\n" }

func (r *runningParley) listening(stream int) listening {
	return listening{addr: r.addr, path: "/v1/events/stream", lines: bearer(r.hear[stream]), room: stream % r.cast.rooms}
}

func (r *runningParley) letter(account, room int) letter {
	return newLetter(r.addr, "/v1/send", bearer(r.say[account])+"Content-Type: application/json\r\n",
		fmt.Sprintf(`{"to":%d,"text":"`, r.rooms[room]), r.cast.size, `"}`)
}

// freeAddress finds a port that is free now.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// profile takes a CPU profile of the server for so many seconds and keeps it in a file.
func (r *runningParley) profile(ctx context.Context, seconds int, name string) error {
	if err := os.MkdirAll(r.peer.profiles, 0o750); err != nil {
		return err
	}
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", r.pprof, seconds)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return fmt.Errorf("take a profile: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	file, err := os.Create(filepath.Join(r.peer.profiles, name+".pprof"))
	if err != nil {
		return err
	}
	_, err = file.ReadFrom(resp.Body)
	return errors.Join(err, file.Close())
}
