package store

// supportVersion is the version of the database that brought customer support.
const supportVersion = 7

// supportInvariants are about conversations, who has them, and who is an agent when.
var supportInvariants = []invariant{
	{supportVersion, "SELECT 'conversation ' || c.id || ' has no room' FROM conversations AS c LEFT JOIN rooms AS r ON r.id = c.id " +
		"WHERE r.id IS NULL OR r.kind <> 'support' OR r.notes_of <> 0 OR r.deleted_id IS NOT NULL"},
	{supportVersion, "SELECT 'room ' || r.id || ' is of a conversation that is not there' FROM rooms AS r LEFT JOIN conversations AS c ON c.id = r.id " +
		"WHERE r.kind = 'support' AND r.notes_of = 0 AND c.id IS NULL"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is ' || c.state || ', but its room says otherwise' FROM conversations AS c JOIN rooms AS r ON r.id = c.id " +
		"WHERE (CASE WHEN r.archived THEN 1 ELSE 0 END) <> (CASE WHEN c.state = 'closed' THEN 1 ELSE 0 END)"},
	{supportVersion, "SELECT 'conversation ' || id || ' is ' || state || ' and was closed at ' || closed_at FROM conversations " +
		"WHERE (CASE WHEN closed_at <> 0 THEN 1 ELSE 0 END) <> (CASE WHEN state = 'closed' THEN 1 ELSE 0 END)"},
	{supportVersion, "SELECT 'visitor ' || visitor_id || ' has ' || COUNT(*) || ' open conversations' FROM conversations " +
		"WHERE state <> 'closed' GROUP BY visitor_id HAVING COUNT(*) > 1"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is that of user ' || c.visitor_id || ', who is not in its room' FROM conversations AS c " +
		"LEFT JOIN users AS u ON u.id = c.visitor_id LEFT JOIN memberships AS m ON m.room_id = c.id AND m.user_id = c.visitor_id AND m.to_id IS NULL " +
		"WHERE u.id IS NULL OR u.deleted_id IS NULL AND m.user_id IS NULL"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is assigned to user ' || c.agent_id || ', who is not in its room' FROM conversations AS c " +
		"LEFT JOIN memberships AS m ON m.room_id = c.id AND m.user_id = c.agent_id AND m.to_id IS NULL WHERE c.state = 'assigned' AND m.user_id IS NULL"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is assigned to user ' || c.agent_id || ', who is no agent' FROM conversations AS c " +
		"LEFT JOIN users AS u ON u.id = c.agent_id AND u.role IN ('agent', 'admin') AND u.deleted_id IS NULL WHERE c.state = 'assigned' AND u.id IS NULL"},
	{supportVersion, "SELECT 'user ' || m.user_id || ' is in room ' || r.id || ' of support and has nothing to do there' FROM rooms AS r " +
		"JOIN memberships AS m ON m.room_id = r.id AND m.to_id IS NULL LEFT JOIN conversations AS c ON c.id = r.id " +
		"AND (m.user_id = c.visitor_id OR c.state = 'assigned' AND m.user_id = c.agent_id) WHERE r.kind = 'support' AND c.id IS NULL"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is ' || c.state || ' and has ' || COUNT(a.id) || ' assignments that last' FROM conversations AS c " +
		"LEFT JOIN assignments AS a ON a.conversation_id = c.id AND a.to_at = 0 " +
		"GROUP BY c.id, c.state HAVING COUNT(a.id) <> CASE WHEN c.state = 'assigned' THEN 1 ELSE 0 END"},
	{supportVersion, "SELECT 'assignment ' || a.id || ' of conversation ' || a.conversation_id || ' is to user ' || a.agent_id || ', the conversation to ' || c.agent_id " +
		"FROM assignments AS a JOIN conversations AS c ON c.id = a.conversation_id WHERE a.to_at = 0 AND c.state = 'assigned' AND a.agent_id <> c.agent_id"},
	{supportVersion, "SELECT 'assignment ' || a.id || ' is of conversation ' || a.conversation_id || ', which is not there' FROM assignments AS a " +
		"LEFT JOIN conversations AS c ON c.id = a.conversation_id WHERE c.id IS NULL"},
	{supportVersion, "SELECT 'there is a rating of conversation ' || r.conversation_id || ', which is not there' FROM ratings AS r " +
		"LEFT JOIN conversations AS c ON c.id = r.conversation_id WHERE c.id IS NULL"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' has its notes in room ' || c.notes_room || ', which is not for them' FROM conversations AS c " +
		"LEFT JOIN rooms AS r ON r.id = c.notes_room AND r.kind = 'support' AND r.notes_of = c.id WHERE c.notes_room <> 0 AND r.id IS NULL"},
	{supportVersion, "SELECT 'room ' || r.id || ' is for the notes of conversation ' || r.notes_of || ', which has them elsewhere' FROM rooms AS r " +
		"LEFT JOIN conversations AS c ON c.id = r.notes_of AND c.notes_room = r.id WHERE r.notes_of <> 0 AND c.id IS NULL"},
	{supportVersion, "SELECT 'there is no department for what is for none of the others' WHERE NOT EXISTS (SELECT 1 FROM support_queues WHERE id = 1)"},
	{supportVersion, "SELECT 'conversation ' || c.id || ' is for department ' || c.queue_id || ', which is not there' FROM conversations AS c " +
		"LEFT JOIN support_queues AS q ON q.id = c.queue_id WHERE q.id IS NULL"},
	{supportVersion, "SELECT 'agent ' || a.user_id || ' takes from department ' || a.queue_id || ', which is not there' FROM support_agent_queues AS a " +
		"LEFT JOIN support_queues AS q ON q.id = a.queue_id WHERE q.id IS NULL"},
	{supportVersion, "SELECT 'reply ' || r.id || ' is of department ' || r.queue_id || ', which is not there' FROM support_replies AS r " +
		"LEFT JOIN support_queues AS q ON q.id = r.queue_id WHERE r.queue_id <> 0 AND q.id IS NULL"},
	{supportVersion, "SELECT 'there are details of visitor ' || v.user_id || ', who is not there' FROM visitors AS v " +
		"LEFT JOIN users AS u ON u.id = v.user_id AND u.deleted_id IS NULL WHERE u.id IS NULL"},
	{supportVersion, "SELECT 'there is an agent ' || a.user_id || ', who is not there' FROM support_agents AS a " +
		"LEFT JOIN users AS u ON u.id = a.user_id AND u.deleted_id IS NULL WHERE u.id IS NULL"},
	{supportVersion, "SELECT 'user ' || u.id || ' is ' || u.role || ' and has ' || COUNT(s.user_id) || ' spells as agent that last' FROM users AS u " +
		"LEFT JOIN agent_spells AS s ON s.user_id = u.id AND s.to_id IS NULL GROUP BY u.id, u.role, u.deleted_id " +
		"HAVING COUNT(s.user_id) <> CASE WHEN u.role IN ('agent', 'admin') AND u.deleted_id IS NULL THEN 1 ELSE 0 END"},
	{supportVersion, "SELECT 'user ' || s.user_id || ' has a spell as agent from ' || s.from_id || ' that cannot be' FROM " +
		"(SELECT user_id, from_id, to_id, LEAD(from_id) OVER (PARTITION BY user_id ORDER BY from_id) AS next FROM agent_spells) AS s " +
		"CROSS JOIN log_head LEFT JOIN users AS u ON u.id = s.user_id WHERE u.id IS NULL OR s.from_id < s.user_id OR s.from_id > head " +
		"OR s.to_id > head OR s.to_id <= s.from_id OR s.next <= s.to_id OR s.next IS NOT NULL AND s.to_id IS NULL"},
	{supportVersion, "SELECT 'user ' || s.user_id || ' has a spell as agent from ' || s.from_id || ', which does not say so' FROM agent_spells AS s " +
		"JOIN log AS l ON l.id = s.from_id WHERE l.type <> 'user.updated' AND (l.type <> 'user.registered' OR l.id <> s.user_id)"},
	{supportVersion, "SELECT 'user ' || s.user_id || ' has a spell as agent up to ' || s.to_id || ', which does not say so' FROM agent_spells AS s " +
		"JOIN log AS l ON l.id = s.to_id WHERE l.type NOT IN ('user.updated', 'user.deleted')"},
}
