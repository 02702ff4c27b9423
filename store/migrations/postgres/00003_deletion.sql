-- +goose Up
-- A deleted account keeps its row, so that its messages have a sender; deleted_id is its user.deleted entry.
-- unfinished is what is still to be done for it: 0 nothing, 1 its nonces, 2 its messages and its name too.
ALTER TABLE users ADD COLUMN deleted_id bigint;
ALTER TABLE users ADD COLUMN unfinished smallint NOT NULL DEFAULT 0;
CREATE INDEX users_unfinished ON users (id) WHERE unfinished <> 0;
CREATE INDEX users_admins ON users (id) WHERE role = 'admin' AND deleted_id IS NULL;

CREATE TABLE tombstones (
  message_id bigint PRIMARY KEY,
  deleted_at bigint NOT NULL
);

CREATE INDEX messages_sender ON messages (sender_id, id);
-- The entries that can name somebody besides the messages that they sent, by room.
CREATE INDEX log_people ON log (room_id, id) WHERE aud_kind <> 0 AND type <> 'message.created';
