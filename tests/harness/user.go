package harness

import (
	"net/http"
	"strconv"
	"testing"

	"parley/client"
)

// Password is that of every account that User makes.
const Password = "correct horse"

// User is an account with a session.
type User struct {
	s     *Server
	ID    int64
	Name  string
	Role  string
	Token string
}

// User registers an account. The first on a server is its admin: see Admin.
func (s *Server) User(name string) *User {
	s.tb.Helper()
	return s.opened(s.Do("POST", "/v1/register", JSON(map[string]any{"name": name, "password": Password})).Want(201))
}

// Guest makes a guest of the name; the server chooses one where it is empty.
func (s *Server) Guest(name string) *User {
	s.tb.Helper()
	body := map[string]any{}
	if name != "" {
		body["name"] = name
	}
	return s.opened(s.Do("POST", "/v1/guest", JSON(body)).Want(201))
}

// Visitor makes a support visitor, with the given name as display name.
func (s *Server) Visitor(display string) *User {
	s.tb.Helper()
	return s.opened(s.Do("POST", "/v1/support/visitors", JSON(map[string]any{"name": display})).Want(201))
}

// Agent makes an account that the admin makes an agent.
func (s *Server) Agent(admin *User, name string) *User {
	s.tb.Helper()
	u := s.User(name)
	admin.Put("/v1/users/"+u.Ref()+"/role", map[string]any{"role": "agent"}).Want(200)
	u.Role = "agent"
	return u
}

// Serve has an agent take part in support.
func (u *User) Serve(capacity int) {
	u.s.tb.Helper()
	u.Put("/v1/support/availability", map[string]any{"available": true, "capacity": capacity}).Want(200)
}

// Open opens a conversation with support.
func (u *User) Open(body map[string]any) client.Conversation {
	u.s.tb.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return Into[client.Conversation](u.Post("/v1/support/conversations", body).Want(201))
}

// Login opens another session of an account that User made.
func (s *Server) Login(name string) *User {
	s.tb.Helper()
	return s.opened(s.Do("POST", "/v1/login", JSON(map[string]any{"name": name, "password": Password})).Want(200))
}

func (s *Server) opened(a *Answer) *User {
	s.tb.Helper()
	session := Into[client.Session](a)
	return &User{
		s: s, ID: session.User.ID, Name: session.User.Name, Role: string(session.User.Role), Token: session.Token,
	}
}

// For is the same user in another test, which its failures end.
func (u *User) For(tb testing.TB) *User {
	other := *u
	other.s = u.s.For(tb)
	return &other
}

// Other is another session of an account that User made.
func (u *User) Other() *User {
	u.s.tb.Helper()
	return u.s.Login(u.Name)
}

// Now is the account as it is at this moment.
func (u *User) Now() client.User {
	u.s.tb.Helper()
	return Into[client.User](u.Get("/v1/me").Want(200))
}

// Bearer authenticates a request by hand.
func (u *User) Bearer() With { return Header("Authorization", "Bearer "+u.Token) }

// Ref is the user as a UserRef.
func (u *User) Ref() string { return strconv.FormatInt(u.ID, 10) }

// Do makes a call as the user.
func (u *User) Do(method, path string, with ...With) *Answer {
	u.s.tb.Helper()
	return u.s.Do(method, path, append([]With{u.Bearer()}, with...)...)
}

// Get makes a GET as the user.
func (u *User) Get(path string, with ...With) *Answer {
	u.s.tb.Helper()
	return u.Do(http.MethodGet, path, with...)
}

// Post makes a POST as the user; body is sent as JSON, nil sends none.
func (u *User) Post(path string, body any) *Answer {
	u.s.tb.Helper()
	return u.withBody(http.MethodPost, path, body)
}

// Put is Post with PUT.
func (u *User) Put(path string, body any) *Answer {
	u.s.tb.Helper()
	return u.withBody(http.MethodPut, path, body)
}

// Patch is Post with PATCH.
func (u *User) Patch(path string, body any) *Answer {
	u.s.tb.Helper()
	return u.withBody(http.MethodPatch, path, body)
}

// Delete makes a DELETE as the user.
func (u *User) Delete(path string) *Answer {
	u.s.tb.Helper()
	return u.Do(http.MethodDelete, path)
}

func (u *User) withBody(method, path string, body any) *Answer {
	u.s.tb.Helper()
	if body == nil {
		return u.Do(method, path)
	}
	return u.Do(method, path, JSON(body))
}

// Send sends a message that must be taken.
func (u *User) Send(to, text string) client.Message {
	u.s.tb.Helper()
	return Into[client.Message](u.Post("/v1/send", map[string]any{"to": to, "text": text}).Want(201))
}

// Room makes a channel of the visibility.
func (u *User) Room(name, visibility string) client.Room {
	u.s.tb.Helper()
	return Into[client.Room](u.Post("/v1/rooms", map[string]any{"name": name, "visibility": visibility}).Want(201))
}

// Add puts the other into the room, or gives them the role there.
func (u *User) Add(room string, other *User, role string) {
	u.s.tb.Helper()
	body := map[string]any{}
	if role != "" {
		body["role"] = role
	}
	u.Put("/v1/rooms/"+room+"/members/"+other.Ref(), body).Want(200)
}

// History is the room's newest messages, at most 50.
func (u *User) History(room string) []client.Message {
	u.s.tb.Helper()
	return Into[client.MessageList](u.Get("/v1/rooms/" + room + "/messages").Want(200)).Messages
}

// Head is the newest id of the log.
func (u *User) Head() int64 {
	u.s.tb.Helper()
	return Into[client.EventList](u.Get("/v1/events", Query("wait", "0")).Want(200)).Cursor
}

// Events are all durable events that the user may get after the cursor now.
func (u *User) Events(after int64) []Event {
	u.s.tb.Helper()
	var all []Event
	for {
		page := Into[struct {
			Events []Event `json:"events"`
			Cursor int64   `json:"cursor"`
			More   bool    `json:"more"`
		}](u.Get("/v1/events", After(after), Query("wait", "0"), Query("limit", "200")).Want(200))
		all = append(all, page.Events...)
		if after = page.Cursor; !page.More {
			return all
		}
	}
}

// With is a user whose session another server gave out, on the same data.
func (s *Server) With(id int64, name, token string) *User {
	return &User{s: s, ID: id, Name: name, Token: token}
}
