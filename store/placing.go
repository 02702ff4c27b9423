package store

import (
	"encoding/json"
	"fmt"

	"parley/models"
)

// place is where a message stands: the how-manieth of its room it is, and of its sender there.
type place struct{ ord, own int64 }

// placing has the last place that was given out in each room, and to each sender there.
type placing struct {
	rooms   map[int64]int64
	senders map[pair]int64
}

// place numbers the messages of one INSERT. Where nobody else writes, the writer knows what the table has; elsewhere the
// places count from 1, and the statement adds the rest, which saves a round trip.
func (t *tx) place(rows []models.Message) ([]place, error) {
	p := placing{rooms: map[int64]int64{}, senders: map[pair]int64{}}
	if !t.lockHead() {
		if err := t.findPlaces(p, rows); err != nil {
			return nil, err
		}
	}
	places := make([]place, len(rows))
	for i := range rows {
		places[i] = p.next(&rows[i])
	}
	if !t.lockHead() {
		t.keepPlaces(p)
	}
	return places, nil
}

func (p placing) next(m *models.Message) place {
	sender := pair{m.RoomID, m.SenderID}
	p.rooms[m.RoomID]++
	p.senders[sender]++
	return place{p.rooms[m.RoomID], p.senders[sender]}
}

// findPlaces fills in the last places of the messages' rooms and senders, from the cache or else from the table.
// It goes into maps of its own: the cache forgets what it likes.
func (t *tx) findPlaces(p placing, rows []models.Message) error {
	var rooms []int64
	var senders [][2]int64
	for i := range rows {
		m := &rows[i]
		sender := pair{m.RoomID, m.SenderID}
		if _, have := p.rooms[m.RoomID]; !have {
			ord, known := t.w.cache.ords.get(m.RoomID)
			if p.rooms[m.RoomID] = ord; !known {
				rooms = append(rooms, m.RoomID)
			}
		}
		if _, have := p.senders[sender]; !have {
			own, known := t.w.cache.owns.get(sender)
			if p.senders[sender] = own; !known {
				senders = append(senders, [2]int64{sender.a, sender.b})
			}
		}
	}
	return t.readPlaces(p, rooms, senders)
}

// keepPlaces lets the cache know them, until the command or the transaction is taken back.
func (t *tx) keepPlaces(p placing) {
	for room, ord := range p.rooms {
		t.w.cache.ords.put(room, ord)
	}
	for sender, own := range p.senders {
		t.w.cache.owns.put(sender, own)
	}
}

type placeRow struct{ RoomID, SenderID, Last int64 }

// readPlaces is in SQLite's words, the only database that it is asked of: two queries at most, however many there are.
func (t *tx) readPlaces(p placing, rooms []int64, senders [][2]int64) error {
	if len(rooms) > 0 {
		found, err := many[placeRow](&t.reader, "look for the last message of rooms",
			"SELECT j.value AS room_id, (SELECT ord FROM messages WHERE room_id = j.value ORDER BY id DESC LIMIT 1) AS last "+
				"FROM json_each(?) j WHERE last IS NOT NULL", t.idList(rooms))
		if err != nil {
			return err
		}
		for _, row := range found {
			p.rooms[row.RoomID] = row.Last
		}
	}
	if len(senders) == 0 {
		return nil
	}
	list, err := json.Marshal(senders)
	if err != nil {
		return fmt.Errorf("encode the senders: %w", err)
	}
	found, err := many[placeRow](&t.reader, "look for the last message of senders",
		"SELECT j.value ->> 0 AS room_id, j.value ->> 1 AS sender_id, (SELECT own FROM messages "+
			"WHERE room_id = j.value ->> 0 AND sender_id = j.value ->> 1 ORDER BY id DESC LIMIT 1) AS last "+
			"FROM json_each(?) j WHERE last IS NOT NULL", string(list))
	for _, row := range found {
		p.senders[pair{row.RoomID, row.SenderID}] = row.Last
	}
	return err
}
