package linear

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/client"
)

// emoji is what people like messages with.
const emoji = "👍"

// errNotMade says that nobody listened: the operation was not made, and is none of the history's.
var errNotMade = errors.New("nobody listens")

// person is who acts: with an account, and a connection of their own.
type person struct {
	server string
	http   *http.Client
	token  string
}

// request is an operation as HTTP: the spec's paths, written out. No code of the server nor of its client is between
// this and the wire but for the shape of the answers.
func (i input) request(ids *[people]int64) (method, path string, body map[string]any) {
	room := "/v1/rooms/" + i.object
	message := "/v1/messages/" + strconv.FormatInt(i.id, 10)
	whom := strconv.FormatInt(ids[i.whom], 10)
	switch i.kind {
	case send:
		body := map[string]any{"to": i.object, "text": i.text}
		if i.nonce != "" {
			body["nonce"] = i.nonce
		}
		return http.MethodPost, "/v1/send", body
	case list:
		return http.MethodGet, room + "/messages?" + i.window.query(), nil
	case get:
		return http.MethodGet, message, nil
	case edit:
		return http.MethodPatch, message, map[string]any{"text": i.text}
	case erase:
		return http.MethodDelete, message, nil
	case like:
		return http.MethodPut, message + "/reactions/" + url.PathEscape(emoji), nil
	case unlike:
		return http.MethodDelete, message + "/reactions/" + url.PathEscape(emoji), nil
	case join, leave:
		return http.MethodPost, room + "/" + kinds[i.kind], nil
	case put:
		body := map[string]any{}
		if i.role != outsider {
			body["role"] = roles[i.role]
		}
		return http.MethodPut, room + "/members/" + whom, body
	case expel:
		return http.MethodDelete, room + "/members/" + whom, nil
	case ban:
		return http.MethodPut, room + "/bans/" + whom, map[string]any{}
	case unban:
		return http.MethodDelete, room + "/bans/" + whom, nil
	case members:
		return http.MethodGet, room + "/members?limit=200", nil
	case look:
		return http.MethodGet, room, nil
	case rename:
		return http.MethodPost, "/v1/rename", map[string]any{"name": i.name}
	case byName:
		return http.MethodGet, "/v1/users/" + url.PathEscape("@"+i.name), nil
	default:
		return http.MethodGet, "/v1/users/" + whom, nil
	}
}

func (w window) query() string {
	q := url.Values{"limit": {strconv.Itoa(w.limit)}}
	for name, id := range map[string]int64{"before": w.before, "after": w.after, "around": w.around} {
		if id != 0 {
			q.Set(name, strconv.FormatInt(id, 10))
		}
	}
	return q.Encode()
}

// reply is an answer as it came.
type reply struct {
	status int
	etag   string
	body   []byte
}

// call makes one request. errNotMade is certain; every other error leaves open whether it was done.
func (p *person) call(ctx context.Context, method, path string, body map[string]any, ifMatch string) (reply, error) {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return reply{}, fmt.Errorf("%w: %w", errNotMade, err)
		}
		in = strings.NewReader(string(text))
	}
	req, err := http.NewRequestWithContext(ctx, method, p.server+path, in)
	if err != nil {
		return reply{}, fmt.Errorf("%w: %w", errNotMade, err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if ifMatch != "" {
		req.Header.Set("If-Match", ifMatch)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		if dial, is := errors.AsType[*net.OpError](err); is && dial.Op == "dial" {
			err = fmt.Errorf("%w: %w", errNotMade, err)
		}
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header.Get("ETag"), text}, err
}

// errStrange is an answer that no operation may have, whatever came before it.
var errStrange = errors.New("no such answer")

// refusals are the codes that an operation can be answered. The workload gives no reason for others.
var refusals = []client.ErrorCode{"not_found", "forbidden", "banned", "conflict", "nonce_reused", "name_taken", "precondition_failed"}

// read makes an answer of a reply. ids are the people's by their numbers.
func (i input) read(r reply, ids *[people]int64) (o output, err error) {
	o.status = r.status
	if r.status >= http.StatusBadRequest {
		var problem client.Problem
		if err := json.Unmarshal(r.body, &problem); err != nil || !slices.Contains(refusals, problem.Code) {
			return o, fmt.Errorf("%w: %v: %d %s", errStrange, i, r.status, r.body)
		}
		o.code = string(problem.Code)
		return o, nil
	}
	if r.status == http.StatusNoContent {
		return o, nil
	}
	n := numbers{}
	for who, id := range ids {
		n[id] = who
	}
	if err := o.fill(i, r.body, n); err != nil {
		return o, fmt.Errorf("%w: %v: %s: %w", errStrange, i, r.body, err)
	}
	return o, nil
}

// numbers are the people's numbers by their ids.
type numbers map[int64]int

func (o *output) fill(i input, body []byte, n numbers) error {
	switch i.kind {
	case send, get, edit:
		var m client.Message
		err := json.Unmarshal(body, &m)
		o.shown = []shown{n.shown(m)}
		if o.status == http.StatusCreated {
			o.id = m.ID
		}
		return err
	case list:
		var page client.MessageList
		err := json.Unmarshal(body, &page)
		for _, m := range page.Messages {
			o.shown = append(o.shown, n.shown(m))
		}
		o.cursor, o.older, o.more = page.Cursor, page.HasBefore, page.HasAfter
		return err
	case join, look:
		var room client.Room
		err := json.Unmarshal(body, &room)
		if room.Role != nil {
			o.role = roleOf(*room.Role)
		}
		if i.kind == look {
			o.count = room.MemberCount
			if m := room.LastMessage; m != nil {
				s := n.shown(*m)
				o.shown = []shown{{id: s.id, by: s.by, text: s.text, deleted: s.deleted}}
			}
		}
		return err
	case put:
		var m client.Member
		err := json.Unmarshal(body, &m)
		o.role = roleOf(m.Role)
		return err
	case members:
		var page client.MemberList
		err := json.Unmarshal(body, &page)
		for _, m := range page.Members {
			o.roles[n[m.User.ID]] = roleOf(m.Role)
		}
		o.count = len(page.Members)
		return err
	case rename, byName, byID:
		var u client.User
		err := json.Unmarshal(body, &u)
		who, known := n[u.ID]
		if !known {
			return fmt.Errorf("a user of another family: %w", cmp.Or(err, errStrange))
		}
		o.who, o.name = who, u.Name
		return err
	default: // of a ban the status says all
		return nil
	}
}

func (n numbers) shown(m client.Message) shown {
	s := shown{id: m.ID, by: n[m.Sender.ID], deleted: m.DeletedAt != nil}
	if s.deleted {
		s.text = m.Text // must be none
		return s
	}
	s.text, s.edited = m.Text, m.EditedAt != nil
	for _, r := range m.Reactions {
		s.likes += r.Count
		s.mine = s.mine || r.Me != nil && *r.Me
	}
	return s
}

func roleOf(r client.RoomRole) role {
	for i, name := range roles {
		if name == string(r) {
			return role(i)
		}
	}
	return outsider
}
