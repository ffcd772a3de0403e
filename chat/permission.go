package chat

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// PrivatePrefix begins the names of channels that need a grant.
const PrivatePrefix = "private:"

// Rights are what a grant is for.
type Rights int

// The rights in a channel.
const (
	MayRead Rights = 1 << iota
	MayWrite
)

// Rules are what holds for a user in a channel, beside what its token says.
type Rules struct {
	// Ban and Mute are those in force, nil if there is none; of two, the one for
	// everywhere.
	Ban, Mute *Sanction
	// Grant is what the user has been granted, in a private channel.
	Grant Rights
	// GrantUntil is when the right to read ends, zero for never.
	GrantUntil time.Time
	// SlowMode is the time between two messages of a user, 0 for none.
	SlowMode time.Duration
}

// grants gives the rights in a channel that the identity has by itself.
func (i Identity) grants(channelID string) Rights {
	var rights Rights
	for _, grant := range i.Channels {
		pattern, kind, limited := strings.Cut(grant, "=")
		switch {
		case !matches(pattern, channelID):
		case !limited:
			rights |= MayRead | MayWrite
		case kind == "read":
			rights |= MayRead
		case kind == "write":
			rights |= MayWrite
		}
	}
	return rights
}

// permit gives the rules for a caller in a channel, or an [Error] if they do not
// allow what it wants to do there. For direct messages those for everywhere hold.
func (s *Service) permit(ctx context.Context, c Caller, channelID string, wanted Rights) (Rules, error) {
	if isDirect(channelID) {
		channelID = ""
	}
	private := strings.HasPrefix(channelID, PrivatePrefix)
	if c.IsAnonymous() && wanted&MayWrite == 0 && !private {
		return Rules{}, nil // nothing can hold for nobody
	}
	rules, err := s.Store.GetRules(ctx, c.User, channelID)
	if err != nil {
		return rules, fmt.Errorf("rules of %q: %w", channelID, err)
	}
	if rules.Ban != nil {
		return rules, rules.Ban.refuse()
	}
	if wanted&MayWrite != 0 && rules.Mute != nil {
		return rules, rules.Mute.refuse()
	}
	if private {
		rights := rules.Grant | c.grants(channelID)
		if c.IsModerator(channelID) {
			rights = MayRead | MayWrite
		}
		if missing := wanted &^ rights; missing != 0 {
			return rules, fail(CodeForbidden, "%s is private, and you may not %s: ask for a grant", quote(channelID), missing)
		}
	}
	if !private || c.grants(channelID)&MayRead != 0 || c.IsModerator(channelID) {
		rules.GrantUntil = time.Time{} // no grant is needed, or the token's holds as long as the connection
	}
	return rules, nil
}

func (r Rights) String() string {
	var verbs []string
	if r&MayRead != 0 {
		verbs = append(verbs, "read it")
	}
	if r&MayWrite != 0 {
		verbs = append(verbs, "write to it")
	}
	return strings.Join(verbs, " or ")
}
