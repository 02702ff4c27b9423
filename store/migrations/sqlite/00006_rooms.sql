-- +goose Up
-- What rooms and messages can besides text. A message's row is made anew with its place in the room: `ord` is how
-- many messages the room had with it, `own` how many of them its sender. Both count what is deleted too, so
-- that they never change, and how many lie beyond a read mark is the difference of two look-ups, however many
-- they are.
CREATE TABLE placed_messages (
  id           INTEGER PRIMARY KEY,
  room_id      INTEGER NOT NULL,
  sender_id    INTEGER NOT NULL,
  body         TEXT    NOT NULL, -- as it was sent; see edits
  created_at   INTEGER NOT NULL,
  nonce        TEXT    NOT NULL,
  reply_to     INTEGER NOT NULL, -- 0: answers nothing
  thread_id    INTEGER NOT NULL, -- the first message of its thread; 0: it answers nothing
  announcement INTEGER NOT NULL,
  ord          INTEGER NOT NULL,
  own          INTEGER NOT NULL
) STRICT;
INSERT INTO placed_messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own)
SELECT id, room_id, sender_id, body, created_at, nonce, 0, 0, 0,
       row_number() OVER (PARTITION BY room_id ORDER BY id),
       row_number() OVER (PARTITION BY room_id, sender_id ORDER BY id)
FROM messages ORDER BY id;
DROP TABLE messages;
ALTER TABLE placed_messages RENAME TO messages;
CREATE INDEX messages_room ON messages (room_id);
CREATE INDEX messages_sender ON messages (sender_id, room_id);
CREATE INDEX messages_thread ON messages (thread_id) WHERE thread_id <> 0;

-- Deleted messages by room and sender, whom they are no longer unread by.
CREATE TABLE placed_tombstones (
  message_id INTEGER PRIMARY KEY,
  room_id    INTEGER NOT NULL,
  sender_id  INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT;
INSERT INTO placed_tombstones (message_id, room_id, sender_id, deleted_at)
SELECT t.message_id, m.room_id, m.sender_id, t.deleted_at FROM tombstones t JOIN messages m ON m.id = t.message_id
ORDER BY t.message_id;
DROP TABLE tombstones;
ALTER TABLE placed_tombstones RENAME TO tombstones;
CREATE INDEX tombstones_room ON tombstones (room_id);

-- The message.updated entries of messages: the text from then on, NULL where it stayed. The row of the message keeps
-- its first text, and this table is only appended to: a row that grew would move others, and leave copies of them.
CREATE TABLE edits (
  id         INTEGER PRIMARY KEY,
  message_id INTEGER NOT NULL,
  body       TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX edits_message ON edits (message_id);

-- Who is mentioned by the present text; user 0 is everybody in the room.
CREATE TABLE mentions (
  user_id    INTEGER NOT NULL,
  room_id    INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, room_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_message ON mentions (message_id);

CREATE TABLE reactions (
  message_id INTEGER NOT NULL,
  emoji      TEXT    NOT NULL,
  user_id    INTEGER NOT NULL,
  id         INTEGER NOT NULL, -- the reaction.added entry
  PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_order ON reactions (message_id, id);
CREATE INDEX reactions_user ON reactions (user_id, id);

-- One row for each message that was answered: how many live answers its thread has, and the newest of them.
CREATE TABLE threads (
  message_id INTEGER PRIMARY KEY,
  replies    INTEGER NOT NULL,
  last_id    INTEGER NOT NULL -- 0: none
) STRICT;

CREATE TABLE pins (
  message_id INTEGER PRIMARY KEY,
  room_id    INTEGER NOT NULL,
  user_id    INTEGER NOT NULL, -- who pinned it
  id         INTEGER NOT NULL, -- the message.updated entry
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pins_room ON pins (room_id, id);

-- Up to which message somebody has read a room. No row: up to where their membership began.
CREATE TABLE reads (
  user_id INTEGER NOT NULL,
  room_id INTEGER NOT NULL,
  read_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, room_id)
) STRICT, WITHOUT ROWID;

-- Mutes and bans of one room; those that are over may still be here.
CREATE TABLE restrictions (
  room_id    INTEGER NOT NULL,
  kind       TEXT    NOT NULL, -- mute, ban
  user_id    INTEGER NOT NULL,
  until      INTEGER NOT NULL, -- 0: until lifted
  reason     TEXT    NOT NULL,
  by_id      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (room_id, kind, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX restrictions_until ON restrictions (until) WHERE until <> 0;
CREATE INDEX restrictions_user ON restrictions (user_id);

-- An invitation's code is a secret: only its hash is kept.
CREATE TABLE invites (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  room_id    INTEGER NOT NULL,
  code_hash  BLOB    NOT NULL,
  by_id      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, -- 0: never
  max_uses   INTEGER NOT NULL, -- 0: any number
  uses       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX invites_code ON invites (code_hash);
CREATE INDEX invites_room ON invites (room_id);
CREATE INDEX invites_expires ON invites (expires_at) WHERE expires_at <> 0;
CREATE INDEX invites_spent ON invites (id) WHERE max_uses <> 0 AND uses >= max_uses;

ALTER TABLE rooms ADD COLUMN slow_mode INTEGER NOT NULL DEFAULT 0; -- seconds between two messages of one sender
ALTER TABLE rooms ADD COLUMN history TEXT NOT NULL DEFAULT 'all';  -- all, since_join
ALTER TABLE rooms ADD COLUMN mutes INTEGER NOT NULL DEFAULT 0;     -- rows of restrictions, so that most sends need not look

-- A message in an event has its mentions, attachments and reactions, though there be none: what was sent before gets the
-- empty lists. The table is made anew, since rows that grow leave copies of others. Entries that an erasure deflated
-- stay: there is nothing in them.
CREATE TABLE whole_log (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  type     TEXT    NOT NULL,
  room_id  INTEGER NOT NULL,
  aud_kind INTEGER NOT NULL,
  aud_id   INTEGER NOT NULL,
  json     BLOB    NOT NULL
) STRICT;
INSERT INTO whole_log (id, at, type, room_id, aud_kind, aud_id, json)
SELECT id, at, type, room_id, aud_kind, aud_id,
       CASE WHEN type = 'message.created' AND substr(json, 1, 1) = x'7b'
            THEN CAST(substr(rtrim(CAST(json AS TEXT)), 1, length(rtrim(CAST(json AS TEXT))) - 3)
                      || ',"mentions":[],"attachments":[],"reactions":[]}}}' AS BLOB)
            ELSE json END
FROM log ORDER BY id;
DROP TABLE log;
ALTER TABLE whole_log RENAME TO log;
CREATE INDEX log_audience ON log (aud_kind, aud_id);
CREATE INDEX log_people ON log (room_id, id) WHERE aud_kind <> 0 AND type <> 'message.created';
