package eventsource

import "log/slog"

// sendAttempts is how often a dead letter is tried.
const sendAttempts = 5

// giveUpOld gives up the first n items of a piece for their age. Those that have
// left the stream are lost: what reads it could not find them either.
func (l *lane) giveUpOld(p piece, n int) bool {
	p.items = p.items[:n]
	if l.givesUpByAge() {
		return l.giveUp(p, recordAgeExpired)
	}
	l.log.Error("records lost: they are older than a stream keeps them", "records", n, "kept", retention,
		"startSequenceNumber", p.items[0].sequence, "endSequenceNumber", p.items[n-1].sequence)
	l.stats.count(func(c *Counts) { c.Expired += int64(n) })
	l.note(nil)
	l.finish(p.items)
	return true
}

// giveUp hands a piece to the on-failure destination and moves the checkpoint past
// it. It returns false if it was told to stop before.
func (l *lane) giveUp(p piece, condition string) bool {
	first, last := p.items[0], p.items[len(p.items)-1]
	log := l.log.With("condition", condition, "records", len(p.items),
		"startSequenceNumber", first.sequence, "endSequenceNumber", last.sequence)
	if l.mapping.OnFailureARN == "" {
		log.Error("records dropped: the mapping has no on-failure destination")
	} else if !l.send(l.deadLetter(p, condition), log) {
		return false
	}
	l.stats.count(func(c *Counts) { c.Dropped += int64(len(p.items)) })
	l.note(nil)
	l.finish(p.items)
	return true
}

// send tries the destination a few times. What it does not take is lost, as on AWS,
// and the log says so; a refusal by a policy is not tried again. It returns false
// if it was told to stop before.
func (l *lane) send(body []byte, log *slog.Logger) bool {
	log = log.With("destination", l.mapping.OnFailureARN)
	retry := newBackoff(deliveryLimit)
	for left := sendAttempts; ; left-- {
		err := l.opts.DeadLetters.Send(l.work, l.mapping, body)
		switch {
		case err == nil:
			log.Warn("records sent to the on-failure destination")
			l.stats.count(func(c *Counts) { c.DeadLetters++ })
			return true
		case l.work.Err() != nil:
			return false
		case left == 1 || accessDenied(err):
			log.Error("records dropped: the on-failure destination does not take them", "error", err)
			l.stats.count(func(c *Counts) { c.DeadLetterErrors++ })
			return true
		}
		if l.opts.Clock.Sleep(l.ctx, retry.next()) != nil {
			return false
		}
	}
}
