package chat

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// Limits are what a stage allows its clients. Zero values mean the defaults.
type Limits struct {
	// Content is the longest content of a message in bytes of UTF-8, 1 to
	// MostContent; 0 means MaxContent. Also of services.
	Content int `json:"content,omitempty"`
	// Name is the longest name of a sender in characters, once cleaned, 1 to
	// MostName; 0 means MaxName. Also of services.
	Name int `json:"name,omitempty"`
	// ChannelID is the longest name of a channel that clients may create, and of
	// one to speak in, in characters, 1 to MaxChannelID, which 0 means.
	ChannelID int `json:"channelId,omitempty"`
	// Subscriptions is in how many channels a connection may put itself, 1 to
	// MostSubscriptions; 0 means 100. Those it is in already count, whoever put
	// it there.
	Subscriptions int `json:"subscriptions,omitempty"`
	// MessagesPerSecond is how many messages, edits and deletions a user, or a
	// connection of nobody, may send in the long run, 1 to MostMessages; 0 means
	// 10, NoRateLimit any number.
	MessagesPerSecond int `json:"messagesPerSecond,omitempty"`
	// MessageBurst is how many it may send at once, 1 to MostMessages; 0 means 20.
	MessageBurst int `json:"messageBurst,omitempty"`
}

// What limits may be raised to.
const (
	// MostContent leaves room in a frame for everything else.
	MostContent       = 24 << 10
	MostName          = 128
	MostSubscriptions = 1000
	MostMessages      = 1000

	defaultSubscriptions     = 100
	defaultMessagesPerSecond = 10
	defaultMessageBurst      = 20
)

// WithDefaults gives the limits with every zero replaced.
func (l Limits) WithDefaults() Limits {
	set := func(value *int, otherwise int) {
		if *value == 0 {
			*value = otherwise
		}
	}
	set(&l.Content, MaxContent)
	set(&l.Name, MaxName)
	set(&l.ChannelID, MaxChannelID)
	set(&l.Subscriptions, defaultSubscriptions)
	set(&l.MessagesPerSecond, defaultMessagesPerSecond)
	set(&l.MessageBurst, defaultMessageBurst)
	return l
}

func (s *Service) limits() Limits { return s.Limits.WithDefaults() }

// checkChannelID is CheckChannelID within the stage's limit.
func (s *Service) checkChannelID(id string) error {
	if err := CheckChannelID(id); err != nil {
		return err
	}
	if most := s.limits().ChannelID; utf8.RuneCountInString(id) > most {
		return fail(CodeInvalidChannel, "channelId is longer than %d characters: use a shorter one", most)
	}
	return nil
}

// checkSubscriptions returns an [Error] if a connection is in as many channels
// as it may be, and not in this one. The index that tells lags behind writes, so
// one that subscribes very fast may get a few more.
func (s *Service) checkSubscriptions(ctx context.Context, connectionID, channelID string) error {
	most, n := s.limits().Subscriptions, 0
	for id, err := range s.Store.ListSubscriptions(ctx, connectionID) {
		if err != nil {
			return fmt.Errorf("count subscriptions of %s: %w", connectionID, err)
		}
		if id == channelID {
			return nil
		}
		n++
	}
	if n >= most {
		return fail(CodeTooManySubscriptions, "this connection is in %d channels, and may be in %d: unsubscribe from some first", n, most)
	}
	return nil
}
