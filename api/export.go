package api

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"parley/chat"
	"parley/models"
)

const zipType = "application/zip"

// exportEntries are the files of an export, in their order, with what README.txt says of each.
var exportEntries = []struct {
	name  string
	about string
	write func(ctx context.Context, e *chat.Export, w io.Writer) error
}{
	{"account.json", "the account as it is now; of a visitor with what was told before the chat", writeAccount},
	{"sessions.ndjson", "where the account is logged in", writeSessions},
	{"blocks.ndjson", "whom the account blocks", writeBlocks},
	{"rooms.ndjson", "each time in a room: from_id and to_id are its first and last event; of a room that the account may not see any more only the id", writeSpells},
	{"reads.ndjson", "up to which message the account has read a room", writeReads},
	{"messages.ndjson", "all messages that the account sent, room by room (see room_id), in each in the order in which they were sent", writeMessages},
	{"edits.ndjson", "the texts that these messages had before, each with the time at which it came to be", writeEdits},
	{"reactions.ndjson", "the account's reactions, the earliest first", writeReactions},
	{"direct.ndjson", "the direct conversations, what both said, one after the other", writeDirect},
	{"conversations.ndjson", "the conversations with support, the newest first", writeConversations},
	{"support.ndjson", "what both sides said in these, one after the other", writeSupport},
}

// ExportMe gives everything of the account as a zip.
func (s *server) ExportMe(ctx context.Context, _ ExportMeRequestObject) (ExportMeResponseObject, error) {
	ctx, actor := call(ctx)
	export, err := s.chat.Export(ctx, actor)
	if err != nil {
		return nil, err
	}
	return exportAnswer{ctx: ctx, server: s, export: export}, nil
}

// exportAnswer is an export that is ready to be written.
type exportAnswer struct {
	ctx    context.Context //nolint:containedctx // the generated Visit methods take none
	server *server
	export *chat.Export
}

// VisitExportMeResponse implements ExportMeResponseObject. A zip that breaks off must not look whole, nor its
// answer: there is no status to say so any more.
func (a exportAnswer) VisitExportMeResponse(w http.ResponseWriter) error {
	defer a.export.Close()
	h := w.Header()
	h.Set("Content-Type", zipType)
	h.Set("Content-Disposition", attachment(a.export.Account.Name, a.export.At))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if err := a.write(w); err != nil {
		if a.ctx.Err() == nil {
			a.server.log.ErrorContext(a.ctx, "an export broke off", "error", err)
		}
		cutOff()
	}
	return nil
}

func (a exportAnswer) write(w io.Writer) error {
	z := zip.NewWriter(w)
	if err := a.entry(z, "README.txt", a.readme); err != nil {
		return err
	}
	for _, entry := range exportEntries {
		err := a.entry(z, entry.name, func(w io.Writer) error { return entry.write(a.ctx, a.export, w) })
		if err != nil {
			return err
		}
	}
	return z.Close()
}

func (a exportAnswer) entry(z *zip.Writer, name string, write func(w io.Writer) error) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.export.At.Time})
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	if err := write(w); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (a exportAnswer) readme(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Everything of the account %s on this Parley server, as of %s and event %d.\n\n"+
		"Each line of an .ndjson file is one JSON value, as GET /openapi.yaml on the server describes them.\n\n",
		a.export.Account.Name, a.export.At, a.export.Head)
	for _, entry := range exportEntries {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-20s %s\n", entry.name, entry.about)
		}
	}
	return err
}

// notPlain is what not every system takes in a file's name.
var notPlain = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// attachment names the file twice where the name is not plain: as it is for clients that know RFC 6266, and
// plain for all others.
func attachment(name string, at models.Time) string {
	date := at.UTC().Format(time.DateOnly)
	plain := notPlain.ReplaceAllString(name, "_")
	header := fmt.Sprintf("attachment; filename=%q", "parley-"+plain+"-"+date+".zip")
	if plain == name {
		return header
	}
	// A query's escapes are those of RFC 8187 for all that a name can hold.
	return header + "; filename*=UTF-8''parley-" + url.QueryEscape(name) + "-" + date + ".zip"
}

// lines writes one JSON value a line.
func lines[T, V any](w io.Writer, wire func(T) V) func(T) error {
	encoder := json.NewEncoder(w)
	return func(v T) error { return encoder.Encode(wire(v)) }
}

// exportedAccount is an account with what a visitor told.
type exportedAccount struct {
	User
	Email    string `json:"email,omitempty"`
	Page     string `json:"page,omitempty"`
	Language string `json:"language,omitempty"`
}

func writeAccount(ctx context.Context, e *chat.Export, w io.Writer) error {
	told, err := e.Details(ctx)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(exportedAccount{wireUser(e.Account), told.Email, told.Page, told.Language})
}

// exportedSession has no token, nor what stands for it in the database.
type exportedSession struct {
	ID         int64       `json:"id"`
	CreatedAt  models.Time `json:"created_at"`
	LastUsedAt models.Time `json:"last_used_at"`
	ExpiresAt  models.Time `json:"expires_at"`
	Agent      string      `json:"agent"`
	Address    string      `json:"address"`
	Current    bool        `json:"current"`
}

func writeSessions(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Sessions(ctx, lines(w, func(s models.Session) exportedSession {
		return exportedSession{
			s.ID, s.CreatedAt, s.LastUsedAt, s.ExpiresAt, s.Agent, s.Address, s.ID == e.Actor().Session.ID,
		}
	}))
}

func writeBlocks(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Blocks(ctx, lines(w, wireBlock))
}

// exportedSpell is a time in a room.
type exportedSpell struct {
	RoomID   int64           `json:"room_id"`
	Kind     models.RoomKind `json:"kind"`
	Name     string          `json:"name,omitempty"`
	Members  []models.Peer   `json:"members,omitempty"`
	Role     models.RoomRole `json:"role"`
	JoinedAt models.Time     `json:"joined_at"`
	FromID   int64           `json:"from_id"`
	ToID     int64           `json:"to_id,omitempty"`
	Removed  bool            `json:"removed,omitempty"`
}

func writeSpells(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Spells(ctx, lines(w, func(s models.Spell) exportedSpell {
		return exportedSpell{
			s.RoomID, s.Room.Kind, s.Room.Name, s.Room.Members, s.Role, s.JoinedAt, s.From, s.To, s.Revoked,
		}
	}))
}

// exportedRead is a read mark.
type exportedRead struct {
	RoomID    int64 `json:"room_id"`
	MessageID int64 `json:"message_id"`
}

func writeReads(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.ReadMarks(ctx, lines(w, func(m models.ReadMark) exportedRead { return exportedRead(m) }))
}

func writeMessages(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Messages(ctx, lines(w, wireMessage))
}

// exportedEdit is an earlier text.
type exportedEdit struct {
	MessageID int64       `json:"message_id"`
	Text      string      `json:"text"`
	CreatedAt models.Time `json:"created_at"`
}

func writeEdits(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Edits(ctx, lines(w, func(edit models.Edit) exportedEdit {
		return exportedEdit{edit.MessageID, edit.Text, edit.CreatedAt}
	}))
}

func writeDirect(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Direct(ctx, lines(w, wireMessage))
}

func writeConversations(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Conversations(ctx, lines(w, wireConversation))
}

func writeSupport(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Support(ctx, lines(w, wireMessage))
}
