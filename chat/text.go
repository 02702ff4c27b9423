package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/models"
)

const (
	minPassword = 8   // bytes
	maxPassword = 256 // bytes
	// MaxTopic is the longest topic of a room in characters.
	MaxTopic = 1000
)

// cleanText makes a header's value storable: UTF-8 without control characters.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// checkPassword bounds a new password. What is in it is its owner's business.
func checkPassword(field, password string) error {
	if n := len(password); n < minPassword || n > maxPassword {
		return models.Invalid(field, "has %d bytes, %d to %d are allowed", n, minPassword, maxPassword)
	}
	return nil
}

// checkTopic bounds a room's topic.
func checkTopic(topic string) error {
	if n := utf8.RuneCountInString(topic); n > MaxTopic {
		return models.Invalid("topic", "has %d characters, at most %d are allowed", n, MaxTopic)
	}
	return models.CheckText("topic", topic, 4*MaxTopic)
}
