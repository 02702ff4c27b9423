package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"parley/client"
)

// plain is the transport of clients and readers whose answers nobody checks against the spec.
var plain = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = 256
	t.DisableCompression = true
	return t
}()

var plainHTTP = &http.Client{Transport: plain}

// town is where the crowd lives: one server, and what its people know of each other's rooms.
type town struct {
	server string
	http   *http.Client // of the people who act
	ledger *ledger
	behind bool      // see scene
	people []*person // those who stay

	mu    sync.Mutex
	rooms []place
	named int // names given out
}

// place is a channel that somebody has made.
type place struct {
	id, maker int64
	name      string
}

// person is somebody who acts. Who is fixed keeps their name and never leaves a room that they
// have made, so that there is always one reader who has seen all of it live.
type person struct {
	*client.Client
	quiet *client.Client // the same session, for the many answers that nobody checks against the spec
	town  *town
	id    int64
	fixed bool
	dice  *rand.Rand
	name  string // guarded by town.mu
	used  []said // with a nonce
}

func (t *town) newPerson(seed uint64) (*person, error) {
	c, err := client.New(t.server, client.WithHTTPClient(t.http))
	if err != nil {
		return nil, err
	}
	quiet, err := client.New(t.server, client.WithHTTPClient(plainHTTP))
	if err != nil {
		return nil, err
	}
	return &person{Client: c, quiet: quiet, town: t, dice: rand.New(rand.NewPCG(seed, seed))}, nil
}

// is makes the person that of a new session.
func (p *person) is(s client.Session) {
	p.id, p.name = s.User.ID, s.User.Name
	p.quiet.SetToken(s.Token)
	p.town.ledger.registered(s.User)
}

// settle makes the people who stay: the first is the server's admin.
func (t *town) settle(ctx context.Context, members, guests int, seed uint64) error {
	for i := range members + guests {
		p, err := t.newPerson(seed + uint64(i))
		if err != nil {
			return err
		}
		var session client.Session
		if p.fixed = i < members; p.fixed {
			session, err = p.Register(ctx, fmt.Sprintf("member%d", i), "correct horse")
		} else {
			session, err = p.Guest(ctx, "")
		}
		if err != nil {
			return err
		}
		p.is(session)
		t.people = append(t.people, p)
	}
	return nil
}

// deed is something that people do, and how often.
type deed struct {
	weight int
	do     func(*person, context.Context) error
}

var deeds = []deed{
	{30, (*person).speak}, {14, (*person).whisper}, {5, (*person).repeat}, {9, (*person).join}, {7, (*person).leave},
	{9, (*person).add}, {6, (*person).remove}, {3, (*person).promote}, {4, (*person).open}, {3, (*person).renameRoom},
	{8, (*person).revise}, {5, (*person).erase},
	{2, (*person).retopic}, {1, (*person).demolish}, {3, (*person).renameSelf}, {1, (*person).visit},
}

// live does a number of things, one after the other.
func (p *person) live(ctx context.Context, times int) error {
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	for range times {
		at := p.dice.IntN(total)
		for _, d := range deeds {
			if at -= d.weight; at >= 0 {
				continue
			}
			if err := d.do(p, ctx); err != nil && !refused(err) {
				return fmt.Errorf("user %d: %w", p.id, err)
			}
			break
		}
	}
	return nil
}

// room picks any channel there was.
func (p *person) room() (place, bool) {
	p.town.mu.Lock()
	defer p.town.mu.Unlock()
	if len(p.town.rooms) == 0 {
		return place{}, false
	}
	return p.town.rooms[p.dice.IntN(len(p.town.rooms))], true
}

// roomRef is the id of a channel; nobody is told more than once that there is none yet.
func (p *person) roomRef() (place, string, error) {
	at, ok := p.room()
	if !ok {
		return at, "", client.ErrorCodeNotFound
	}
	return at, strconv.FormatInt(at.id, 10), nil
}

// other picks somebody and their name of this moment, which may be another one soon.
func (p *person) other() (*person, string) {
	o := p
	for o == p {
		o = p.town.people[p.dice.IntN(len(p.town.people))]
	}
	p.town.mu.Lock()
	defer p.town.mu.Unlock()
	return o, o.name
}

func (p *person) newName(kind string) string {
	p.town.mu.Lock()
	defer p.town.mu.Unlock()
	p.town.named++
	return fmt.Sprintf("%s-%d", kind, p.town.named)
}

// say sends a message and tells the ledger.
func (p *person) say(ctx context.Context, to, text, nonce string) error {
	before := p.town.ledger.highest()
	req := client.SendRequest{Text: text}
	if to != "" {
		req.To = client.To(to)
	}
	if nonce != "" {
		req.Nonce = &nonce
	}
	m, err := p.Send(ctx, req)
	if err != nil {
		return err
	}
	s := said{m.ID, m.RoomID, p.id, text, nonce}
	p.town.ledger.sent(s, before)
	if nonce != "" {
		p.used = append(p.used, said{m.ID, m.RoomID, p.id, text, nonce})
	}
	return nil
}

