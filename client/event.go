package client

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is one event of a stream.
type Event struct {
	ID     int64     // the place in the log; 0 for an ephemeral event
	Type   EventType // may be one that this package does not know
	At     time.Time
	RoomID int64           // 0: of no room
	Data   json.RawMessage // see DataOf
	Raw    []byte          // the whole event as it came
	// Cursor is the position behind this event: a stream that begins after it brings what follows,
	// nothing twice. Keep it once the event is handled. 0 only where no position is known yet.
	Cursor int64
}

// Ephemeral tells events of the moment from those of the log.
func (e Event) Ephemeral() bool { return e.ID == 0 }

// DataOf decodes an event's payload, as in DataOf[MessageData](e). Fields that T does not
// know are ignored.
func DataOf[T any](e Event) (T, error) {
	var data T
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return data, fmt.Errorf("decode %s %d: %w", e.Type, e.ID, err)
	}
	return data, nil
}

// decodeEvent reads an event as the API writes it, whatever its type.
func decodeEvent(raw []byte) (Event, error) {
	var wire struct {
		ID     int64           `json:"id"`
		Type   EventType       `json:"type"`
		At     time.Time       `json:"at"`
		RoomID int64           `json:"room_id"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return Event{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if wire.Type == "" || wire.ID < 0 {
		return Event{}, fmt.Errorf("%w: no event", errMalformed)
	}
	return Event{ID: wire.ID, Type: wire.Type, At: wire.At, RoomID: wire.RoomID, Data: wire.Data, Raw: raw}, nil
}
