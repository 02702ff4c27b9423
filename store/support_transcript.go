package store

import "parley/models"

type attendanceRow struct {
	AgentID     int64
	Name        string
	DisplayName string
	Role        string
	FromAt      int64
	ToAt        int64
}

func (a attendanceRow) model() models.Attendance {
	return models.Attendance{
		Agent: models.User{ID: a.AgentID, Name: a.Name, DisplayName: a.DisplayName, Role: models.Role(a.Role)},
		From:  moment(a.FromAt), To: moment(a.ToAt),
	}
}

// Attendances implements chat.AttendanceReader.
func (r *reader) Attendances(conversationID int64) ([]models.Attendance, error) {
	return modelsOf[models.Attendance](many[attendanceRow](r, "read who had a conversation",
		"SELECT a.agent_id, u.name, u.display_name, u.role, a.from_at, a.to_at FROM assignments a JOIN users u ON u.id = a.agent_id "+
			"WHERE a.conversation_id = ? ORDER BY a.id", conversationID))
}
