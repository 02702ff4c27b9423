package store

// LegacyUser implements chat.LegacyReader.
func (r *reader) LegacyUser(protocol string, legacyID int64) (int64, error) {
	return one[int64](r, "look up an older id", "SELECT user_id FROM legacy_ids WHERE protocol = ? AND legacy_id = ?", protocol, legacyID)
}

type legacyRow struct{ UserID, LegacyID int64 }

// LegacyIDs implements chat.LegacyReader.
func (r *reader) LegacyIDs(protocol string, userIDs []int64) (map[int64]int64, error) {
	rows, err := many[legacyRow](r, "read older ids",
		"SELECT user_id, legacy_id FROM legacy_ids WHERE protocol = ? AND "+r.oneOf("user_id"), protocol, r.idList(userIDs))
	if err != nil {
		return nil, err
	}
	ids := make(map[int64]int64, len(userIDs))
	for _, row := range rows {
		ids[row.UserID] = row.LegacyID
	}
	return ids, nil
}

// InsertLegacyID implements chat.LegacyWriter.
func (t *tx) InsertLegacyID(protocol string, legacyID, userID int64) error {
	_, err := t.write("insert an older id", "INSERT INTO legacy_ids (protocol, legacy_id, user_id) VALUES (?, ?, ?)", protocol, legacyID, userID)
	return err
}
