package chattable

import (
	"context"
	"errors"
	"iter"
	"time"

	"example.com/chatstack/chat"
)

const (
	// followEvery is how often Follow asks for what is new.
	followEvery = 500 * time.Millisecond
	// gapWait is how long a number that is missing holds up those after it: a
	// message that is being stored takes less.
	gapWait = 5 * time.Second
	// gapOver is the age of a message from which on nothing before it is waited
	// for, even if clocks differ.
	gapOver = time.Minute
)

// LastSeq gives a channel's last sequence number, 0 if it is new or not there.
func (t *Table) LastSeq(ctx context.Context, channelID string) (int64, error) {
	i, err := t.get(ctx, channelKey(channelID))
	if errors.Is(err, chat.ErrGone) {
		return 0, nil
	}
	return numberOf(i, "seq"), err
}

// Follow gives the messages and revisions of a channel with a sequence number
// above after, in their order, and goes on with those that come, until ctx ends
// or at its first error. A message is given as it is when it is read. For a
// revision, whose Target is not 0, GetMessage says what has become of its message.
//
// A number that is missing is waited for a few seconds, and then passed over for
// ever: it is of a message that never was stored, or has expired. To go on another
// time, begin after the number of the last message that was dealt with; one that
// was dealt with when that was not yet noted comes again.
//
// Follow reads twice a second, each time at least one read unit; it is
// for tools and bots that follow a few channels. For all of them, read the stream.
func (t *Table) Follow(ctx context.Context, channelID string, after int64) iter.Seq2[chat.Message, error] {
	return func(yield func(chat.Message, error) bool) {
		next := time.NewTicker(followEvery)
		defer next.Stop()
		heldAfter, heldSince := int64(-1), time.Time{}
		for {
			for m, err := range t.ListHistory(ctx, channelID, chat.HistoryRange{After: after}) {
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					yield(chat.Message{}, err)
					return
				}
				if m.Seq > after+1 && t.now().Sub(m.At) < gapOver {
					if heldAfter != after {
						heldAfter, heldSince = after, time.Now()
					}
					if time.Since(heldSince) < gapWait {
						break
					}
				}
				if !yield(m, nil) {
					return
				}
				after = m.Seq
			}
			select {
			case <-ctx.Done():
				return
			case <-next.C:
			}
		}
	}
}