// speak talks in the lobby or a channel, by its id or by the name it was made with.
func (p *person) speak(ctx context.Context) error {
	at, ref, err := p.roomRef()
	text := p.newName("words")
	nonce := ""
	if p.dice.IntN(3) == 0 {
		nonce = text
	}
	switch {
	case err != nil || p.dice.IntN(3) == 0:
		return p.say(ctx, "", text, nonce)
	case p.dice.IntN(4) == 0:
		return p.say(ctx, "#"+at.name, text, nonce)
	default:
		return p.say(ctx, ref, text, nonce)
	}
}

func (p *person) whisper(ctx context.Context) error {
	_, name := p.other()
	return p.say(ctx, "@"+name, p.newName("whisper"), "")
}

// repeat sends again what was sent before, as after a lost answer.
func (p *person) repeat(ctx context.Context) error {
	if len(p.used) == 0 {
		return nil
	}
	s := p.used[p.dice.IntN(len(p.used))]
	m, err := p.Send(ctx, client.SendRequest{Text: s.text, Nonce: &s.nonce, To: client.To(strconv.FormatInt(s.room, 10))})
	if err != nil {
		return fmt.Errorf("repeat %+v: %s", s, err) // not even a refusal
	}
	if m.ID != s.id {
		p.town.ledger.fault("the nonce %s gave message %d, then %d", s.nonce, s.id, m.ID)
	}
	return nil
}

// revise gives a message of one's own another text, at times only where it is still what one has read.
func (p *person) revise(ctx context.Context) error {
	s, ok := p.town.ledger.recall(p.id, p.dice)
	if !ok {
		return nil
	}
	before, text, ref := p.town.ledger.highest(), p.newName("edited"), strconv.FormatInt(s.id, 10)
	params := &client.UpdateMessageParams{}
	if p.dice.IntN(2) == 0 {
		got, err := p.GetMessageWithResponse(ctx, ref)
		if err := answered(err, got); err != nil {
			return err
		}
		params.IfMatch = new(got.HTTPResponse.Header.Get("ETag"))
	}
	resp, err := p.UpdateMessageWithResponse(ctx, ref, params, client.UpdateMessageRequest{Text: text})
	if err := answered(err, resp); err != nil {
		return err
	}
	version, err := strconv.ParseInt(strings.Trim(resp.HTTPResponse.Header.Get("ETag"), `"`), 10, 64)
	if err != nil || resp.JSON200.Text != text {
		p.town.ledger.fault("an edit of %d to %q gave %s under %v", s.id, text, resp.Body, resp.HTTPResponse.Header)
	}
	p.town.ledger.edited(version, edited{s.id, text}, before)
	return nil
}

// erase deletes a message, mostly of one's own.
func (p *person) erase(ctx context.Context) error {
	by := p.id
	if p.dice.IntN(3) == 0 {
		by = 0
	}
	s, ok := p.town.ledger.recall(by, p.dice)
	if !ok {
		return nil
	}
	resp, err := p.DeleteMessageWithResponse(ctx, strconv.FormatInt(s.id, 10))
	if err := answered(err, resp); err != nil {
		return err
	}
	p.town.ledger.erased(s.id)
	return nil
}

func (p *person) join(ctx context.Context) error {
	_, ref, err := p.roomRef()
	if err != nil {
		return err
	}
	resp, err := p.JoinRoomWithResponse(ctx, ref)
	return answered(err, resp)
}

func (p *person) leave(ctx context.Context) error {
	at, ref, err := p.roomRef()
	if err != nil || at.maker == p.id {
		return err
	}
	resp, err := p.LeaveRoomWithResponse(ctx, ref, client.LeaveRequest{})
	return answered(err, resp)
}

func (p *person) add(ctx context.Context) error {
	_, ref, err := p.roomRef()
	if err != nil {
		return err
	}
	o, _ := p.other()
	resp, err := p.PutMemberWithResponse(ctx, ref, strconv.FormatInt(o.id, 10), client.PutMemberRequest{})
	return answered(err, resp)
}

func (p *person) remove(ctx context.Context) error {
	at, ref, err := p.roomRef()
	o, _ := p.other()
	if err != nil || at.maker == o.id {
		return err
	}
	resp, err := p.RemoveMemberWithResponse(ctx, ref, strconv.FormatInt(o.id, 10))
	if err = answered(err, resp); err == nil {
		p.town.ledger.removed(at.id, o.id)
	}
	return err
}

