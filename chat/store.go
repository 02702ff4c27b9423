package chat

import (
	"context"
	"errors"
	"time"

	"parley/models"
)

// ErrNotFound is what a Store's look-ups return for a row that is not there.
var ErrNotFound = errors.New("not found")

// Store is what the rules need of storage.
type Store interface {
	// View runs read with one consistent snapshot of everything committed. read must not
	// wait for the network: an open snapshot holds up the database's clean-up.
	View(ctx context.Context, read func(r Reader) error) error
	// Do hands the command to the single writer and returns after its batch was committed and
	// published, or with the command's own error, after which nothing of it remains. A full
	// queue, a full disk and a busy database are models.CodeUnavailable. Where ctx
	// ends first, the error is ctx's and the command may or may not be done.
	Do(ctx context.Context, cmd Command) error
	// Scrub leaves of what was deleted or overwritten as little as the database can. It may take long, but
	// holds up no command for long.
	Scrub(ctx context.Context) error
}

// Command is one durable change. It may run more than once; see the package comment.
type Command func(tx Tx) error

// Reader reads from one snapshot. Look-ups of a single row return ErrNotFound.
type Reader interface {
	UserReader
	LegacyReader
	RoomReader
	MessageReader
	ReactionReader
	PinReader
	UnheardReader
	SessionReader
	BanReader
	RestrictionReader
	InviteReader
	SupportReader
	CannedReplyReader
	AttendanceReader
	SupportStatsReader
	QueueReader
	AuditReader
	DeletionReader
	ExportReader
	// Head is the newest id of the log.
	Head() (int64, error)
	// OldEntries looks at the oldest entries of the log, at most limit, and says up to which one
	// they are from before that moment, and how many that are. 0 of them: through says nothing.
	OldEntries(before models.Time, limit int) (through int64, n int, err error)
}

// UserReader reads accounts. A deleted one is not found.
type UserReader interface {
	User(id int64) (models.User, error)
	// Users gives those of ids that exist, in no order.
	Users(ids []int64) ([]models.User, error)
	UserByKey(key string) (models.User, error)
	// UsersByKeys gives the ids of those of keys that are somebody's, in one query.
	UsersByKeys(keys []string) (map[string]int64, error)
	// UsersByPrefix gives users, visitors left out, whose key begins with prefix and is greater than after, by key.
	UsersByPrefix(prefix, after string, limit int) ([]models.User, error)
	// PasswordHash gives the encoded hash, "" for an account without password.
	PasswordHash(userID int64) (string, error)
	// HasAccounts says whether any account with a password exists.
	HasAccounts() (bool, error)
	// Blocked says whether one of the two blocks the other.
	Blocked(a, b int64) (bool, error)
	// Blocks gives whom the user blocks, with user id > after, by user id.
	Blocks(userID, after int64, limit int) ([]models.Block, error)
	// OtherAccount is HasAccounts without the user, OtherAdmin says whether there is an admin besides them.
	OtherAccount(userID int64) (bool, error)
	OtherAdmin(userID int64) (bool, error)
}

// RoomReader reads rooms and memberships. A deleted room is not found. Direct rooms come
// with Members filled.
type RoomReader interface {
	Room(id int64) (models.Room, error)
	RoomByKey(key string) (models.Room, error)
	// Direct finds the conversation of two users, in any order.
	Direct(a, b int64) (models.Room, error)
	// Membership gives the present spell; for the lobby, which stores none, use the user's role.
	Membership(roomID, userID int64) (models.Membership, error)
	// JoinedRooms gives the user's rooms with id > after, by id, the lobby included unless a visitor.
	JoinedRooms(userID, after int64, limit int) ([]models.JoinedRoom, error)
	// PublicRooms gives public channels with id > after, by id, with the user's role in each.
	PublicRooms(userID, after int64, limit int) ([]models.JoinedRoom, error)
	// FillRooms adds last messages to rooms that the user may read, with their role in each, and for members counts
	// and the read mark.
	FillRooms(rooms []models.JoinedRoom, userID int64) error
	// Members gives present members with user id > after, by user id. In the lobby: all users
	// but visitors, with role member.
	Members(roomID, after int64, limit int) ([]models.Member, error)
	// MembersAmong gives those of userIDs who are present members.
	MembersAmong(roomID int64, userIDs []int64) ([]int64, error)
	// Owners counts the present owners.
	Owners(roomID int64) (int, error)
	// NewestSpell gives where the youngest present membership of the room begins, 0 where there is none.
	NewestSpell(roomID int64) (int64, error)
}

