-- +goose Up
-- Bans of the whole server, of accounts and of addresses; and what was done with an admin's rights.

-- The id is that of the log entry that made the ban.
CREATE TABLE bans (
  id         bigint PRIMARY KEY,
  user_id    bigint NOT NULL, -- 0: an address is banned
  user_name  text   NOT NULL,
  network    text   COLLATE "C" NOT NULL, -- empty: an account is banned
  until      bigint NOT NULL, -- 0: until lifted
  reason     text   NOT NULL,
  created_at bigint NOT NULL,
  by_id      bigint NOT NULL, -- 0: by the command line
  by_name    text   NOT NULL
);
CREATE UNIQUE INDEX bans_user ON bans (user_id) WHERE user_id <> 0;
CREATE UNIQUE INDEX bans_network ON bans (network) WHERE network <> '';
CREATE INDEX bans_until ON bans (until) WHERE until <> 0;

-- No foreign keys: the entries outlive those whom they name.
CREATE TABLE audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         bigint NOT NULL,
  actor_id   bigint NOT NULL, -- 0: at the command line
  actor_name text   NOT NULL,
  action     text   NOT NULL,
  user_id    bigint NOT NULL,
  user_name  text   NOT NULL,
  room_id    bigint NOT NULL,
  room_name  text   NOT NULL,
  network    text   NOT NULL,
  detail     text   NOT NULL, -- a JSON object of texts; empty: none
  address    text   NOT NULL,
  via        text   NOT NULL
);
CREATE INDEX audit_actor ON audit (actor_id, id);
CREATE INDEX audit_action ON audit (action, id);

-- A copy of the account's ban that every command reads with its actor; 0: none.
ALTER TABLE users ADD COLUMN banned_until bigint NOT NULL DEFAULT 0;
CREATE INDEX sessions_address ON sessions (address);
