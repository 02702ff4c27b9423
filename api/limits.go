package api

import (
	"fmt"
	"time"
)

// subject is what a limit counts by.
type subject string

const (
	byAccount subject = "account"
	byAddress subject = "address"
	byName    subject = "name" // that a login tries; see guesses
)

// limit is how often something may be done: burst times at once, and once more each time that
// every has passed.
type limit struct {
	operations []string // they share the count
	by         subject
	burst      int
	every      time.Duration
}

// limits are all limits of the API, in the order in which they are asked; the spec's description says the same
// to people. An account's stands before an address's: what is refused to one pupil must not be taken
// from the whole class behind their router. A class of sixty can come in at once.
//
// Streams and polls are not limited by address: after a restart all who were here come back at once, and
// thousands of them may share one. Theirs are wide for another reason too: to a browser's EventSource
// a 429 is the end.
var limits = []limit{
	{[]string{"register"}, byAddress, 60, 6 * time.Second},
	{[]string{"guest"}, byAddress, 120, 2 * time.Second},
	{[]string{"login"}, byAddress, 60, 3 * time.Second},
	{[]string{"login"}, byName, 10, 10 * time.Second},
	{[]string{"changePassword", "deleteMe"}, byAccount, 10, 30 * time.Second},
	{[]string{"rename", "updateMe"}, byAccount, 20, 10 * time.Second},
	{[]string{"createTicket"}, byAccount, 60, 500 * time.Millisecond},
	{[]string{"listUsers"}, byAccount, 40, 200 * time.Millisecond},
	{[]string{"createRoom"}, byAccount, 20, 10 * time.Second},
	{[]string{"joinRoom", "leaveRoom", "putMember"}, byAccount, 60, time.Second},
	{[]string{"muteMember", "unmuteMember", "banMember", "unbanMember"}, byAccount, 60, time.Second},
	{[]string{"createInvite"}, byAccount, 20, 10 * time.Second},
	{[]string{"getInvite", "acceptInvite"}, byAccount, 30, 2 * time.Second},
	{[]string{"announce"}, byAccount, 20, 3 * time.Second},
	{[]string{"markRead"}, byAccount, 60, 100 * time.Millisecond},
	{[]string{"send"}, byAccount, 50, 200 * time.Millisecond},
	{[]string{"putReaction", "deleteReaction"}, byAccount, 60, 500 * time.Millisecond},
	{[]string{"pinMessage", "unpinMessage"}, byAccount, 30, 2 * time.Second},
	{[]string{"send"}, byAddress, 1000, 5 * time.Millisecond},
	{[]string{"startTyping"}, byAccount, 20, 500 * time.Millisecond},
	{[]string{"updateMessage", "deleteMessage"}, byAccount, 50, 200 * time.Millisecond},
	{[]string{"createVisitor"}, byAddress, 120, 2 * time.Second},
	{[]string{"openConversation", "reopenConversation", "closeConversation"}, byAccount, 20, 5 * time.Second},
	{[]string{"acceptConversation", "transferConversation", "setAvailability"}, byAccount, 60, 500 * time.Millisecond},
	{[]string{"createNote"}, byAccount, 50, 200 * time.Millisecond},
	{[]string{"rateConversation"}, byAccount, 20, 5 * time.Second},
	{[]string{"getTranscript"}, byAccount, 20, 2 * time.Second},
	{[]string{"createSupportReply", "updateSupportReply", "deleteSupportReply"}, byAccount, 60, 500 * time.Millisecond},
	{[]string{"getSupportStats"}, byAccount, 20, 2 * time.Second},
	{[]string{"streamEvents", "streamNDJSON"}, byAccount, 300, 100 * time.Millisecond},
	{[]string{"pollEvents"}, byAccount, 300, 50 * time.Millisecond},
}

// applyLimits makes the counters of all limits and hands them to their operations.
func (s *server) applyLimits(clock func() time.Time) (err error) {
	byID := map[string]*operation{}
	for _, op := range s.operations {
		byID[op.route.Operation.OperationID] = op
	}
	for _, l := range limits {
		if l.by == byName {
			s.guesses, err = newGuesses(l, clock)
		} else {
			err = l.apply(byID, clock)
		}
		if err != nil {
			return fmt.Errorf("limit %v by %s: %w", l.operations, l.by, err)
		}
	}
	return nil
}

// apply makes the counter that the limit's operations share.
func (l limit) apply(byID map[string]*operation, clock func() time.Time) error {
	counter, err := newLimiter(l, maxKeys, clock)
	if err != nil {
		return err
	}
	for _, id := range l.operations {
		op := byID[id]
		if op == nil {
			return fmt.Errorf("the spec has no operation %q", id)
		}
		op.limits = append(op.limits, counter)
	}
	return nil
}
