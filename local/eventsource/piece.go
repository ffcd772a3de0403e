package eventsource

// A piece is a batch, or what is left of one that was split.
type piece struct {
	items   []*item
	retries int // used up
	invoked int // times that the function ran for it, since the checkpoint moved
	// functionError is how the last of those ended; empty if the function did
	// not fail but reported failed records.
	functionError string
	// again says that it succeeded, and is delivered once more on demand.
	again bool
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

// remains is what is to be tried again of a piece that failed, the next one last:
// nil if its retries are used up. anew says that waits begin anew.
func (m *Mapping) remains(p piece, v verdict) (rest []piece, anew bool) {
	switch {
	case v.done > 0:
		// The checkpoint has moved, and with it everything begins anew.
		return []piece{{items: p.items[v.done:]}}, true
	case m.BisectBatchOnFunctionError && !v.partial && len(p.items) > 1:
		half := len(p.items) / 2
		first, second := p, p // new batches
		first.items, second.items = p.items[:half], p.items[half:]
		return []piece{second, first}, true
	case m.MaximumRetryAttempts >= 0 && p.retries >= m.MaximumRetryAttempts:
		return nil, true
	}
	p.retries++
	return []piece{p}, false
}