// MessageReader reads messages, without their mentions and reactions, which Fill adds.
type MessageReader interface {
	Message(id int64) (models.Message, error)
	// Fill adds mentions and reactions to messages as the viewer sees them, 0 for nobody.
	Fill(messages []models.Message, viewer int64) error
	// Edits gives earlier texts of a message with id > after, oldest first.
	Edits(messageID, after int64, limit int) ([]models.Edit, error)
	// Messages gives a page; Cursor is left 0.
	Messages(roomID int64, page models.Page) (models.History, error)
	// Replies gives the answers of the thread with id > after, tombstones too, by id.
	Replies(threadID, after int64, limit int) ([]models.Message, error)
	Nonce(userID int64, nonce string) (models.Nonce, error)
	// LastSent is when the user sent the newest of their messages in the room, deleted ones too.
	LastSent(roomID, userID int64) (models.Time, error)
}

// SessionReader reads sessions and tickets.
type SessionReader interface {
	SessionByHash(hash []byte) (models.Session, error)
	Session(id int64) (models.Session, error)
	// SessionsOf gives all sessions of a user, by id; expired ones too.
	SessionsOf(userID int64) ([]models.Session, error)
	// LiveSessions gives those of the user that end after now, with id < before (0: all), newest first.
	LiveSessions(userID, before int64, now models.Time, limit int) ([]models.Session, error)
	// SessionAddresses gives each address that a session was opened from, once, in no order.
	SessionAddresses() ([]string, error)
	// SessionsFrom gives the sessions that were opened from just this address, by id; expired ones too.
	SessionsFrom(address string) ([]models.Session, error)
	// ExpiredSessions gives sessions whose end was before that moment, the first to end first.
	ExpiredSessions(before models.Time, limit int) ([]models.Session, error)
	// SessionsAfter gives sessions with id > after, by id.
	SessionsAfter(after int64, limit int) ([]models.Session, error)
	Ticket(hash []byte) (models.Ticket, error)
}

// BanReader reads the server's bans. Those that are over may be among them, but for Bans.
type BanReader interface {
	Ban(id int64) (models.Ban, error)
	BanOfUser(userID int64) (models.Ban, error)
	BansOfUsers(userIDs []int64) ([]models.Ban, error)
	// BansOfNetworks gives the bans of just these networks, by id.
	BansOfNetworks(networks []string) ([]models.Ban, error)
	// AddressBans gives all bans of addresses, by id.
	AddressBans() ([]models.Ban, error)
	// Bans gives those in force at now with id < before, newest first.
	Bans(now models.Time, before int64, limit int) ([]models.Ban, error)
}

// RestrictionReader reads the mutes and bans of rooms. Those that are over may be among them, but for Restrictions.
type RestrictionReader interface {
	// Restriction gives one without the names.
	Restriction(roomID int64, kind models.RestrictionKind, userID int64) (models.Restriction, error)
	// Restrictions gives those in force at now with user id > after, by user id.
	Restrictions(roomID int64, kind models.RestrictionKind, now models.Time, after int64, limit int) ([]models.Restriction, error)
}

// InviteReader reads invitations. Those that are used up or expired may be among them, but for Invites.
type InviteReader interface {
	InviteByHash(hash []byte) (models.Invite, error)
	Invite(id int64) (models.Invite, error)
	// Invites gives a room's live ones with id < before, newest first.
	Invites(roomID int64, now models.Time, before int64, limit int) ([]models.Invite, error)
	// LiveInvites counts them.
	LiveInvites(roomID int64, now models.Time) (int, error)
}

// AuditReader reads the audit log.
type AuditReader interface {
	// Audit gives the entries of a page, newest first.
	Audit(page models.AuditPage) ([]models.AuditEntry, error)
}

