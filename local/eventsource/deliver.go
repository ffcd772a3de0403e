package eventsource

import "bytes"

// maxEvent is the most that a function takes, in bytes.
const maxEvent = 6 << 20

const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// A piece is a batch, or what is left of one that was split.
type piece struct {
	items   []item
	retries int // used up
	invoked int // times that the function ran for it, since the checkpoint moved
	// functionError is how the last of those ended; empty if the function did
	// not fail but reported failed records.
	functionError string
}

// deliver invokes the function until a batch is done: delivered, or given up piece
// by piece. The checkpoint follows. It returns false if it was told to stop before.
func (rd *reader) deliver(batch []item) bool {
	pieces := []piece{{items: batch}} // the next one last
	retry := newBackoff(deliveryLimit)
	for len(pieces) > 0 {
		if rd.ctx.Err() != nil {
			return false
		}
		last := len(pieces) - 1
		p := pieces[last]
		if old := rd.tooOld(p.items); old > 0 {
			if !rd.giveUp(piece{items: p.items[:old], invoked: p.invoked, functionError: p.functionError}, recordAgeExpired) {
				return false
			}
			pieces = replace(pieces, piece{items: p.items[old:]})
			continue
		}
		v := rd.invoke(p.items)
		if v.err != nil {
			wait := retry.next()
			rd.log.Warn("function not invoked", "records", len(p.items), "retryIn", wait, "err", v.err)
			sleep(rd.ctx, wait)
			continue
		}
		p.invoked++
		p.functionError = v.functionError
		if v.done > 0 {
			rd.advance(Position{After: p.items[v.done-1].sequence})
			retry.reset()
		}
		if !v.failed {
			pieces = pieces[:last]
			continue
		}
		wait := retry.next()
		rd.log.Warn("batch failed", "records", len(p.items), "done", v.done, "invocations", p.invoked,
			"functionError", v.functionError, "reason", v.reason)
		switch {
		case v.done > 0:
			// The checkpoint has moved, and with it everything begins anew.
			pieces = replace(pieces, piece{items: p.items[v.done:]})
		case rd.mapping.BisectBatchOnFunctionError && !v.partial && len(p.items) > 1:
			half := len(p.items) / 2
			first, second := p, p
			first.items, second.items = p.items[:half], p.items[half:]
			pieces = replace(pieces, second, first)
		case rd.mapping.MaximumRetryAttempts >= 0 && p.retries >= rd.mapping.MaximumRetryAttempts:
			if !rd.giveUp(p, retryAttemptsExhausted) {
				return false
			}
			pieces = pieces[:last]
			retry.reset()
			continue
		default:
			p.retries++
			pieces = replace(pieces, p)
		}
		sleep(rd.ctx, wait)
	}
	return true
}

// replace puts others in the place of the last piece, leaving out what is empty.
func replace(pieces []piece, others ...piece) []piece {
	pieces = pieces[:len(pieces)-1]
	for _, p := range others {
		if len(p.items) > 0 {
			pieces = append(pieces, p)
		}
	}
	return pieces
}

// tooOld is how many items at the front are above the maximum age.
func (rd *reader) tooOld(items []item) int {
	if rd.mapping.MaximumRecordAge <= 0 {
		return 0
	}
	for n, it := range items {
		if rd.opts.Clock.Since(it.created) <= rd.mapping.MaximumRecordAge {
			return n
		}
	}
	return len(items)
}

// invoke runs the function once.
func (rd *reader) invoke(items []item) verdict {
	events := make([][]byte, len(items))
	for i, it := range items {
		events[i] = it.event
	}
	var payload bytes.Buffer
	payload.WriteString(eventHead)
	payload.Write(bytes.Join(events, []byte(",")))
	payload.WriteString(eventTail)
	out, functionError, err := rd.opts.Invoker.Invoke(rd.work, rd.mapping.FunctionName, payload.Bytes())
	switch {
	case err != nil:
		return verdict{err: err}
	case functionError != "":
		return verdict{failed: true, functionError: functionError, reason: "the function failed"}
	case rd.mapping.ReportBatchItemFailures:
		return judge(out, items)
	}
	return verdict{done: len(items)}
}
