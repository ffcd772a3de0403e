package eventsource

import (
	"bytes"
	"encoding/json"
	"time"
)

// maxEvent is the most that a function takes, in bytes.
const maxEvent = 6 << 20

const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// deliver invokes the function until a batch is done: delivered, or given up piece
// by piece. The checkpoint follows. It returns false if it was told to stop before.
func (l *lane) deliver(batch []*item) bool {
	defer l.note(nil)
	pieces := []piece{{items: batch}} // the next one last
	retry := newBackoff(deliveryLimit)
	for len(pieces) > 0 {
		if l.ctx.Err() != nil {
			return false
		}
		last := len(pieces) - 1
		p := pieces[last]
		if old := l.tooOld(p.items); old > 0 {
			if !l.giveUpOld(p, old) {
				return false
			}
			pieces = replace(pieces, piece{items: p.items[old:]})
			continue
		}
		v := l.invoke(p.items)
		if v.err != nil {
			l.notInvoked(p, v.err, retry)
			continue
		}
		p.invoked++
		p.functionError = v.functionError
		if !v.failed {
			l.stats.invocation(resultOK, func(c *Counts) { c.Batches++ })
			if l.doubles(&p) {
				pieces[last] = p
				continue
			}
			l.succeed(p.items)
			retry.reset()
			pieces = pieces[:last]
			continue
		}
		l.stats.invocation(resultFunctionFailed, func(c *Counts) { c.Failures++ })
		if v.done > 0 {
			l.succeed(p.items[:v.done])
		}
		rest, anew := l.mapping.remains(p, v)
		if anew {
			retry.reset()
		}
		if rest == nil {
			if !l.giveUp(p, retryAttemptsExhausted) {
				return false
			}
			pieces = pieces[:last]
			continue
		}
		pieces = replace(pieces, rest...)
		wait := retry.next()
		l.log.Warn("batch failed", "records", len(p.items), "done", v.done, "invocations", p.invoked,
			"functionError", v.functionError, "reason", v.reason, "retryIn", wait)
		l.stats.count(func(c *Counts) { c.Retries++ })
		l.pauseBefore(pieces[len(pieces)-1], wait, v.what())
	}
	return true
}

// notInvoked waits after an invocation that did not take place, unless it was told
// to stop.
func (l *lane) notInvoked(p piece, err error, retry *backoff) {
	if l.work.Err() != nil {
		return
	}
	l.stats.invocation(resultFunctionFailed, func(c *Counts) { c.Throttled++ })
	wait := retry.next()
	l.log.Warn("function not invoked", "records", len(p.items), "retryIn", wait, "error", err)
	l.pauseBefore(p, wait, err.Error())
}

// doubles reports whether a piece that succeeded is delivered once more on demand,
// which it is asked once.
func (l *lane) doubles(p *piece) bool {
	if p.again || l.opts.DuplicateFault == nil || !l.opts.DuplicateFault(l.mapping) {
		return false
	}
	p.again = true
	l.log.Warn("batch delivered once more on demand", "records", len(p.items))
	l.stats.count(func(c *Counts) { c.Duplicates++ })
	return true
}

// succeed notes that items were delivered.
func (l *lane) succeed(items []*item) {
	l.stats.count(func(c *Counts) { c.Delivered += int64(len(items)) })
	l.note(nil)
	l.finish(items)
}

// pauseBefore waits before a piece is tried again, and lets the status say so. What
// is let pass of the local cloud's time ends it.
func (l *lane) pauseBefore(p piece, wait time.Duration, why string) {
	now := l.opts.Clock.Now()
	next := Retry{
		StartSequenceNumber: p.items[0].sequence,
		EndSequenceNumber:   p.items[len(p.items)-1].sequence,
		Records:             len(p.items),
		Attempt:             1,
		Since:               now,
		Next:                now.Add(wait),
		Error:               why,
	}
	l.mu.Lock()
	before := l.retrying
	l.mu.Unlock()
	if before != nil {
		next.Attempt, next.Since = before.Attempt+1, before.Since
	}
	l.note(&next)
	_ = l.opts.Clock.Sleep(l.ctx, wait) // the caller looks at l.ctx
}

func (l *lane) note(retry *Retry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retrying = retry
}

// tooOld is how many items at the front are above the maximum age: the mapping's,
// or the one to which the stream keeps records.
func (l *lane) tooOld(items []*item) int {
	limit := retention
	if l.givesUpByAge() {
		limit = l.mapping.MaximumRecordAge
	}
	for n, it := range items {
		if l.opts.Clock.Since(it.created) <= limit {
			return n
		}
	}
	return len(items)
}

// givesUpByAge says whether the mapping gives up a record before the stream does.
func (l *lane) givesUpByAge() bool {
	return l.mapping.MaximumRecordAge > 0 && l.mapping.MaximumRecordAge <= retention
}

// invoke runs the function once.
func (l *lane) invoke(items []*item) verdict {
	events := make([][]byte, len(items))
	for i, it := range items {
		events[i] = it.event
	}
	var payload bytes.Buffer
	payload.WriteString(eventHead)
	payload.Write(bytes.Join(events, []byte(",")))
	payload.WriteString(eventTail)
	out, functionError, err := l.opts.Invoker.Invoke(l.work, l.mapping.FunctionName, payload.Bytes())
	switch {
	case err != nil:
		return verdict{err: err}
	case functionError != "":
		return verdict{failed: true, functionError: functionError, reason: "the function failed", answer: out}
	case l.mapping.ReportBatchItemFailures:
		return judge(out, items)
	}
	return verdict{done: len(items)}
}

// longestError is how much of a function's own words the status repeats, in bytes.
const longestError = 300

// what says in a line why an invocation failed: in the function's own words, where
// it has any.
func (v verdict) what() string {
	var said struct{ ErrorType, ErrorMessage string }
	if v.functionError == "" || json.Unmarshal(v.answer, &said) != nil || said.ErrorMessage == "" {
		return v.reason
	}
	text := said.ErrorMessage
	if said.ErrorType != "" {
		text = said.ErrorType + ": " + text
	}
	return text[:min(len(text), longestError)]
}
