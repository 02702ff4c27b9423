// Package limit counts how often something is done, by account, by address and by the name that a login tries. Whatever
// somebody speaks, HTTP or an older protocol, counts the same way, so that nobody is faster by one of them.
package limit

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Subject is what a limit counts by.
type Subject string

// The subjects.
const (
	ByAccount Subject = "account"
	ByAddress Subject = "address"
	ByName    Subject = "name" // that a login tries; see Guesses
)

// Limit is how often something may be done: Burst times at once, and once more each time that
// Every has passed.
type Limit struct {
	Operations []string // of the API, which share the count
	By         Subject
	Burst      int
	Every      time.Duration
}

// All are all limits, in the order in which they are asked; the spec's description says the same
// to people. An account's stands before an address's: what is refused to one pupil must not be taken
// from the whole class behind their router. A class of sixty can come in at once.
//
// Streams and polls are not limited by address: after a restart all who were here come back at once, and
// thousands of them may share one. Theirs are wide for another reason too: to a browser's EventSource
// a 429 is the end.
var All = []Limit{
	{[]string{"register"}, ByAddress, 60, 6 * time.Second},
	{[]string{"guest"}, ByAddress, 120, 2 * time.Second},
	{[]string{"login"}, ByAddress, 60, 3 * time.Second},
	{[]string{"login"}, ByName, 10, 10 * time.Second},
	{[]string{"changePassword", "deleteMe"}, ByAccount, 10, 30 * time.Second},
	{[]string{"rename", "updateMe"}, ByAccount, 20, 10 * time.Second},
	{[]string{"createTicket"}, ByAccount, 60, 500 * time.Millisecond},
	{[]string{"listUsers"}, ByAccount, 40, 200 * time.Millisecond},
	{[]string{"createRoom"}, ByAccount, 20, 10 * time.Second},
	{[]string{"joinRoom", "leaveRoom", "putMember"}, ByAccount, 60, time.Second},
	{[]string{"muteMember", "unmuteMember", "banMember", "unbanMember"}, ByAccount, 60, time.Second},
	{[]string{"createInvite"}, ByAccount, 20, 10 * time.Second},
	{[]string{"getInvite", "acceptInvite"}, ByAccount, 30, 2 * time.Second},
	{[]string{"announce"}, ByAccount, 20, 3 * time.Second},
	{[]string{"markRead"}, ByAccount, 60, 100 * time.Millisecond},
	{[]string{"send"}, ByAccount, 50, 200 * time.Millisecond},
	{[]string{"putReaction", "deleteReaction"}, ByAccount, 60, 500 * time.Millisecond},
	{[]string{"pinMessage", "unpinMessage"}, ByAccount, 30, 2 * time.Second},
	{[]string{"send"}, ByAddress, 1000, 5 * time.Millisecond},
	{[]string{"startTyping"}, ByAccount, 20, 500 * time.Millisecond},
	{[]string{"updateMessage", "deleteMessage"}, ByAccount, 50, 200 * time.Millisecond},
	{[]string{"createVisitor"}, ByAddress, 120, 2 * time.Second},
	{[]string{"openConversation", "reopenConversation", "closeConversation"}, ByAccount, 20, 5 * time.Second},
	{[]string{"acceptConversation", "transferConversation", "setAvailability"}, ByAccount, 60, 500 * time.Millisecond},
	{[]string{"createNote"}, ByAccount, 50, 200 * time.Millisecond},
	{[]string{"rateConversation"}, ByAccount, 20, 5 * time.Second},
	{[]string{"getTranscript"}, ByAccount, 20, 2 * time.Second},
	{[]string{"createSupportReply", "updateSupportReply", "deleteSupportReply"}, ByAccount, 60, 500 * time.Millisecond},
	{[]string{"getSupportStats"}, ByAccount, 20, 2 * time.Second},
	{[]string{"streamEvents", "streamNDJSON"}, ByAccount, 300, 100 * time.Millisecond},
	{[]string{"pollEvents"}, ByAccount, 300, 50 * time.Millisecond},
}

// Who is whom something counts for. Account is 0 where there is none yet.
type Who struct {
	Account int64
	Address netip.Addr
}

// key is what the subject's counts know them by.
func (w Who) key(by Subject) string {
	if by == ByAccount {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(w.Account))
		return string(b[:])
	}
	return addressKey(w.Address)
}

// addressKey is an IPv4 address, or the /64 of an IPv6 one: that much a single customer has.
func addressKey(a netip.Addr) string {
	if !a.Is6() {
		return string(a.AsSlice())
	}
	b := a.As16()
	return string(b[:8])
}
