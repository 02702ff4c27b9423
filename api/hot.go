package api

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"parley/models"
)

// Nearly all that a chat is asked is to send a message, and nearly all of these requests look the same. So the body of a
// send is read by hand first: once, instead of by a strict reader, the spec's validator and a decoder. What takes it here
// the others would take, and read the same; what is not taken here goes their way, and they say what is wrong with it.
// FuzzHotSend holds both against each other.

// hot is what the hot way knows of a request.
type hot struct {
	draft models.Draft
	taken bool
}

// sendHot answers a send whose body was taken.
func (s *server) sendHot(c *gin.Context) {
	ctx := c.Request.Context()
	a := aboutOf(ctx)
	if !a.hot.taken {
		return
	}
	c.Abort() // there is nothing left for the generated handler
	m, repeated, err := s.chat.Send(ctx, a.actor, a.hot.draft)
	if err == nil && repeated {
		err = Send200JSONResponse{Body: wireMessage(m)}.VisitSendResponse(c.Writer)
	} else if err == nil {
		err = writeSent(c.Writer, m)
	}
	if err != nil {
		s.badResponse(c, err)
	}
}

// jsonHeader is shared by all answers: headers are never changed in place.
var jsonHeader = []string{jsonType}

// writeSent answers 201 with a message that was just sent.
func writeSent(w http.ResponseWriter, m models.Message) error {
	w.Header()["Content-Type"] = jsonHeader
	w.WriteHeader(http.StatusCreated)
	_, err := w.Write(appendSent(make([]byte, 0, 256+len(m.Text)+len(m.Nonce)+len(m.SenderName)), m))
	return err
}

// appendSent writes what wireMessage makes of a message that was just sent: nobody has edited it or reacted to it.
func appendSent(b []byte, m models.Message) []byte {
	b = append(b, '{')
	if m.Announcement {
		b = append(b, `"announcement":true,`...)
	}
	b = m.CreatedAt.AppendJSON(append(b, `"attachments":[],"created_at":`...))
	b = appendID(append(b, `,"id":`...), m.ID)
	b = models.AppendJSONList(append(b, `,"mentions":`...), m.Mentions)
	if m.MentionsRoom {
		b = append(b, `,"mentions_room":true`...)
	}
	if m.Nonce != "" {
		b = models.AppendJSONText(append(b, `,"nonce":`...), m.Nonce)
	}
	b = append(b, `,"reactions":[]`...)
	if m.ReplyTo != 0 {
		b = appendID(append(b, `,"reply_to":`...), m.ReplyTo)
	}
	b = appendID(append(b, `,"room_id":`...), m.RoomID)
	b = models.Peer{ID: m.SenderID, Name: m.SenderName}.AppendJSON(append(b, `,"sender":`...))
	b = models.AppendJSONText(append(b, `,"text":`...), m.Text)
	if m.ThreadID != 0 {
		b = appendID(append(b, `,"thread_id":`...), m.ThreadID)
	}
	return append(b, '}', '\n')
}

func appendID(b []byte, id int64) []byte { return strconv.AppendInt(b, id, 10) }

// takeSend reads the body of a send.
func takeSend(body []byte) (d models.Draft, taken bool) {
	r := hotReader{rest: body}
	if !r.next('{') {
		return d, false
	}
	var seen sendFields
	for first := true; !r.next('}'); first = false {
		if !first && !r.next(',') {
			return d, false
		}
		name, ok := r.name()
		if !ok || !seen.take(&d, &r, name) {
			return d, false
		}
	}
	return d, seen.text && r.end()
}

// sendFields are those of a send that were read.
type sendFields struct{ text, to, nonce, replyTo bool }

// take reads the value of a field into d, once each.
func (seen *sendFields) take(d *models.Draft, r *hotReader, name []byte) (ok bool) {
	var again bool
	switch string(name) {
	case "text":
		again, seen.text = seen.text, true
		d.Text, ok = r.text()
		ok = ok && d.Text != ""
	case "to":
		again, seen.to = seen.to, true
		d.To, ok = r.ref()
	case "nonce":
		again, seen.nonce = seen.nonce, true
		d.Nonce, ok = r.text()
		ok = ok && d.Nonce != "" && utf8.RuneCountInString(d.Nonce) <= models.MaxNonce
	case "reply_to":
		again, seen.replyTo = seen.replyTo, true
		d.ReplyTo, ok = r.id()
	}
	return ok && !again
}
