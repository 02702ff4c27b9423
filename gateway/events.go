package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"

	"parley/models"
)

// event is what the protocols need of an event, decoded. What it does not have is zero.
type event struct {
	ID     int64            `json:"id"`
	Type   models.EventType `json:"type"`
	RoomID int64            `json:"room_id"`
	Data   struct {
		Message message `json:"message"` // message.created
		Cursor  int64   `json:"cursor"`  // ready, heartbeat
		Reason  string  `json:"reason"`  // session.ended

		Users        []models.PresenceUser `json:"users"`        // presence.changed
		Conversation conversation          `json:"conversation"` // support.updated
	} `json:"data"`
}

// message is a message in an event.
type message struct {
	ID     int64       `json:"id"`
	Sender models.Peer `json:"sender"`
	Text   string      `json:"text"`
	Nonce  string      `json:"nonce"`
}

// conversation is a conversation with support in an event.
type conversation struct {
	ID    int64                    `json:"id"`
	State models.ConversationState `json:"state"`
	Agent *models.Peer             `json:"agent"`
}

// events is a broker.Sink, for streams in NDJSON, that gives each event to the function. Its error ends the stream.
type events func(e *event) error

// Write implements broker.Sink.
func (hear events) Write(p []byte) error {
	for len(p) > 0 {
		line, rest, _ := bytes.Cut(p, []byte{'\n'})
		p = rest
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		if err := hear(&e); err != nil {
			return err
		}
	}
	return nil
}

// position is up to where the stream is at this event, 0 where it does not say.
func (e *event) position() int64 {
	switch e.Type {
	case models.Ready, models.Heartbeat, models.Reset:
		return e.Data.Cursor
	default:
		return e.ID
	}
}
