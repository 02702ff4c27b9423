-- +goose Up

-- Customer support: see api.md. A conversation has the id of its room.

ALTER TABLE rooms ADD COLUMN notes_of INTEGER NOT NULL DEFAULT 0; -- the conversation that this room has the notes of

-- When somebody was an agent or admin: what is sent to the agents is theirs from from_id to to_id, both included.
CREATE TABLE agent_spells (
  user_id INTEGER NOT NULL,
  from_id INTEGER NOT NULL,
  to_id   INTEGER, -- NULL: still
  PRIMARY KEY (user_id, from_id)
) STRICT, WITHOUT ROWID;
INSERT INTO agent_spells (user_id, from_id) SELECT id, id FROM users WHERE role IN ('agent', 'admin') AND deleted_id IS NULL;

-- What somebody told before the chat, besides the name, which is the account's display name.
CREATE TABLE visitors (
  user_id  INTEGER PRIMARY KEY,
  email    TEXT NOT NULL,
  page     TEXT NOT NULL,
  language TEXT NOT NULL
) STRICT;

-- The departments. The first one takes what is for none of the others.
CREATE TABLE support_queues (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL,
  name_key   TEXT    NOT NULL,
  assignment TEXT    NOT NULL, -- auto, manual
  hours      TEXT    NOT NULL, -- JSON, '': always open
  created_at INTEGER NOT NULL,
  deleted    INTEGER NOT NULL DEFAULT 0 -- closed conversations still name it
) STRICT;
CREATE UNIQUE INDEX support_queues_key ON support_queues (name_key) WHERE NOT deleted;
INSERT INTO support_queues (id, name, name_key, assignment, hours, created_at, deleted) VALUES (1, 'general', 'general', 'auto', '', 0, 0);

CREATE TABLE support_agents (
  user_id    INTEGER PRIMARY KEY,
  available  INTEGER NOT NULL,
  capacity   INTEGER NOT NULL,
  idle_since INTEGER NOT NULL -- ms: when they became available, or the last of their conversations went, whichever is later
) STRICT;

-- Which departments an agent takes from; no row: from all.
CREATE TABLE support_agent_queues (
  user_id  INTEGER NOT NULL,
  queue_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, queue_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
  id          INTEGER PRIMARY KEY, -- its room's
  notes_room  INTEGER NOT NULL,    -- 0: no notes yet
  visitor_id  INTEGER NOT NULL,
  queue_id    INTEGER NOT NULL,
  opened_queue INTEGER NOT NULL, -- the department that it was opened in: figures are that one's
  subject     TEXT    NOT NULL,
  state       TEXT    NOT NULL, -- queued, assigned, closed
  agent_id    INTEGER NOT NULL, -- 0: none; of a closed one the last
  front       INTEGER NOT NULL, -- queued before all that are not
  place       INTEGER NOT NULL, -- the order within that: an id of the log
  offline     INTEGER NOT NULL, -- opened outside the hours, and the visitor has not been back
  opened_at   INTEGER NOT NULL,
  queued_at   INTEGER NOT NULL, -- when it began to wait, the last time
  assigned_at INTEGER NOT NULL, -- to the present agent; 0: never
  first_assigned_at INTEGER NOT NULL, -- 0: never
  responded_at INTEGER NOT NULL, -- the first message of an agent; 0: none
  closed_at   INTEGER NOT NULL, -- 0: open
  reason      TEXT    NOT NULL, -- why it is closed
  closed_by   INTEGER NOT NULL  -- who closed it; 0: nobody
) STRICT;
CREATE INDEX conversations_queue ON conversations (queue_id, front DESC, place) WHERE state = 'queued';
CREATE INDEX conversations_agent ON conversations (agent_id) WHERE state = 'assigned';
CREATE INDEX conversations_visitor ON conversations (visitor_id, id);
CREATE INDEX conversations_state ON conversations (state, id);
CREATE INDEX conversations_opened ON conversations (opened_at);
CREATE INDEX conversations_left ON conversations (closed_at) WHERE reason = 'visitor_left';

-- Who had a conversation from when to when.
CREATE TABLE assignments (
  id              INTEGER PRIMARY KEY, -- the support.updated entry
  conversation_id INTEGER NOT NULL,
  agent_id        INTEGER NOT NULL,
  queue_id        INTEGER NOT NULL,
  queued_at       INTEGER NOT NULL, -- when the conversation had begun to wait, the last time
  from_at         INTEGER NOT NULL,
  to_at           INTEGER NOT NULL -- 0: still
) STRICT;
CREATE INDEX assignments_conversation ON assignments (conversation_id);
CREATE INDEX assignments_time ON assignments (to_at, from_at);

CREATE TABLE ratings (
  conversation_id INTEGER PRIMARY KEY,
  score           INTEGER NOT NULL,
  comment         TEXT    NOT NULL,
  created_at      INTEGER NOT NULL
) STRICT;

-- Canned replies.
CREATE TABLE support_replies (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  title      TEXT    NOT NULL,
  title_key  TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  queue_id   INTEGER NOT NULL, -- 0: of all departments
  by_id      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX support_replies_title ON support_replies (title_key);
