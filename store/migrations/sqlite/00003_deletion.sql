-- +goose Up
-- A deleted account keeps its row, so that its messages have a sender; deleted_id is its user.deleted entry.
-- unfinished is what is still to be done for it: 0 nothing, 1 its nonces, 2 its messages and its name too.
ALTER TABLE users ADD COLUMN deleted_id INTEGER;
ALTER TABLE users ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_unfinished ON users (id) WHERE unfinished <> 0;
CREATE INDEX users_admins ON users (id) WHERE role = 'admin' AND deleted_id IS NULL;

-- A deleted message's row stays, overwritten in place and as long as before: a row that grew or shrank would
-- move its neighbours between pages, and SQLite leaves copies of what it moves. So there is no
-- column for this, which would make the row longer.
CREATE TABLE tombstones (
  message_id INTEGER PRIMARY KEY,
  deleted_at INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_sender ON messages (sender_id);
-- The entries that can name somebody besides the messages that they sent, by room.
CREATE INDEX log_people ON log (room_id, id) WHERE aud_kind <> 0 AND type <> 'message.created';
