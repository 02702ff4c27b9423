package chat

import "github.com/charmbracelet/x/ansi"

// The looks. Colours are the terminal's own sixteen, which its owner chose to be readable; Bubble Tea leaves them out where
// NO_COLOR is set. Nothing is said by colour alone.
var (
	faint     = ansi.NewStyle().Faint()
	bold      = ansi.NewStyle().Bold()
	chosen    = ansi.NewStyle().Reverse(true)
	wrong     = ansi.NewStyle().ForegroundColor(ansi.Red)
	warning   = ansi.NewStyle().ForegroundColor(ansi.Yellow)
	well      = ansi.NewStyle().ForegroundColor(ansi.Green)
	calling   = ansi.NewStyle().Bold().ForegroundColor(ansi.Yellow) // a mention of oneself
	freshness = ansi.NewStyle().ForegroundColor(ansi.Red)           // the line above what is new
)

// people's names have colours of their own, by id.
var nameColours = []ansi.BasicColor{ansi.Cyan, ansi.Green, ansi.Magenta, ansi.Blue, ansi.BrightCyan, ansi.BrightGreen, ansi.BrightMagenta, ansi.BrightBlue}

// paint puts a look on a text. Lines are painted when they have their width.
func paint(look ansi.Style, text string) string {
	if text == "" {
		return ""
	}
	return look.Styled(text)
}

func nameLook(id, me int64) ansi.Style {
	if id == me {
		return bold
	}
	return ansi.NewStyle().ForegroundColor(nameColours[uint64(id)%uint64(len(nameColours))])
}
