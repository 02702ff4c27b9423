package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"parley/chat"
	"parley/models"
)

const (
	maxBody  = 64 << 10
	maxUsers = 200 // on a page
)

// handler does what the operator asks for.
type handler struct {
	chat *chat.Service
	log  *slog.Logger
}

// Handler answers the calls of Clients by the rules of the service.
func Handler(service *chat.Service, log *slog.Logger) http.Handler {
	h := handler{service, log}
	mux := http.NewServeMux()
	mux.Handle("POST "+pathList, answer(h, h.list))
	mux.Handle("POST "+pathRole, answer(h, h.role))
	mux.Handle("POST "+pathPassword, answer(h, h.password))
	mux.Handle("POST "+pathKick, answer(h, h.kick))
	mux.Handle("POST "+pathBan, answer(h, h.ban))
	mux.Handle("POST "+pathUnban, answer(h, h.unban))
	return mux
}

// answer reads a call's request, does it as the operator and writes what came of it.
func answer[In, Out any](h handler, do func(ctx context.Context, a chat.Actor, in In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
			h.refuse(w, r, models.Refuse(models.CodeInvalidRequest, "the request cannot be read"))
			return
		}
		a := chat.Actor{Operator: cmp.Or(r.Header.Get(operatorHeader), "operator")}
		out, err := do(r.Context(), a, in)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		h.write(w, r, http.StatusOK, out)
	})
}

// refuse tells the refusals of the rules as they are; the operator reads the log for everything else.
func (h handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*models.Error](err)
	if !ok || e.Code == models.CodeInternal || e.Code == models.CodeUnavailable {
		h.log.ErrorContext(r.Context(), "control socket", "path", r.URL.Path, "error", err)
	}
	if !ok {
		e = models.Refuse(models.CodeInternal, "%v", err) // who may open the socket may read the log as well
	}
	h.write(w, r, http.StatusUnprocessableEntity, refusal{Code: e.Code, Detail: e.Detail})
}

func (h handler) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		h.log.DebugContext(r.Context(), "answer on the control socket", "error", err)
	}
}

// byName is the UserRef of a name as people type it.
func byName(name string) string { return "@" + strings.TrimPrefix(name, "@") }

func (h handler) list(ctx context.Context, a chat.Actor, in ListRequest) (ListAnswer, error) {
	accounts, next, err := h.chat.Accounts(ctx, a, in.Query, in.After, min(max(in.Limit, 1), maxUsers))
	out := ListAnswer{Users: []User{}, Next: next}
	for _, account := range accounts {
		out.Users = append(out.Users, describe(account))
	}
	return out, err
}

func describe(a chat.Account) User {
	u := User{
		ID: a.ID, Name: a.Name, DisplayName: a.DisplayName, Role: a.Role, CreatedAt: a.CreatedAt, LastSeenAt: a.LastSeenAt,
	}
	if a.Ban != nil {
		u.Ban = describeBan(*a.Ban)
	}
	return u
}

func describeBan(b models.Ban) *Ban {
	out := &Ban{Reason: b.Reason}
	if !b.Until.IsZero() {
		out.Until = &b.Until
	}
	return out
}

func (h handler) role(ctx context.Context, a chat.Actor, in RoleRequest) (User, error) {
	user, err := h.chat.SetUserRole(ctx, a, byName(in.Name), in.Role)
	return describe(chat.Account{Profile: user}), err
}

func (h handler) password(ctx context.Context, a chat.Actor, in PasswordRequest) (done, error) {
	return done{}, h.chat.ResetPassword(ctx, a, byName(in.Name), in.Password)
}

func (h handler) kick(ctx context.Context, a chat.Actor, in KickRequest) (done, error) {
	return done{}, h.chat.Kick(ctx, a, byName(in.Name), in.Reason)
}

func (h handler) ban(ctx context.Context, a chat.Actor, in BanRequest) (*Ban, error) {
	n := chat.NewBan{Reason: in.Reason, Addresses: in.Addresses}
	if in.Until != nil {
		n.Until = models.At(in.Until.Time)
	}
	ban, err := h.chat.BanUser(ctx, a, byName(in.Name), n)
	return describeBan(ban), err
}

func (h handler) unban(ctx context.Context, a chat.Actor, in UnbanRequest) (done, error) {
	return done{}, h.chat.UnbanUser(ctx, a, byName(in.Name))
}
