package eventsource

import "log/slog"

// sendAttempts is how often a dead letter is tried.
const sendAttempts = 5

// giveUp hands a piece to the on-failure destination and moves the checkpoint past
// it. It returns false if it was told to stop before.
func (rd *reader) giveUp(p piece, condition string) bool {
	first, last := p.items[0], p.items[len(p.items)-1]
	log := rd.log.With("condition", condition, "records", len(p.items),
		"startSequenceNumber", first.sequence, "endSequenceNumber", last.sequence)
	if rd.mapping.OnFailureARN == "" {
		log.Error("records dropped: the mapping has no on-failure destination")
	} else if !rd.send(rd.deadLetter(p, condition), log) {
		return false
	}
	rd.advance(Position{After: last.sequence})
	return true
}

// send tries the destination a few times. What it does not take is lost, as on AWS,
// and the log says so. It returns false if it was told to stop before.
func (rd *reader) send(body []byte, log *slog.Logger) bool {
	log = log.With("destination", rd.mapping.OnFailureARN)
	retry := newBackoff(deliveryLimit)
	for left := sendAttempts; ; left-- {
		err := rd.opts.DeadLetters.Send(rd.work, rd.mapping, body)
		switch {
		case rd.work.Err() != nil:
			return false
		case err == nil:
			log.Warn("records sent to the on-failure destination")
			return true
		case left == 1:
			log.Error("records dropped: the on-failure destination does not take them", "error", err)
			return true
		}
		if !sleep(rd.ctx, retry.next()) {
			return false
		}
	}
}