// DeletionReader reads what has to go with an account.
type DeletionReader interface {
	// Unfinished gives the deleted accounts of which something is left to do.
	Unfinished() ([]Unfinished, error)
	// SoleOwned gives the rooms that have the user as their only owner.
	SoleOwned(userID int64) ([]int64, error)
	// Successor gives who inherits the user's room: the moderator who has been in it longest, else the member.
	Successor(roomID, userID int64) (models.Membership, error)
	// EntriesOf gives the entries of the log that carry the messages' texts: what created and what updated them.
	EntriesOf(messageIDs []int64) ([]int64, error)
	// LiveMessages gives the user's messages beyond one that are no tombstones, by room and id.
	LiveMessages(userID int64, after MessageKey, limit int) ([]MessageKey, error)
	// PeopleEntries gives entries of the log beyond (room, id) that can name people, by room and id, but for
	// message.created.
	PeopleEntries(room, id int64, limit int) ([]models.Event, error)
}

// MessageKey has the order in which a user's own messages are read: room by room, so that one index serves this and
// the look for the user's last message in a room.
type MessageKey struct{ RoomID, ID int64 }

// Unfinished is a deletion that is not finished; with Erase, the user's messages and names go too.
type Unfinished struct {
	UserID int64
	Erase  bool
}

// ExportReader reads what only an export needs.
type ExportReader interface {
	// MessagesFrom gives the user's own messages of all rooms beyond one, with id ≤ upTo, by room and id.
	MessagesFrom(userID int64, after MessageKey, upTo int64, limit int) ([]models.Message, error)
	// EditsFrom gives the earlier texts of the user's own messages up to the message upTo that are beyond
	// the text id of a message, by room, message and id.
	EditsFrom(userID int64, message MessageKey, id, upTo int64, limit int) ([]models.Edit, error)
	// Spells gives all of the user's spells up to the entry upTo beyond (room, from), by room and from, with
	// their rooms, deleted ones too.
	Spells(userID, room, from, upTo int64, limit int) ([]models.Spell, error)
	// ReadMarks gives the user's read marks in rooms with id > after, by room.
	ReadMarks(userID, after int64, limit int) ([]models.ReadMark, error)
}

