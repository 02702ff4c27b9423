-- +goose Up
-- What a restore leaves in the ids: nothing between the two is an entry of this log, but may have
-- been one of a future that the restore undid.
CREATE TABLE log_holes (
  after_id  bigint PRIMARY KEY, -- the last entry before the hole
  before_id bigint NOT NULL     -- the first one behind it
);

-- A row says that this is a copy whose first start must leave a hole. `parley restore` makes the
-- table where it is missing.
CREATE TABLE IF NOT EXISTS restored (
  one   integer PRIMARY KEY CHECK (one = 1),
  floor bigint  NOT NULL -- the hole reaches beyond this id
);

-- oldest is the first entry kept; head + 1: none. home is where this database was last at work: a
-- restored dump is found out by it.
ALTER TABLE log_head
  ADD COLUMN oldest bigint NOT NULL DEFAULT 1,
  ADD COLUMN home   text   NOT NULL DEFAULT '';

CREATE INDEX sessions_expiry ON sessions (expires_at);
