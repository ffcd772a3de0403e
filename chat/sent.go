package chat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// SentFor is how long the chat knows a message again by the id that its sender
// gave it.
const SentFor = 10 * time.Minute

// A Sent remembers a message by the id that its sender gave it, and so the
// place that every repetition has in the channel: also one whose first attempt
// ended before the message was stored.
type Sent struct {
	// Sender and ID tell the Sents apart.
	Sender, ID string
	// Digest is of what was sent: another message under the same ID is a
	// mistake, not a repetition.
	Digest    string
	ChannelID string
	Seq       int64
	MessageID string
	At        time.Time
}

// sender names who sends: a user, whatever the connection, or a connection of
// nobody. Ids are the sender's own.
func (c Caller) sender() string {
	if c.IsAnonymous() {
		return "connection|" + c.ConnectionID
	}
	return UserSender(c.User)
}

// UserSender names a user in a [Sent].
func UserSender(user string) string { return "user|" + user }

// ServiceSender names in a [Sent] whoever publishes to a channel from the back end.
func ServiceSender(channelID string) string { return "service|" + channelID }

// sentOf is what is to be remembered of a message, all but its place. With no
// id, it is nothing.
func sentOf(sender, id, channelID, name, content string) Sent {
	if id == "" {
		return Sent{}
	}
	return Sent{Sender: sender, ID: id, ChannelID: channelID, Digest: digest(channelID, name, content)}
}

// digest tells texts apart as they were sent.
func digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		h.Write([]byte(text))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// known gives the Sent that is there in the place of s, and whether there is
// one; an [Error] if it is of another message.
func (s *Service) known(ctx context.Context, sent Sent) (Sent, bool, error) {
	if sent.ID == "" {
		return sent, false, nil
	}
	kept, err := s.Store.GetSent(ctx, sent.Sender, sent.ID)
	if errors.Is(err, ErrGone) {
		return sent, false, nil
	}
	if err != nil {
		return sent, false, err
	}
	return kept, true, kept.check(sent)
}

func (kept Sent) check(sent Sent) error {
	if kept.Digest == sent.Digest {
		return nil
	}
	return fail(CodeIDReused, "id %s was used for another message a short time ago: give each message an id of its own", quote(sent.ID))
}

// place gives a message its sequence number, and one that was sent before the
// place, the id and the time that it got then; it reports which of the two.
//
// The number is taken before it is remembered, so that no message can be
// remembered without one, and asked for before that, so that a repetition takes
// none. Of two copies that race, one takes a number in vain.
//
// A message that was not sent before must be admitted first. If it is not, the
// reason may be its own copy, of which is asked once more.
func (s *Service) place(ctx context.Context, m Message, sent Sent, admit func() error) (placed Message, again bool, err error) {
	kept, again, err := s.known(ctx, sent)
	if err == nil && !again {
		if refused := admit(); refused != nil {
			if kept, again, err = s.known(ctx, sent); !again {
				return Message{}, false, errors.Join(err, refused)
			}
		}
	}
	if err != nil {
		return Message{}, again, err
	}
	if !again {
		if m.Seq, err = s.Store.NextSeq(ctx, m.ChannelID); err != nil || sent.ID == "" {
			return m, false, err
		}
		sent.Seq, sent.MessageID, sent.At = m.Seq, m.ID, m.At
		if kept, err = s.Store.PutSent(ctx, sent); err != nil {
			return Message{}, false, err
		}
	}
	m.Seq, m.ID, m.At = kept.Seq, kept.MessageID, kept.At
	return m, again, kept.check(sent)
}
