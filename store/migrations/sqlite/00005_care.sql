-- +goose Up
-- What a restore leaves in the ids: nothing between the two is an entry of this log, but may have
-- been one of a future that the restore undid.
CREATE TABLE log_holes (
  after_id  INTEGER PRIMARY KEY, -- the last entry before the hole
  before_id INTEGER NOT NULL     -- the first one behind it
) STRICT;

-- A row says that this is a copy whose first start must leave a hole. Copies of databases that
-- did not have the table yet bring it along.
CREATE TABLE IF NOT EXISTS restored (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  floor BIGINT  NOT NULL -- the hole reaches beyond this id
);

ALTER TABLE log_head ADD COLUMN oldest INTEGER NOT NULL DEFAULT 1; -- the first entry kept; head + 1: none

CREATE INDEX sessions_expiry ON sessions (expires_at);
