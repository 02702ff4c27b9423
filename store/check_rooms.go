package store

// roomsVersion is the version of the database that brought places, threads and all that hangs on messages.
const roomsVersion = 6

// roomInvariants are about messages and what hangs on them. Each goes through its tables once, however large they are.
var roomInvariants = []invariant{
	{roomsVersion, "SELECT 'message ' || id || ' is number ' || ord || ' of room ' || room_id || ' and should be ' || n FROM " +
		"(SELECT id, room_id, ord, row_number() OVER (PARTITION BY room_id ORDER BY id) AS n FROM messages) AS p WHERE ord <> n"},
	{roomsVersion, "SELECT 'message ' || id || ' is number ' || own || ' of user ' || sender_id || ' in room ' || room_id || ' and should be ' || n FROM " +
		"(SELECT id, room_id, sender_id, own, row_number() OVER (PARTITION BY room_id, sender_id ORDER BY id) AS n FROM messages) AS p WHERE own <> n"},
	{roomsVersion, "SELECT 'the tombstone of message ' || t.message_id || ' is not of its room and sender' FROM tombstones AS t " +
		"LEFT JOIN messages AS m ON m.id = t.message_id WHERE m.id IS NULL OR m.room_id <> t.room_id OR m.sender_id <> t.sender_id"},
	{roomsVersion, "SELECT 'message ' || m.id || ' answers ' || m.reply_to || ' in thread ' || m.thread_id || ', which cannot be' FROM messages AS m " +
		"LEFT JOIN messages AS a ON a.id = m.reply_to WHERE (m.reply_to <> 0 OR m.thread_id <> 0) AND (a.id IS NULL OR a.id >= m.id " +
		"OR a.room_id <> m.room_id OR m.thread_id <> CASE WHEN a.thread_id = 0 THEN a.id ELSE a.thread_id END)"},
	{roomsVersion, "WITH live AS (" + liveThreads + ") SELECT 'the thread of message ' || t.message_id || ' counts ' || t.replies || " +
		"' answers up to ' || t.last_id || ', there are ' || COALESCE(l.n, 0) || ' up to ' || COALESCE(l.last_id, 0) FROM threads AS t " +
		"LEFT JOIN live AS l ON l.thread_id = t.message_id WHERE t.replies <> COALESCE(l.n, 0) OR t.last_id <> COALESCE(l.last_id, 0)"},
	{roomsVersion, "WITH live AS (" + liveThreads + ") SELECT 'message ' || l.thread_id || ' was answered and has no thread' FROM live AS l " +
		"LEFT JOIN threads AS t ON t.message_id = l.thread_id WHERE t.message_id IS NULL"},
	{roomsVersion, "SELECT 'edit ' || e.id || ' is of message ' || e.message_id || ', which is not there' FROM edits AS e " +
		"LEFT JOIN messages AS m ON m.id = e.message_id WHERE m.id IS NULL OR m.id >= e.id"},
	{roomsVersion, "SELECT 'edit ' || e.id || ' has no entry in the log' FROM edits AS e LEFT JOIN log AS l ON l.id = e.id " +
		"WHERE e.id >= (SELECT oldest FROM log_head) AND (l.id IS NULL OR l.type <> 'message.updated')"},
	{roomsVersion, "SELECT 'reaction ' || r.id || ' has no entry in the log' FROM reactions AS r LEFT JOIN log AS l ON l.id = r.id " +
		"WHERE r.id >= (SELECT oldest FROM log_head) AND (l.id IS NULL OR l.type <> 'reaction.added')"},
	{roomsVersion, "SELECT DISTINCT 'there are reactions to message ' || r.message_id || ', which is not there' FROM reactions AS r " + onLive("r") + "WHERE " + notLive},
	{roomsVersion, "SELECT 'message ' || p.message_id || ' is pinned in room ' || p.room_id || ' and is not there' FROM pins AS p " +
		onLive("p") + "WHERE " + notLive + " OR m.room_id <> p.room_id"},
	{roomsVersion, "SELECT 'user ' || n.user_id || ' is mentioned in room ' || n.room_id || ' by message ' || n.message_id || ', which is not there' FROM mentions AS n " +
		onLive("n") + "WHERE " + notLive + " OR m.room_id <> n.room_id"},
	{roomsVersion, "SELECT 'user ' || user_id || ' has read room ' || room_id || ' up to ' || read_id || ', which does not lie in the log' " +
		"FROM reads, log_head WHERE read_id > head"},
	{roomsVersion, "SELECT 'room ' || r.id || ' counts ' || r.mutes || ' mutes, there are ' || COALESCE(c.n, 0) FROM rooms AS r LEFT JOIN " +
		"(SELECT room_id, COUNT(*) AS n FROM restrictions WHERE kind = 'mute' GROUP BY room_id) AS c ON c.room_id = r.id " +
		"WHERE r.deleted_id IS NULL AND r.mutes <> COALESCE(c.n, 0)"},
	{roomsVersion, "SELECT 'user ' || s.user_id || ' has a ' || s.kind || ' in room ' || s.room_id || ', which is not there' FROM restrictions AS s " +
		"LEFT JOIN rooms AS r ON r.id = s.room_id WHERE r.id IS NULL"},
	{roomsVersion, "SELECT 'invitation ' || i.id || ' is to room ' || i.room_id || ', which is not there' FROM invites AS i " +
		"LEFT JOIN rooms AS r ON r.id = i.room_id WHERE r.id IS NULL"},
}

// liveThreads counts the answers of each thread that are not deleted.
const liveThreads = "SELECT m.thread_id, COUNT(*) AS n, MAX(m.id) AS last_id FROM messages AS m " +
	"LEFT JOIN tombstones AS d ON d.message_id = m.id WHERE m.thread_id <> 0 AND d.message_id IS NULL GROUP BY m.thread_id"

// onLive joins a table that hangs on messages with these; notLive finds what hangs on none, or on a deleted one.
func onLive(table string) string {
	return "LEFT JOIN messages AS m ON m.id = " + table + ".message_id LEFT JOIN tombstones AS d ON d.message_id = " + table + ".message_id "
}

const notLive = "(m.id IS NULL OR d.message_id IS NOT NULL)"
