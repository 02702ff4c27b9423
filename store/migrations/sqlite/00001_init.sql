-- +goose Up
-- Times are milliseconds since 1970; 0 where there is none. Ids are those of the log. An
-- INTEGER PRIMARY KEY is the rowid, which every index has as its last column already.

CREATE TABLE users (
  id           INTEGER PRIMARY KEY,
  name         TEXT    NOT NULL,
  name_key     TEXT    NOT NULL,
  display_name TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  status_text  TEXT    NOT NULL,
  password     TEXT    NOT NULL, -- encoded hash; empty: none
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_name ON users (name_key);
CREATE INDEX users_with_password ON users (id) WHERE password <> '';

CREATE TABLE rooms (
  id           INTEGER PRIMARY KEY,
  kind         TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  name_key     TEXT    NOT NULL, -- empty: no channel
  topic        TEXT    NOT NULL,
  visibility   TEXT    NOT NULL,
  direct_a     INTEGER NOT NULL, -- direct only, else 0: the lower user id
  direct_b     INTEGER NOT NULL,
  member_count INTEGER NOT NULL,
  archived     INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  deleted_id   INTEGER           -- the room.deleted entry
) STRICT;
CREATE UNIQUE INDEX rooms_name ON rooms (name_key) WHERE name_key <> '' AND deleted_id IS NULL;
CREATE UNIQUE INDEX rooms_direct ON rooms (direct_a, direct_b) WHERE direct_a <> 0 AND deleted_id IS NULL;
CREATE INDEX rooms_public ON rooms (id) WHERE kind = 'channel' AND visibility = 'public' AND deleted_id IS NULL;

CREATE TABLE memberships (
  room_id   INTEGER NOT NULL REFERENCES rooms (id),
  user_id   INTEGER NOT NULL REFERENCES users (id),
  role      TEXT    NOT NULL,
  from_id   INTEGER NOT NULL, -- the spell's first entry
  to_id     INTEGER,          -- its last one; none while it lasts
  revoked   INTEGER NOT NULL, -- only to_id itself is still given
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id, from_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_present ON memberships (room_id, user_id) WHERE to_id IS NULL;
CREATE INDEX memberships_user ON memberships (user_id, to_id, room_id);
CREATE INDEX memberships_owners ON memberships (room_id) WHERE to_id IS NULL AND role = 'owner';

-- No foreign keys here: a send must cost no look-ups that its command has made already.
CREATE TABLE messages (
  id         INTEGER PRIMARY KEY,
  room_id    INTEGER NOT NULL,
  sender_id  INTEGER NOT NULL,
  body       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  nonce      TEXT    NOT NULL
) STRICT;
CREATE INDEX messages_room ON messages (room_id);

CREATE TABLE nonces (
  user_id    INTEGER NOT NULL,
  nonce      TEXT    NOT NULL,
  message_id INTEGER NOT NULL,
  sent_to    TEXT    NOT NULL,
  digest     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_age ON nonces (created_at);

-- AUTOINCREMENT: the id of a session that has ended must not come again.
CREATE TABLE sessions (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id      INTEGER NOT NULL REFERENCES users (id),
  token_hash   BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  agent        TEXT    NOT NULL,
  address      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE tickets (
  hash       BLOB    NOT NULL PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  user_id    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  closed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_session ON tickets (session_id);
CREATE INDEX tickets_unused ON tickets (created_at) WHERE used_at = 0;
CREATE INDEX tickets_closed ON tickets (closed_at) WHERE closed_at <> 0;

CREATE TABLE log (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  type     TEXT    NOT NULL,
  room_id  INTEGER NOT NULL,
  aud_kind INTEGER NOT NULL,
  aud_id   INTEGER NOT NULL,
  json     BLOB    NOT NULL
) STRICT;
CREATE INDEX log_audience ON log (aud_kind, aud_id);

CREATE TABLE log_head (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  head INTEGER NOT NULL
) STRICT;

-- The lobby is entry 1. `now` is one moment within a statement.
INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json)
SELECT 1, ms, 'room.created', 1, 1, 0, CAST(
  '{"id":1,"type":"room.created","at":"' || t || '","room_id":1,"data":{"room":{"id":1,"kind":"channel","name":"lobby","topic":"","visibility":"public","member_count":0,"archived":false,"created_at":"' || t || '"}}}'
  AS BLOB)
FROM (
  SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) AS ms,
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS t
);
INSERT INTO rooms (id, kind, name, name_key, topic, visibility, direct_a, direct_b, member_count, archived, created_at)
SELECT 1, 'channel', 'lobby', 'lobby', '', 'public', 0, 0, 0, 0, at FROM log WHERE id = 1;
INSERT INTO log_head (one, head) VALUES (1, 1);
