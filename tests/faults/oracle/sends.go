package oracle

// sends holds the messages of the log against what people sent and were told.
func (w *world) sends() {
	tried := map[string]Send{} // by text: the answered one of several
	for _, s := range w.run.Sends {
		if old, ok := tried[s.Text]; !ok || old.Outcome != Answered {
			tried[s.Text] = s
		}
		if s.Outcome == Answered {
			w.answered(s)
		}
	}
	for text, id := range w.texts {
		s, sent := tried[text]
		m := w.events[w.byID[id]].Data.Message
		switch {
		case !sent || s.By != m.Sender.ID || s.Nonce != m.Nonce || s.Room != 0 && s.Room != m.RoomID:
			w.fault(Forged, id, "message %d is %+v, sent was %+v", id, m, s)
		case s.Outcome == Refused:
			w.fault(Forged, id, "message %d was refused and is there: %+v", id, s)
		case s.Room == 0 && !w.between(m.RoomID, s.By, s.With):
			w.fault(Leak, id, "message %d is for user %d, and in room %d", id, s.With, m.RoomID)
		}
	}
	for _, s := range w.run.Sends {
		if s.Outcome == Refused && s.Room != 0 && !w.mayRefuse(s.Call, s.Room, w.present) {
			w.fault(Denied, 0, "user %d was in room %d all the time and was refused: %+v", s.By, s.Room, s)
		}
	}
}

// answered looks for a message that its sender was told of.
func (w *world) answered(s Send) {
	i, there := w.byID[s.ID]
	switch {
	case !there || w.events[i].Type != "message.created":
		w.fault(Lost, s.ID, "message %d was answered and is not in the log: %+v", s.ID, s)
	case w.events[i].Data.Message.Text != s.Text || w.events[i].Data.Message.Sender.ID != s.By:
		w.fault(Forged, s.ID, "message %d was answered to %+v, the log has %s", s.ID, s, w.run.Log[i].JSON)
	}
}

// between says whether the room is the direct conversation of the two.
func (w *world) between(room, a, b int64) bool {
	r := w.rooms[room]
	return r != nil && r.kind == "direct" && len(r.shown) == 2 && r.shown[a] && r.shown[b]
}

// mayRefuse says whether there was a moment during the call at which the caller had no right.
func (w *world) mayRefuse(c Call, room int64, right func(room, user, id int64) bool) bool {
	low, high := w.times.low(c.Start), w.times.high(c.End, w.head())
	if !right(room, c.By, low) {
		return true
	}
	for _, id := range w.members[[2]int64{room, c.By}] {
		if id > low && id <= high && !right(room, c.By, id) {
			return true
		}
	}
	return false
}

// nonces demands that each stands for one message for ever: from the first answer on for that one, and never for two.
func (w *world) nonces() {
	type key struct {
		by    int64
		nonce string
	}
	inLog := map[key]int64{}
	for _, e := range w.events {
		m := e.Data.Message
		if e.Type != "message.created" || m.Nonce == "" {
			continue
		}
		k := key{m.Sender.ID, m.Nonce}
		if inLog[k] != 0 {
			w.fault(Nonce, e.ID, "messages %d and %d have the nonce %q of user %d", inLog[k], e.ID, m.Nonce, k.by)
		}
		inLog[k] = e.ID
	}
	first := map[key]Send{} // the earliest answer of each
	for _, s := range w.run.Sends {
		k := key{s.By, s.Nonce}
		if old, ok := first[k]; s.Outcome == Answered && (!ok || s.End < old.End) {
			first[k] = s
		}
	}
	for _, s := range w.run.Sends {
		f, answered := first[key{s.By, s.Nonce}]
		switch {
		case !answered || s.Nonce == "":
		case s.Outcome == Answered && s.ID != f.ID:
			w.fault(Nonce, s.ID, "the nonce %q of user %d stood for message %d, then for %d", s.Nonce, s.By, f.ID, s.ID)
		case s.Start > f.End && !(s.Outcome == Answered && s.Again):
			w.fault(Nonce, f.ID, "the nonce %q of user %d stood for message %d, and then was answered %+v", s.Nonce, s.By, f.ID, s)
		}
	}
}
