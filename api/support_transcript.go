package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"parley/chat"
	"parley/models"
)

// textType is the transcript's other media type, as it is asked for.
const textType = "text/plain"

// GetTranscript gives all that was said in a conversation.
func (s *server) GetTranscript(ctx context.Context, r GetTranscriptRequestObject) (GetTranscriptResponseObject, error) {
	accept := ""
	if c, ok := ctx.(*gin.Context); ok {
		accept = strings.Join(c.Request.Header.Values("Accept"), ",")
	}
	asText, err := wantsText(deref(r.Params.Format), accept)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	transcript, err := s.chat.Transcript(ctx, actor, conversationID(r.Conversation))
	if err != nil {
		return nil, err
	}
	return transcriptAnswer{ctx: ctx, server: s, transcript: transcript, asText: asText}, nil
}

// wantsText says which of the two forms a transcript has.
func wantsText(format GetTranscriptParamsFormat, accept string) (bool, error) {
	if format != "" {
		return format == GetTranscriptParamsFormatText, nil
	}
	asJSON, asText := quality(accept, jsonType), quality(accept, textType)
	if asJSON == 0 && asText == 0 {
		return false, models.Refuse(models.CodeNotAcceptable, "this is %s or %s", jsonType, textType)
	}
	return asText > asJSON, nil
}

// transcriptAnswer is a transcript that is ready to be written.
type transcriptAnswer struct {
	ctx        context.Context //nolint:containedctx // the generated Visit methods take none
	server     *server
	transcript *chat.Transcript
	asText     bool
}

// VisitGetTranscriptResponse implements GetTranscriptResponseObject. What breaks off must not look whole: there is no
// status to say so any more.
func (a transcriptAnswer) VisitGetTranscriptResponse(w http.ResponseWriter) error {
	media, ending, write := jsonType, "json", a.writeJSON
	if a.asText {
		media, ending, write = textType+"; charset=utf-8", "txt", a.writeText
	}
	c := a.transcript.Conversation
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="conversation-%d-%s.%s"`, c.ID, c.OpenedAt.UTC().Format(time.DateOnly), ending))
	h.Add("Vary", "Accept")
	w.WriteHeader(http.StatusOK)
	if err := write(w); err != nil {
		if a.ctx.Err() == nil {
			a.server.log.ErrorContext(a.ctx, "a transcript broke off", "error", err)
		}
		cutOff()
	}
	return nil
}

// writeJSON writes a Transcript of the spec, message by message.
func (a transcriptAnswer) writeJSON(w io.Writer) error {
	head, err := json.Marshal(Transcript{
		Conversation: wireConversation(a.transcript.Conversation), Agents: each(a.transcript.Attendances, wireAttendance), Messages: []Message{},
	})
	if err != nil {
		return fmt.Errorf("encode a transcript: %w", err)
	}
	const end = "]}" // the messages are the last of it
	if _, err := w.Write(head[:len(head)-len(end)]); err != nil {
		return err
	}
	encoder, comma := json.NewEncoder(w), ""
	err = a.transcript.Messages(a.ctx, func(m models.Message) error {
		if _, err := io.WriteString(w, comma); err != nil {
			return err
		}
		comma = ","
		return encoder.Encode(wireMessage(m))
	})
	if err == nil {
		_, err = io.WriteString(w, end+"\n")
	}
	return err
}

func wireAttendance(a models.Attendance) Attendance {
	return Attendance{Agent: wireEventUser(a.Agent), From: a.From, To: timeOrNil(a.To)}
}

func (a transcriptAnswer) writeText(w io.Writer) error {
	t := newTranscriptText(w, a.transcript.Conversation, a.transcript.Attendances)
	if err := t.head(); err != nil {
		return err
	}
	if err := a.transcript.Messages(a.ctx, t.message); err != nil {
		return err
	}
	return t.end()
}