// Tx is a Reader that also writes and sees its own writes. NextID is the id that the next Append
// takes; it moves only by Append.
type Tx interface {
	Reader
	LegacyWriter
	ReactionWriter
	PinWriter
	SupportWriter
	CannedReplyWriter
	RatingWriter
	QueueWriter
	Now() models.Time
	NextID() int64
	// Append writes e with NextID, Now and data encoded as its payload.
	Append(e models.Event, data any) (models.Event, error)

	// InsertUser adds the account and, unless it is a visitor, counts it into the lobby. What is sent to the agents is an
	// agent's or admin's from that entry on.
	InsertUser(u models.User, passwordHash string) error
	// UpdateUser writes name, key, display name, role and status text. Who becomes or ceases to be an agent or admin does so
	// by the newest entry: what tells of it is appended before.
	UpdateUser(u models.User) error
	SetPassword(userID int64, passwordHash string) error
	// ForgetUser removes an account without sessions of which nothing is left anywhere but its registration, and counts it
	// out of the lobby. An account that something refers to stays, and forgotten is false.
	ForgetUser(u models.User) (forgotten bool, err error)
	// InsertBlock notes that blocker blocks blocked. Where it is so already, nothing changes.
	InsertBlock(blocker, blocked int64) error
	// DeleteBlock takes that back. Where it is not so, nothing changes.
	DeleteBlock(blocker, blocked int64) error
	// SetBannedUntil writes that alone: every command reads it with its actor.
	SetBannedUntil(userID int64, until models.Time) error

	// DeleteUser makes the account at entry `at` a deleted one without name, password, profile, blocks, read marks, mutes
	// and bans in rooms, counts it out of the lobby, ends its spell as agent, forgets what it is and told in support, and notes the deletion
	// as unfinished.
	DeleteUser(u models.User, at int64, erase bool) error
	// LeaveAll ends every present spell of the user and counts it out of the room: at the member.left that was
	// appended from the entry since on, or at `at`.
	LeaveAll(userID, since, at int64) error
	// DeleteNoncesOf removes at most limit nonces of the user and says whether there may be more.
	DeleteNoncesOf(userID int64, limit int) (more bool, err error)
	FinishDeletion(userID int64) error

	InsertRoom(r models.Room) error
	// UpdateRoom writes name, key, topic, visibility, archived, slow mode and history.
	UpdateRoom(r models.Room) error
	// DeleteRoom marks the room deleted, frees its name, ends and revokes every spell at to, and drops invitations
	// and read marks.
	DeleteRoom(roomID, to int64) error
	// StartSpell adds a present membership and counts it in the room.
	StartSpell(m models.Membership) error
	// EndSpell ends the present spell at to and counts it out of the room.
	EndSpell(roomID, userID, to int64, revoked bool) error
	SetRoomRole(roomID, userID int64, role models.RoomRole) error

	// InsertMessage adds a message with its mentions; an answer is counted into its thread as the newest one.
	InsertMessage(m models.Message) error
	// SetMentions replaces whom the message mentions; user 0 is everybody in the room.
	SetMentions(m models.Message, userIDs []int64) error
	// InsertEdit notes the message.updated entry of a message, and its new text unless textStays.
	InsertEdit(m models.Message, entry int64, textStays bool) error
	// MoveRead moves the user's read mark in the room forward to the message, never back.
	MoveRead(userID, roomID, messageID int64) (moved bool, err error)
	InsertNonce(n models.Nonce) error
	// DeleteNonce removes one.
	DeleteNonce(userID int64, nonce string) error
	// DeleteNonces removes nonces made before t, at most limit, and says how many.
	DeleteNonces(t models.Time, limit int) (int, error)
	// BuryMessages makes messages tombstones of now, without earlier texts, mentions, reactions and pins; answers no
	// longer count in their threads. What the log says of them is RewriteEntries'.
	BuryMessages(ids []int64) error
	// RewriteEntries changes the JSON of entries, and appends the internal entry by which every memory of
	// them is dropped before the command is answered.
	RewriteEntries(ids []int64, rewrite func(e *models.Event) error) error

	// InsertSession gives the session its id.
	InsertSession(s models.Session) (models.Session, error)
	// TouchSession writes the session's last use and end, and its user's last_seen_at.
	TouchSession(id int64, used, expires models.Time) error
	// TouchSessions is TouchSession for all of the sessions that have not ended.
	TouchSessions(sessions []models.Session, used, expires models.Time) error
	// DeleteSession also deletes its tickets.
	DeleteSession(id int64) error
	InsertTicket(t models.Ticket) error
	// SetTicketUse writes when the ticket's newest stream opened and when its last one closed (zero: open).
	SetTicketUse(hash []byte, used, closed models.Time) error
	// DeleteTickets removes tickets that cannot be used any more: unused and made before
	// unused, or without a stream since before closed. At most limit of each; it says how many.
	DeleteTickets(unused, closed models.Time, limit int) (int, error)
	// CloseTickets gives all tickets with an open stream at as the time of its close.
	CloseTickets(at models.Time) error

	InsertBan(b models.Ban) error
	// UpdateBan writes until, reason and by whom.
	UpdateBan(b models.Ban) error
	DeleteBan(id int64) error
	// DeletePastBans removes those that are over at now.
	DeletePastBans(now models.Time) error

	// PutRestriction writes one in the place of the user's former of that kind in the room, and counts a mute there.
	PutRestriction(r models.Restriction) error
	// DeleteRestriction removes one. Where there is none, nothing changes.
	DeleteRestriction(roomID int64, kind models.RestrictionKind, userID int64) error
	// DeletePastRestrictions removes those that are over at now, at most limit, and says how many.
	DeletePastRestrictions(now models.Time, limit int) (int, error)

	// InsertInvite gives the invitation its id.
	InsertInvite(i models.Invite) (models.Invite, error)
	CountInviteUse(id int64) error
	DeleteInvite(id int64) error
	// DeleteDeadInvites removes those that are used up, and those that are over at now; at most limit of each. It
	// says how many.
	DeleteDeadInvites(now models.Time, limit int) (int, error)

	// InsertAudit adds an entry; its ID is the store's.
	InsertAudit(e models.AuditEntry) error

	// PruneLog removes the entries up to and with that id. Messages are not touched.
	PruneLog(through int64) error
}

// Clock tells the time; tests bring their own.
type Clock func() time.Time
