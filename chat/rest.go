package chat

import (
	"iter"
	"slices"
)

// rest gives the deliveries that remain of d after a walk over its audience,
// and how many connections are given up. Those known to be slow are so at once.
func (d Delivery) rest(w walk, o Outcome, g settled, cut bool) ([]Delivery, int) {
	var rest []Delivery
	reached := o.Delivered+g.delivered > 0
	undelivered, givenUp := o.Undelivered, o.Slow
	switch {
	case w.done:
	case len(d.To) > 0:
		undelivered = append(undelivered, d.To[w.taken:]...)
	default: // whoever was not listed yet
		r := d.next(w.taken > 0)
		r.After = d.After
		if w.taken > 0 {
			r.After = w.last
		}
		rest = append(rest, r)
	}
	// Those that the time was too short for prove nothing.
	complete := w.done && !cut
	// Whether what keeps the undelivered is their own: others are reached, or
	// they have no room and are few.
	own := reached || o.Busy == len(o.Undelivered) && len(o.Undelivered) <= FewConnections
	switch {
	case d.Late && (complete && !reached || d.Attempt >= maxLate):
		givenUp += len(undelivered)
	case d.Late || complete && own:
		rest = append(rest, d.nextTo(undelivered, reached, true)...)
	default:
		rest = append(rest, d.nextTo(undelivered, reached, false)...)
	}
	// A connection that is found gone holds up nobody either. Its attempts
	// count in any case, whoever else is reached.
	if d.Attempt >= maxLate {
		return rest, givenUp + len(g.open)
	}
	return append(rest, d.nextTo(g.open, false, true)...), givenUp
}

// next is d handed on, to nobody yet.
func (d Delivery) next(progress bool) Delivery {
	r := Delivery{ChannelID: d.ChannelID, Seq: d.Seq, Frame: d.Frame, Users: d.Users, Attempt: d.Attempt + 1}
	if progress {
		r.Attempt = 1
	}
	return r
}

// nextTo is d handed on to connections.
func (d Delivery) nextTo(ids []string, progress, late bool) (rest []Delivery) {
	for ids := range slices.Chunk(ids, MaxDeliveryTo) {
		r := d.next(progress)
		r.To, r.Late = ids, late
		rest = append(rest, r)
	}
	return rest
}

// A walk remembers how far a Poster has come.
type walk struct {
	last  string // the last connection taken
	taken int
	done  bool // all were taken
	err   error
}

func (w *walk) over(ids iter.Seq2[string, error]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for id, err := range ids {
			if err != nil {
				w.err = err
				return
			}
			w.last, w.taken = id, w.taken+1
			if !yield(id) {
				return
			}
		}
		w.done = true
	}
}

// named gives ids as a Store lists them.
func named(ids []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}
