// Package access gives the commands of a client their account: by a token, a login, or the session that is kept.
package access
