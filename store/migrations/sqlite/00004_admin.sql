-- +goose Up
-- Bans of the whole server, of accounts and of addresses; and what was done with an admin's rights.

-- The id is that of the log entry that made the ban.
CREATE TABLE bans (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL, -- 0: an address is banned
  user_name  TEXT    NOT NULL,
  network    TEXT    NOT NULL, -- empty: an account is banned
  until      INTEGER NOT NULL, -- 0: until lifted
  reason     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  by_id      INTEGER NOT NULL, -- 0: by the command line
  by_name    TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX bans_user ON bans (user_id) WHERE user_id <> 0;
CREATE UNIQUE INDEX bans_network ON bans (network) WHERE network <> '';
CREATE INDEX bans_until ON bans (until) WHERE until <> 0;

-- No foreign keys: the entries outlive those whom they name.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  actor_id   INTEGER NOT NULL, -- 0: at the command line
  actor_name TEXT    NOT NULL,
  action     TEXT    NOT NULL,
  user_id    INTEGER NOT NULL,
  user_name  TEXT    NOT NULL,
  room_id    INTEGER NOT NULL,
  room_name  TEXT    NOT NULL,
  network    TEXT    NOT NULL,
  detail     TEXT    NOT NULL, -- a JSON object of texts; empty: none
  address    TEXT    NOT NULL,
  via        TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_actor ON audit (actor_id);
CREATE INDEX audit_action ON audit (action);

-- A copy of the account's ban that every command reads with its actor; 0: none.
ALTER TABLE users ADD COLUMN banned_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_address ON sessions (address);
