-- +goose Up
-- Times are milliseconds since 1970; 0 where there is none. Ids are those of the log. Keys
-- compare by code point, as they do in SQLite, whatever the database's own collation.

CREATE TABLE users (
  id           bigint PRIMARY KEY,
  name         text   NOT NULL,
  name_key     text   COLLATE "C" NOT NULL,
  display_name text   NOT NULL,
  role         text   NOT NULL,
  status_text  text   NOT NULL,
  password     text   NOT NULL, -- encoded hash; empty: none
  created_at   bigint NOT NULL,
  last_seen_at bigint NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (name_key);
CREATE INDEX users_with_password ON users (id) WHERE password <> '';

CREATE TABLE rooms (
  id           bigint  PRIMARY KEY,
  kind         text    NOT NULL,
  name         text    NOT NULL,
  name_key     text    COLLATE "C" NOT NULL, -- empty: no channel
  topic        text    NOT NULL,
  visibility   text    NOT NULL,
  direct_a     bigint  NOT NULL, -- direct only, else 0: the lower user id
  direct_b     bigint  NOT NULL,
  member_count bigint  NOT NULL,
  archived     boolean NOT NULL,
  created_at   bigint  NOT NULL,
  deleted_id   bigint            -- the room.deleted entry
);
CREATE UNIQUE INDEX rooms_name ON rooms (name_key) WHERE name_key <> '' AND deleted_id IS NULL;
CREATE UNIQUE INDEX rooms_direct ON rooms (direct_a, direct_b) WHERE direct_a <> 0 AND deleted_id IS NULL;
CREATE INDEX rooms_public ON rooms (id) WHERE kind = 'channel' AND visibility = 'public' AND deleted_id IS NULL;

CREATE TABLE memberships (
  room_id   bigint  NOT NULL REFERENCES rooms (id),
  user_id   bigint  NOT NULL REFERENCES users (id),
  role      text    NOT NULL,
  from_id   bigint  NOT NULL, -- the spell's first entry
  to_id     bigint,           -- its last one; none while it lasts
  revoked   boolean NOT NULL, -- only to_id itself is still given
  joined_at bigint  NOT NULL,
  PRIMARY KEY (room_id, user_id, from_id)
);
CREATE UNIQUE INDEX memberships_present ON memberships (room_id, user_id) WHERE to_id IS NULL;
CREATE INDEX memberships_user ON memberships (user_id, to_id, room_id);
CREATE INDEX memberships_owners ON memberships (room_id) WHERE to_id IS NULL AND role = 'owner';

-- No foreign keys here: each would write a lock into the room's and the sender's row.
CREATE TABLE messages (
  id         bigint PRIMARY KEY,
  room_id    bigint NOT NULL,
  sender_id  bigint NOT NULL,
  body       text   NOT NULL,
  created_at bigint NOT NULL,
  nonce      text   NOT NULL
);
CREATE INDEX messages_room ON messages (room_id, id);

CREATE TABLE nonces (
  user_id    bigint NOT NULL,
  nonce      text   COLLATE "C" NOT NULL,
  message_id bigint NOT NULL,
  sent_to    text   NOT NULL,
  digest     bytea  NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (user_id, nonce)
);
CREATE INDEX nonces_age ON nonces (created_at);

CREATE TABLE sessions (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id      bigint NOT NULL REFERENCES users (id),
  token_hash   bytea  NOT NULL,
  created_at   bigint NOT NULL,
  last_used_at bigint NOT NULL,
  expires_at   bigint NOT NULL,
  agent        text   NOT NULL,
  address      text   NOT NULL
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE tickets (
  hash       bytea  NOT NULL PRIMARY KEY,
  session_id bigint NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  user_id    bigint NOT NULL,
  created_at bigint NOT NULL,
  used_at    bigint NOT NULL,
  closed_at  bigint NOT NULL
);
CREATE INDEX tickets_session ON tickets (session_id);
CREATE INDEX tickets_unused ON tickets (created_at) WHERE used_at = 0;
CREATE INDEX tickets_closed ON tickets (closed_at) WHERE closed_at <> 0;

CREATE TABLE log (
  id       bigint   PRIMARY KEY,
  at       bigint   NOT NULL,
  type     text     NOT NULL,
  room_id  bigint   NOT NULL,
  aud_kind smallint NOT NULL,
  aud_id   bigint   NOT NULL,
  json     bytea    NOT NULL
);
CREATE INDEX log_audience ON log (aud_kind, aud_id, id);

-- One row that every commit rewrites: room in its page keeps that a cheap update in place.
CREATE TABLE log_head (
  one  smallint PRIMARY KEY CHECK (one = 1),
  head bigint   NOT NULL
) WITH (fillfactor = 10);

-- The lobby is entry 1.
INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json)
SELECT 1, ms, 'room.created', 1, 1, 0, convert_to(
  '{"id":1,"type":"room.created","at":"' || t || '","room_id":1,"data":{"room":{"id":1,"kind":"channel","name":"lobby","topic":"","visibility":"public","member_count":0,"archived":false,"created_at":"' || t || '"}}}',
  'UTF8')
FROM (
  SELECT (extract(epoch FROM moment) * 1000)::bigint AS ms,
         to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS t
  FROM (SELECT date_trunc('milliseconds', now()) AS moment) AS n
) AS m;
INSERT INTO rooms (id, kind, name, name_key, topic, visibility, direct_a, direct_b, member_count, archived, created_at)
SELECT 1, 'channel', 'lobby', 'lobby', '', 'public', 0, 0, 0, false, at FROM log WHERE id = 1;
INSERT INTO log_head (one, head) VALUES (1, 1);
