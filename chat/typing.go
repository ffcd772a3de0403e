package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// MaxTyping is the most connections of a channel in which typing is shown:
	// every signal costs a post to each, and among more nobody can follow them.
	MaxTyping = 100
	// TypingEvery is how often the typing of one connection in one channel is
	// shown.
	TypingEvery = 2 * time.Second
	// typingBudget bounds the time that posts of it take; it is worthless later.
	typingBudget = time.Second
)

// Typing shows the others in a channel that somebody writes. It is never
// stored: whoever is not reached at once never sees it. Nothing is shown in
// channels of more than MaxTyping connections, and of each connection at most
// once in TypingEvery by each process.
func (s *Service) Typing(ctx context.Context, c Caller, channelID, name string) error {
	if err := CheckChannelID(channelID); err != nil {
		return err
	}
	if !c.IsAnonymous() {
		name = c.Name
	} else if name != "" {
		var err error
		if name, err = cleanName(name, s.limits().Name); err != nil {
			return err
		}
	}
	if !s.typed.allow(c.ConnectionID+"|"+channelID, s.now()) {
		return nil
	}
	if _, err := s.permit(ctx, c, channelID, MayWrite); err != nil {
		return fmt.Errorf("typing in %q: %w", channelID, err)
	}
	var others []string
	for id, err := range s.Store.ListSubscribers(ctx, channelID, "", MaxTyping+1) {
		if err != nil {
			return fmt.Errorf("typing in %q: %w", channelID, err)
		}
		if others = append(others, id); len(others) > MaxTyping {
			return nil
		}
	}
	others = slices.DeleteFunc(others, func(id string) bool { return id == c.ConnectionID })
	frame := encode(typingEvent{
		Event: "typing", ChannelID: channelID, Name: name, SenderID: c.ConnectionID, User: c.User, At: formatTime(s.now()),
	})
	budget, cancel := s.budget(ctx, typingBudget)
	defer cancel()
	s.Poster.Post(budget, slices.Values(others), frame) // who is gone, the next message finds out
	return nil
}

// typists remember who typed where, and when. The zero value is ready.
type typists struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// typistsKept bounds how many are remembered.
const typistsKept = 1000

// allow reports whether it is long enough since it last did for who.
func (t *typists) allow(who string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[who]; ok && now.Sub(last) < TypingEvery {
		return false
	}
	if t.last == nil || len(t.last) >= typistsKept {
		kept := map[string]time.Time{}
		for who, last := range t.last {
			if now.Sub(last) < TypingEvery {
				kept[who] = last
			}
		}
		t.last = kept
	}
	t.last[who] = now
	return true
}
