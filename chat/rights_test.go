package chat

import (
	"testing"

	"parley/models"
)

// The role table of the API, written down once more by hand: for each action and sort of room
// what outsider, member, moderator, owner and admin get. y: may, f: forbidden, -: the
// room is not there.
var cells = []struct {
	action                         Action
	lobby, public, private, direct string
}{
	{SeeRoom, "yyyyy", "yyyyy", "-yyyy", "-yyyy"},
	{SendMessage, "fyyyy", "fyyyy", "-yyyy", "-yyyy"},
	{JoinRoom, "yyyyy", "yyyyy", "-yyyy", "-yyyy"},
	{LeaveRoom, "fffff", "yyyyy", "-yyyy", "-ffff"},
	{AddMember, "fffff", "fyyyy", "-fyyy", "-ffff"},
	{RemoveMember, "fffff", "ffyyy", "-fyyy", "-ffff"},
	{SetRole, "fffff", "fffyy", "-ffyy", "-ffff"},
	{ChangeTopic, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{RenameRoom, "fffff", "fffyy", "-ffyy", "-ffff"},
	{ChangeVisibility, "fffff", "fffyy", "-ffyy", "-ffff"},
	{DeleteRoom, "fffff", "fffyy", "-ffyy", "-ffff"},
	{React, "fyyyy", "fyyyy", "-yyyy", "-yyyy"},
	{MarkRead, "fyyyy", "fyyyy", "-yyyy", "-yyyy"},
	{EditMessage, "yyyyy", "yyyyy", "-yyyy", "-yyyy"},
	{DeleteMessage, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{SeeEdits, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{PinMessage, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{MentionRoom, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{MuteMember, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{BanMember, "fffff", "ffyyy", "-fyyy", "-ffff"},
	{SetSlowMode, "ffyyy", "ffyyy", "-fyyy", "-ffff"},
	{ArchiveRoom, "fffff", "fffyy", "-ffyy", "-ffff"},
	{ChangeHistory, "fffff", "fffyy", "-ffyy", "-ffff"},
	{Invite, "fffff", "fffff", "-fyyy", "-ffff"},
}

func TestRightsTable(t *testing.T) {
	t.Parallel()
	if len(cells) != len(rights) {
		t.Fatalf("%d actions have rights, %d are tested", len(rights), len(cells))
	}
	rooms := map[string]models.Room{
		"lobby":   {ID: models.LobbyID, Kind: models.KindChannel, Visibility: models.Public},
		"public":  {ID: 9, Kind: models.KindChannel, Visibility: models.Public},
		"private": {ID: 9, Kind: models.KindChannel, Visibility: models.Private},
		"direct":  {ID: 9, Kind: models.KindDirect, Visibility: models.Private},
	}
	for _, c := range cells {
		for sort, want := range map[string]string{
			"lobby": c.lobby, "public": c.public, "private": c.private, "direct": c.direct,
		} {
			for i, rank := range []Rank{Outsider, Member, Moderator, Owner, Admin} {
				checkCell(t, c.action, sort, rooms[sort], rank, want[i])
			}
			checkCell(t, c.action, sort, rooms[sort], Visiting, 'f')
		}
	}
}

func checkCell(t *testing.T, action Action, sort string, room models.Room, rank Rank, want byte) {
	t.Helper()
	codes := map[byte]models.Code{'f': models.CodeForbidden, '-': models.CodeNotFound}
	err := allow(action, room, rank)
	if want == 'y' {
		if err != nil {
			t.Errorf("%s, %s, rank %d: %v", action, sort, rank, err)
		}
		return
	}
	if err == nil || models.CodeOf(err) != codes[want] {
		t.Errorf("%s, %s, rank %d: got %v, want %s", action, sort, rank, err, codes[want])
	}
}

// A room that may not be seen answers word for word like one that is not there.
func TestHiddenRoomReadsLikeNone(t *testing.T) {
	t.Parallel()
	private := models.Room{ID: 9, Kind: models.KindChannel, Visibility: models.Private}
	if got, want := allow(SendMessage, private, Outsider).Error(), models.NotFound("room").Error(); got != want {
		t.Errorf("hidden room: %q, missing room: %q", got, want)
	}
}

func TestWhoMayCreateChannels(t *testing.T) {
	t.Parallel()
	may := map[models.Role]bool{
		models.RoleAdmin: true, models.RoleAgent: true, models.RoleMember: true, models.RoleBot: true,
		models.RoleGuest: false, models.RoleVisitor: false,
	}
	for role, want := range may {
		if err := mayCreate(models.User{Role: role}); (err == nil) != want {
			t.Errorf("%s: %v", role, err)
		}
	}
}