func (p *person) promote(ctx context.Context) error {
	at, ref, err := p.roomRef()
	o, _ := p.other()
	if err != nil || at.maker == o.id {
		return err
	}
	role := []client.RoomRole{client.RoomRoleMember, client.RoomRoleModerator, client.RoomRoleOwner}[p.dice.IntN(3)]
	resp, err := p.PutMemberWithResponse(ctx, ref, strconv.FormatInt(o.id, 10), client.PutMemberRequest{Role: &role})
	return answered(err, resp)
}

// open makes a channel. Only who stays in it does.
func (p *person) open(ctx context.Context) error {
	if !p.fixed {
		return nil
	}
	visibility := client.VisibilityPublic
	if p.dice.IntN(2) == 0 {
		visibility = client.VisibilityPrivate
	}
	before, name := p.town.ledger.highest(), p.newName("room")
	resp, err := p.CreateRoomWithResponse(ctx, client.CreateRoomRequest{Name: name, Visibility: &visibility})
	if err := answered(err, resp); err != nil {
		return err
	}
	room := *resp.JSON201
	if room.ID <= before {
		p.town.ledger.fault("room %d was made after %d was answered", room.ID, before)
	}
	p.town.ledger.opened(room.ID, p.id)
	p.town.mu.Lock()
	defer p.town.mu.Unlock()
	p.town.rooms = append(p.town.rooms, place{room.ID, p.id, name})
	return nil
}

func (p *person) renameRoom(ctx context.Context) error {
	_, ref, err := p.roomRef()
	if err != nil {
		return err
	}
	name := p.newName("room")
	if p.dice.IntN(5) == 0 {
		name = "Lobby" // is taken
	}
	resp, err := p.UpdateRoomWithResponse(ctx, ref, client.UpdateRoomRequest{Name: &name})
	return answered(err, resp)
}

func (p *person) retopic(ctx context.Context) error {
	_, ref, err := p.roomRef()
	if err != nil || p.dice.IntN(4) == 0 {
		ref = "lobby"
	}
	change := client.UpdateRoomRequest{Topic: new(p.newName("topic"))}
	if p.dice.IntN(4) == 0 {
		change.Visibility = new(client.VisibilityPrivate)
	}
	resp, err := p.UpdateRoomWithResponse(ctx, ref, change)
	return answered(err, resp)
}

// demolish deletes a channel; those who may are few.
func (p *person) demolish(ctx context.Context) error {
	_, ref, err := p.roomRef()
	if err != nil || !p.fixed || p.town.behind {
		return err
	}
	resp, err := p.DeleteRoomWithResponse(ctx, ref)
	return answered(err, resp)
}

func (p *person) renameSelf(ctx context.Context) error {
	if p.fixed {
		return nil
	}
	name := p.newName("guest")
	if p.dice.IntN(5) == 0 {
		name = "MEMBER0" // is taken
	}
	resp, err := p.RenameWithResponse(ctx, client.RenameRequest{Name: name})
	if err := answered(err, resp); err != nil {
		return err
	}
	p.town.mu.Lock()
	defer p.town.mu.Unlock()
	p.name = resp.JSON200.Name
	return nil
}

// visit is somebody who comes late, reads for a while and logs out: the stream, where it is live, has
// everything up to then, and says why it ends.
func (p *person) visit(ctx context.Context) error {
	v, err := p.town.newPerson(p.dice.Uint64())
	if err != nil {
		return err
	}
	session, err := v.Guest(ctx, "")
	if err != nil {
		return err
	}
	v.is(session)
	l := p.town.ledger
	f := newFollower("visit", v, p.dice.Uint64())
	f.steady = !p.town.behind
	replays := p.dice.IntN(2) == 0
	if replays {
		f.after = 0 // which is nothing that happened before they came
	}
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx, f.sse) }()
	select {
	case <-f.opened:
	case err := <-ended:
		return errors.Join(errors.New("a visitor's stream did not last"), err)
	}
	for range p.dice.IntN(10) {
		if err := v.say(ctx, "", v.newName("visitor"), ""); err != nil {
			return err
		}
	}
	known := l.highest()
	if err := v.Logout(ctx); err != nil {
		return err
	}
	l.loggedOut()
	if err := <-ended; err != nil {
		return err
	}
	if !f.ended {
		l.fault("%s was not told that its session has ended", f.name)
	}
	if f.end = f.after; f.steady && !replays { // else the stream may have been cut while it read the log
		f.end = max(known, f.after)
	}
	return nil
}

// answer is what every generated answer is.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// answered gives the refusal of an answer as an error.
func answered(err error, resp answer) error {
	if err != nil {
		return err
	}
	return client.Check(&http.Response{StatusCode: resp.StatusCode()}, resp.GetBody())
}
