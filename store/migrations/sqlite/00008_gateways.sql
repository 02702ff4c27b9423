-- +goose Up

-- What the clients of the older protocols call people by. Somebody without a row has 10^9 + user id there.
CREATE TABLE legacy_ids (
  protocol  TEXT    NOT NULL,
  legacy_id INTEGER NOT NULL,
  user_id   INTEGER NOT NULL,
  PRIMARY KEY (protocol, legacy_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX legacy_ids_user ON legacy_ids (user_id, protocol);
