-- +goose Up
-- What rooms and messages can besides text. A message's row has its place in the room: `ord` is how
-- many messages the room had with it, `own` how many of them its sender. Both count what is deleted too, so
-- that they never change, and how many lie beyond a read mark is the difference of two look-ups, however many
-- they are.
ALTER TABLE messages ADD COLUMN reply_to bigint NOT NULL DEFAULT 0;  -- 0: answers nothing
ALTER TABLE messages ADD COLUMN thread_id bigint NOT NULL DEFAULT 0; -- the first message of its thread; 0: it answers nothing
ALTER TABLE messages ADD COLUMN announcement boolean NOT NULL DEFAULT false;
ALTER TABLE messages ADD COLUMN ord bigint NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN own bigint NOT NULL DEFAULT 0;
DROP INDEX messages_sender;
UPDATE messages m SET ord = p.ord, own = p.own FROM (
  SELECT id, row_number() OVER (PARTITION BY room_id ORDER BY id) AS ord,
         row_number() OVER (PARTITION BY room_id, sender_id ORDER BY id) AS own
  FROM messages
) p WHERE p.id = m.id;
CREATE INDEX messages_sender ON messages (sender_id, room_id, id);
CREATE INDEX messages_thread ON messages (thread_id, id) WHERE thread_id <> 0;

-- Deleted messages by room and sender, whom they are no longer unread by.
ALTER TABLE tombstones ADD COLUMN room_id bigint NOT NULL DEFAULT 0;
ALTER TABLE tombstones ADD COLUMN sender_id bigint NOT NULL DEFAULT 0;
UPDATE tombstones t SET room_id = m.room_id, sender_id = m.sender_id FROM messages m WHERE m.id = t.message_id;
CREATE INDEX tombstones_room ON tombstones (room_id, message_id);

-- The message.updated entries of messages: the text from then on, NULL where it stayed. The row of the message keeps
-- its first text.
CREATE TABLE edits (
  id         bigint PRIMARY KEY,
  message_id bigint NOT NULL,
  body       text,
  created_at bigint NOT NULL
);
CREATE INDEX edits_message ON edits (message_id, id);

-- Who is mentioned by the present text; user 0 is everybody in the room.
CREATE TABLE mentions (
  user_id    bigint NOT NULL,
  room_id    bigint NOT NULL,
  message_id bigint NOT NULL,
  PRIMARY KEY (user_id, room_id, message_id)
);
CREATE INDEX mentions_message ON mentions (message_id);

CREATE TABLE reactions (
  message_id bigint NOT NULL,
  emoji      text    NOT NULL,
  user_id    bigint NOT NULL,
  id         bigint NOT NULL, -- the reaction.added entry
  PRIMARY KEY (message_id, emoji, user_id)
);
CREATE INDEX reactions_order ON reactions (message_id, id);
CREATE INDEX reactions_user ON reactions (user_id, id);

-- One row for each message that was answered: how many live answers its thread has, and the newest of them.
CREATE TABLE threads (
  message_id bigint PRIMARY KEY,
  replies    integer NOT NULL,
  last_id    bigint NOT NULL -- 0: none
);

CREATE TABLE pins (
  message_id bigint PRIMARY KEY,
  room_id    bigint NOT NULL,
  user_id    bigint NOT NULL, -- who pinned it
  id         bigint NOT NULL, -- the message.updated entry
  created_at bigint NOT NULL
);
CREATE INDEX pins_room ON pins (room_id, id);

-- Up to which message somebody has read a room. No row: up to where their membership began.
CREATE TABLE reads (
  user_id bigint NOT NULL,
  room_id bigint NOT NULL,
  read_id bigint NOT NULL,
  PRIMARY KEY (user_id, room_id)
);

-- Mutes and bans of one room; those that are over may still be here.
CREATE TABLE restrictions (
  room_id    bigint NOT NULL,
  kind       text    NOT NULL, -- mute, ban
  user_id    bigint NOT NULL,
  until      bigint NOT NULL, -- 0: until lifted
  reason     text    NOT NULL,
  by_id      bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (room_id, kind, user_id)
);
CREATE INDEX restrictions_until ON restrictions (until) WHERE until <> 0;
CREATE INDEX restrictions_user ON restrictions (user_id);

-- An invitation's code is a secret: only its hash is kept.
CREATE TABLE invites (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  room_id    bigint NOT NULL,
  code_hash  bytea    NOT NULL,
  by_id      bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL, -- 0: never
  max_uses   integer NOT NULL, -- 0: any number
  uses       integer NOT NULL
);
CREATE UNIQUE INDEX invites_code ON invites (code_hash);
CREATE INDEX invites_room ON invites (room_id, id);
CREATE INDEX invites_expires ON invites (expires_at) WHERE expires_at <> 0;
CREATE INDEX invites_spent ON invites (id) WHERE max_uses <> 0 AND uses >= max_uses;

ALTER TABLE rooms ADD COLUMN slow_mode integer NOT NULL DEFAULT 0; -- seconds between two messages of one sender
ALTER TABLE rooms ADD COLUMN history text NOT NULL DEFAULT 'all';  -- all, since_join
ALTER TABLE rooms ADD COLUMN mutes integer NOT NULL DEFAULT 0;     -- rows of restrictions, so that most sends need not look

-- A message in an event has its mentions, attachments and reactions, though there be none: what was sent before gets the
-- empty lists. Entries that an erasure deflated stay: there is nothing in them.
UPDATE log SET json = convert_to(left(rtrim(convert_from(json, 'UTF8')), -3)
  || ',"mentions":[],"attachments":[],"reactions":[]}}}', 'UTF8')
WHERE type = 'message.created' AND get_byte(json, 0) = 123;
