package store

import (
	"parley/models"
)

// banQuery gives bans with the present names of the banned, where they still have one.
const banQuery = "SELECT b.id, b.user_id, COALESCE(u.name, b.user_name) AS user_name, b.network, b.until, b.reason, " +
	"b.created_at, b.by_id, b.by_name FROM bans b LEFT JOIN users u ON u.id = b.user_id WHERE "

type banRow struct {
	ID        int64
	UserID    int64
	UserName  string
	Network   string
	Until     int64
	Reason    string
	CreatedAt int64
	ByID      int64
	ByName    string
}

func (b banRow) model() models.Ban {
	return models.Ban{
		ID: b.ID, UserID: b.UserID, UserName: b.UserName, Network: b.Network, Until: moment(b.Until), Reason: b.Reason,
		CreatedAt: moment(b.CreatedAt), ByID: b.ByID, ByName: b.ByName,
	}
}

// Ban implements chat.BanReader.
func (r *reader) Ban(id int64) (models.Ban, error) {
	row, err := one[banRow](r, "read ban", banQuery+"b.id = ?", id)
	return row.model(), err
}

// BanOfUser implements chat.BanReader.
func (r *reader) BanOfUser(userID int64) (models.Ban, error) {
	row, err := one[banRow](r, "read the user's ban", banQuery+"b.user_id = ? AND b.user_id <> 0", userID)
	return row.model(), err
}

// BansOfUsers implements chat.BanReader.
func (r *reader) BansOfUsers(userIDs []int64) ([]models.Ban, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	return modelsOf[models.Ban](many[banRow](r, "read the users' bans",
		banQuery+"b.user_id <> 0 AND "+r.oneOf("b.user_id"), r.idList(userIDs)))
}

// BansOfNetworks implements chat.BanReader.
func (r *reader) BansOfNetworks(networks []string) ([]models.Ban, error) {
	if len(networks) == 0 {
		return nil, nil
	}
	return modelsOf[models.Ban](many[banRow](r, "look for bans of an address",
		banQuery+"b.network <> '' AND b.network IN ? ORDER BY b.id", networks))
}

// AddressBans implements chat.BanReader.
func (r *reader) AddressBans() ([]models.Ban, error) {
	return modelsOf[models.Ban](many[banRow](r, "read the banned addresses", banQuery+"b.network <> '' ORDER BY b.id"))
}

// Bans implements chat.BanReader.
func (r *reader) Bans(now models.Time, before int64, limit int) ([]models.Ban, error) {
	return modelsOf[models.Ban](many[banRow](r, "list bans",
		banQuery+"b.id < ? AND (b.until = 0 OR b.until > ?) ORDER BY b.id DESC LIMIT ?",
		before, millis(now), max(limit, 0)))
}

// InsertBan implements chat.Tx.
func (t *tx) InsertBan(b models.Ban) error {
	_, err := t.write("insert ban",
		"INSERT INTO bans (id, user_id, user_name, network, until, reason, created_at, by_id, by_name) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		b.ID, b.UserID, b.UserName, b.Network, millis(b.Until), b.Reason, millis(b.CreatedAt), b.ByID, b.ByName)
	return err
}

// UpdateBan implements chat.Tx.
func (t *tx) UpdateBan(b models.Ban) error {
	return t.update("update ban", "UPDATE bans SET until = ?, reason = ?, by_id = ?, by_name = ? WHERE id = ?",
		millis(b.Until), b.Reason, b.ByID, b.ByName, b.ID)
}

// DeleteBan implements chat.Tx.
func (t *tx) DeleteBan(id int64) error {
	return t.update("delete ban", "DELETE FROM bans WHERE id = ?", id)
}

// DeletePastBans implements chat.Tx.
func (t *tx) DeletePastBans(now models.Time) error {
	_, err := t.write("delete bans that are over", "DELETE FROM bans WHERE until <> 0 AND until <= ?", millis(now))
	return err
}
