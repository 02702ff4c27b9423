package store

import (
	"strings"
	"unicode/utf8"

	"parley/models"
)

const userColumns = "id, name, name_key, display_name, role, status_text, created_at, last_seen_at, banned_until"

type userRow struct {
	ID          int64
	Name        string
	NameKey     string
	DisplayName string
	Role        string
	StatusText  string
	CreatedAt   int64
	LastSeenAt  int64
	BannedUntil int64
}

func (u userRow) model() models.User {
	return models.User{
		ID: u.ID, Name: u.Name, Key: u.NameKey, DisplayName: u.DisplayName, Role: models.Role(u.Role),
		StatusText: u.StatusText, CreatedAt: moment(u.CreatedAt), LastSeenAt: moment(u.LastSeenAt),
		BannedUntil: moment(u.BannedUntil),
	}
}

// modelsOf turns rows into models.
func modelsOf[M any, R interface{ model() M }](rows []R, err error) ([]M, error) {
	if err != nil {
		return nil, err
	}
	out := make([]M, len(rows))
	for i, r := range rows {
		out[i] = r.model()
	}
	return out, nil
}

// User implements chat.UserReader.
func (r *reader) User(id int64) (models.User, error) {
	row, err := one[userRow](r, "read user", "SELECT "+userColumns+" FROM users WHERE id = ? AND deleted_id IS NULL", id)
	return row.model(), err
}

// Users implements chat.UserReader.
func (r *reader) Users(ids []int64) ([]models.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return modelsOf[models.User](many[userRow](r, "read users",
		"SELECT "+userColumns+" FROM users WHERE deleted_id IS NULL AND "+r.oneOf("id"), r.idList(ids)))
}

// UserByKey implements chat.UserReader.
func (r *reader) UserByKey(key string) (models.User, error) {
	row, err := one[userRow](r, "read user by name", "SELECT "+userColumns+" FROM users WHERE name_key = ? AND deleted_id IS NULL", storable(key))
	return row.model(), err
}

// UsersByKeys implements chat.UserReader.
func (r *reader) UsersByKeys(keys []string) (map[string]int64, error) {
	rows, err := many[userRow](r, "read users by names",
		"SELECT id, name_key FROM users WHERE deleted_id IS NULL AND "+r.oneOfTexts("name_key"), r.textList(keys))
	found := make(map[string]int64, len(rows))
	for _, u := range rows {
		found[u.NameKey] = u.ID
	}
	return found, err
}

// UsersByPrefix implements chat.UserReader. It is a range of the index, so that no character of prefix
// has a meaning.
func (r *reader) UsersByPrefix(prefix, after string, limit int) ([]models.User, error) {
	if storable(prefix) != prefix {
		return nil, nil // no key begins with it
	}
	query := "SELECT " + userColumns + " FROM users WHERE role <> 'visitor' AND deleted_id IS NULL AND name_key >= ? AND name_key > ?"
	args := []any{prefix, storable(after)}
	if end := successor(prefix); end != "" {
		query += " AND name_key < ?"
		args = append(args, end)
	}
	return modelsOf[models.User](many[userRow](r, "search users",
		query+" ORDER BY name_key LIMIT ?", append(args, max(limit, 0))...))
}

// storable gives s, or the replacement character, which no key holds, where PostgreSQL would refuse
// s: it takes neither NUL nor what is not UTF-8.
func storable(s string) string {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return string(utf8.RuneError)
	}
	return s
}

// successor is the least text greater than every text with the prefix, "" where there is none. UTF-8
// sorts by code point; the databases take no other bytes.
func successor(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune:
			continue // nothing comes after it: the one before must grow
		case 0xD7FF:
			return prefix + string(rune(0xE000)) // between them are no characters
		default:
			return prefix + string(last+1)
		}
	}
	return ""
}

// PasswordHash implements chat.UserReader.
func (r *reader) PasswordHash(userID int64) (string, error) {
	return one[string](r, "read password", "SELECT password FROM users WHERE id = ?", userID)
}

// HasAccounts implements chat.UserReader.
func (r *reader) HasAccounts() (bool, error) {
	found, err := many[int64](r, "look for accounts", "SELECT id FROM users WHERE password <> '' LIMIT 1")
	return len(found) > 0, err
}

// OtherAdmin implements chat.UserReader.
func (r *reader) OtherAdmin(userID int64) (bool, error) {
	found, err := many[int64](r, "look for another admin",
		"SELECT id FROM users WHERE role = 'admin' AND deleted_id IS NULL AND id <> ? LIMIT 1", userID)
	return len(found) > 0, err
}

// OtherAccount implements chat.UserReader.
func (r *reader) OtherAccount(userID int64) (bool, error) {
	found, err := many[int64](r, "look for another account",
		"SELECT id FROM users WHERE password <> '' AND id <> ? LIMIT 1", userID)
	return len(found) > 0, err
}
