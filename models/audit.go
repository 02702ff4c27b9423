package models

// AuditAction is what somebody did with an admin's rights.
type AuditAction string

// The actions. Those on rooms and members are there where somebody did as admin what their role in
// the room would not have let them.
const (
	AuditUserRole     AuditAction = "user.role"
	AuditUserPassword AuditAction = "user.password"
	AuditUserKick     AuditAction = "user.kick"
	AuditUserBan      AuditAction = "user.ban"
	AuditUserUnban    AuditAction = "user.unban"
	AuditAddressBan   AuditAction = "address.ban"
	AuditAddressUnban AuditAction = "address.unban"
	AuditRoomUpdate   AuditAction = "room.update"
	AuditRoomDelete   AuditAction = "room.delete"
	AuditRoomRead     AuditAction = "room.read"
	AuditMemberAdd    AuditAction = "member.add"
	AuditMemberUpdate AuditAction = "member.update"
	AuditMemberRemove AuditAction = "member.remove"
	AuditMemberMute   AuditAction = "member.mute"
	AuditMemberUnmute AuditAction = "member.unmute"
	AuditMemberBan    AuditAction = "member.ban"
	AuditMemberUnban  AuditAction = "member.unban"

	AuditMessageDelete AuditAction = "message.delete"
	AuditInviteCreate  AuditAction = "invite.create"
	AuditInviteDelete  AuditAction = "invite.delete"
	AuditAnnounce      AuditAction = "announcement.create"
	AuditMessagePin    AuditAction = "message.pin"
	AuditMessageUnpin  AuditAction = "message.unpin"

	AuditQueueCreate AuditAction = "queue.create"
	AuditQueueUpdate AuditAction = "queue.update"
	AuditQueueDelete AuditAction = "queue.delete"
	AuditAgentUpdate AuditAction = "agent.update"
)

// Ways to administer.
const (
	ViaHTTP = "http"
	ViaCLI  = "cli"
)

// AuditEntry is one act. It keeps the names of the moment, so that it can be read when those whom
// it names are gone. What an act does not concern is zero.
type AuditEntry struct {
	ID        int64 // in the order of the acts
	At        Time
	ActorID   int64 // 0: at the command line
	ActorName string
	Action    AuditAction
	UserID    int64
	UserName  string
	RoomID    int64
	RoomName  string
	Network   string
	Detail    map[string]string // such as from and to, until, reason
	Address   string            // where the request came from
	Via       string
}

// AuditPage bounds a piece of the audit log, which is read from the newest entry on.
type AuditPage struct {
	ActorID int64       // 0: anybody's
	Action  AuditAction // empty: any
	Before  int64       // an entry's id; 0: from the newest on
	Limit   int
}
