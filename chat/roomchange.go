package chat

import (
	"strconv"

	"parley/models"
)

// maxSlowMode is the longest time between two messages of one member, in seconds.
const maxSlowMode = 6 * 60 * 60

// RoomChange is what may be changed of a room; nil leaves it as it is.
type RoomChange struct {
	Name       *string
	Topic      *string
	Visibility *models.Visibility
	Archived   *bool
	SlowMode   *int // seconds
	History    *models.HistoryMode
}

// check looks at what needs no room, and gives the name in its form and the name's key.
func (c *RoomChange) check() (key string, err error) {
	if c.Name != nil {
		name, k, err := models.ChannelName(*c.Name)
		if err != nil {
			return "", err
		}
		c.Name, key = &name, k
	}
	if c.Topic != nil {
		if err := checkTopic(*c.Topic); err != nil {
			return "", err
		}
	}
	if c.SlowMode != nil {
		return key, checkSlowMode(*c.SlowMode)
	}
	return key, nil
}

func checkSlowMode(seconds int) error {
	if seconds < 0 || seconds > maxSlowMode {
		return models.Invalid("slow_mode", "must be from 0 to %d seconds", maxSlowMode)
	}
	return nil
}

// changed gives what is new of a room, by its field.
func changed(before, after models.Room) map[string]string {
	d := map[string]string{}
	for field, values := range map[string][2]string{
		"name": {before.Name, after.Name}, "topic": {before.Topic, after.Topic},
		"visibility": {string(before.Visibility), string(after.Visibility)},
		"archived":   {strconv.FormatBool(before.Archived), strconv.FormatBool(after.Archived)},
		"slow_mode":  {strconv.Itoa(before.SlowMode), strconv.Itoa(after.SlowMode)},
		"history":    {string(before.History), string(after.History)},
	} {
		if values[0] != values[1] {
			d[field] = values[1]
		}
	}
	return d
}

// recordUpdate writes a change of a room down where any part of it took an admin's right.
func recordUpdate(tx Tx, a Actor, before target, after models.Room) error {
	fields := changed(before.room, after)
	for field, action := range map[string]Action{
		"name": RenameRoom, "topic": ChangeTopic, "visibility": ChangeVisibility,
		"archived": ArchiveRoom, "slow_mode": SetSlowMode, "history": ChangeHistory,
	} {
		if _, ok := fields[field]; ok && before.byAdminRight(action) {
			return recordInRoom(tx, a, before, models.AuditRoomUpdate, models.User{}, fields)
		}
	}
	return nil
}

// apply checks and makes each change on t.room. One that opens an archived room again comes before all others, one
// that archives it after them: an archived room changes in nothing else.
func apply(tx Tx, t *target, c RoomChange, key string) error {
	archive := c.Archived != nil && *c.Archived
	if c.Archived != nil {
		if err := allow(ArchiveRoom, t.room, t.rank); err != nil {
			return err
		}
		t.room.Archived = t.room.Archived && archive
	}
	if err := applyName(tx, t, c.Name, key); err != nil {
		return err
	}
	if c.Topic != nil {
		if err := mayTakePart(tx, *t, ChangeTopic); err != nil {
			return err
		}
		t.room.Topic = *c.Topic
	}
	if c.SlowMode != nil {
		if err := mayChange(*t, SetSlowMode); err != nil {
			return err
		}
		t.room.SlowMode = *c.SlowMode
	}
	if err := applyAccess(t, c); err != nil {
		return err
	}
	t.room.Archived = t.room.Archived || archive
	return nil
}

// mayChange refuses to change a room that is archived, or where the role does not let the actor.
func mayChange(t target, action Action) error {
	if err := allow(action, t.room, t.rank); err != nil {
		return err
	}
	return notArchived(t.room)
}

func applyName(tx Tx, t *target, name *string, key string) error {
	if name == nil {
		return nil
	}
	if err := mayChange(*t, RenameRoom); err != nil {
		return err
	}
	if err := channelFree(tx, key, t.room.ID); err != nil {
		return err
	}
	t.room.Name, t.room.Key = *name, key
	return nil
}

// applyAccess changes who may read what: both together, since not every history goes with every visibility.
func applyAccess(t *target, c RoomChange) error {
	room := t.room
	if c.Visibility != nil {
		if err := mayChange(*t, ChangeVisibility); err != nil {
			return err
		}
		room.Visibility = *c.Visibility
	}
	if c.History != nil {
		if err := mayChange(*t, ChangeHistory); err != nil {
			return err
		}
		room.History = *c.History
	}
	t.room = room
	switch {
	case openHistory(room):
		return nil
	case c.History != nil:
		return errHistory()
	default:
		return models.Refuse(models.CodeConflict,
			"members read the history since they joined: set history to all to make the room public")
	}
}

// openHistory says whether the room's history is one that its visibility allows: who may read a public channel
// without joining may read all of it.
func openHistory(room models.Room) bool {
	return room.Visibility != models.Public || room.History != models.HistorySinceJoin
}

func errHistory() error {
	return models.Invalid("history", "since_join is for private channels: everybody may read a public one")
}
