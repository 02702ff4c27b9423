package store

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
)

// An entry of the log that is rewritten must take exactly the room that it took before. SQLite then overwrites it
// where it stands. A row that grows or shrinks makes it move rows between pages, and of what it moves
// it leaves copies in the free space of pages, which secure_delete does not reach: the text of
// somebody who is erased later would be found in them. So what is too short is padded, and what is too long
// is deflated, which the words that all entries share make short enough.

// packed is the first byte of an entry that is deflated; an entry as it is begins with a brace.
const packed = 1

// words are what entries share. They are part of the format: never changed, but replaced under
// another first byte.
const words = `"reason":"deleted","role":"moderator","role":"owner","role":"member","joined_at":"old_name":"topic":"","visibility":"public","visibility":"private","member_count":"archived":false` +
	`{"id":,"type":"member.joined","type":"member.left","type":"user.renamed","type":"room.created","type":"message.updated",` +
	`"kind":"direct","members":[{"id":,"name":"deleted#"},{"user":{"display_name":"deleted#","name":"deleted#"` +
	`"role":"guest"{"id":,"type":"message.created","at":"2025-12-30T14:56:07.890Z","room_id":1,"data":{"message":` +
	`{"id":,"room_id":1,"sender":{"id":,"name":"deleted#"},"text":"","created_at":"2026-01-30T14:56:07.890Z","deleted_at":"2026-01-30T14:56:07.890Z"}}}`

// pack makes json take size bytes, or more where that cannot be.
func pack(json []byte, size int) ([]byte, error) {
	if len(json) <= size {
		return append(slices.Clip(json), bytes.Repeat([]byte{' '}, size-len(json))...), nil
	}
	var b bytes.Buffer
	b.WriteByte(packed)
	w, err := flate.NewWriterDict(&b, flate.BestCompression, []byte(words))
	if err != nil {
		return nil, fmt.Errorf("pack entry: %w", err)
	}
	if _, err := w.Write(json); err != nil {
		return nil, fmt.Errorf("pack entry: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack entry: %w", err)
	}
	if b.Len() > size {
		return json, nil
	}
	b.Write(make([]byte, size-b.Len())) // behind the end of the deflated data, which says where it is
	return b.Bytes(), nil
}

// unpack is the inverse of pack.
func unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != packed {
		return bytes.TrimRight(stored, " "), nil
	}
	json, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(stored[1:]), []byte(words)))
	if err != nil {
		return nil, fmt.Errorf("unpack entry: %w", err)
	}
	return whole(json), nil
}

// lists are what the message of an event has since rooms have reactions. Migration 6 gave them to all entries but those
// that were deflated before it, which SQL cannot read.
const lists = `,"mentions":[],"attachments":[],"reactions":[]`

var (
	carriesMessage = []byte(`,"type":"message.created","at":`)
	hasLists       = []byte(`,"mentions":[`)
	messageEnd     = []byte("}}}")
)

// whole gives a deflated message the lists that it lacks. There is no text in it that could look like them.
func whole(json []byte) []byte {
	rest, ok := bytes.CutSuffix(json, messageEnd)
	if !ok || !bytes.Contains(json, carriesMessage) || bytes.Contains(json, hasLists) {
		return json
	}
	return slices.Concat(rest, []byte(lists), messageEnd)
}
