// Package session keeps who one is on each server, so that `parley chat`, `send` and `tail` need a login once.
//
// The sessions lie in the user's config directory ($XDG_CONFIG_HOME/parley/sessions, ~/.config/parley/sessions): a file
// for each server, of mode 0600 in a directory of mode 0700, since a token is as good as a password. Each file is
// replaced as a whole, so that processes that run at the same time neither see half of one nor lose each other's. A token
// is never printed: Saved shows itself without.
//
//	store, err := session.Default()
//	saved, err := store.Load("http://127.0.0.1:8080") // ErrNone: log in first
//	err = store.Save(session.Saved{Server: server, Token: login.Token, Name: login.User.Name, UserID: login.User.ID})
//	err = store.Forget(server) // after a logout
//	server, err := store.Last() // the server of the last Save or Use, "" before the first
//
// A URL is brought into one form by Server, which all methods do by themselves: `HTTP://Example.org:80/` is
// `http://example.org`.
package session
