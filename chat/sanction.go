package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// A SanctionKind says what a sanction does to its user. It is also the name of
// the event that tells the user.
type SanctionKind string

const (
	Banned SanctionKind = "banned" // is out and stays out
	Muted  SanctionKind = "muted"  // may not write
	Kicked SanctionKind = "kicked" // is out, and may come back
)

// A Sanction is a ban, a mute or a kick of a user.
type Sanction struct {
	Kind SanctionKind
	User string
	// ChannelID is where it holds; empty means everywhere.
	ChannelID string
	// Until is when it ends, zero for never. A kick is over at once.
	Until time.Time
	// Reason is for the user, By and At are for the record; all may be empty.
	Reason, By string
	At         time.Time
}

// MaxReason is the longest reason of a sanction, in characters.
const MaxReason = 256

// cleanReason gives a reason as the user will see it: without control
// characters, white space as single spaces.
func cleanReason(reason string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(reason, ""))
	return strings.Join(strings.Fields(visible), " ")
}

// shownReason is a service's reason, which may be any text.
func (x Sanction) shownReason() string {
	runes := []rune(cleanReason(x.Reason))
	return string(runes[:min(len(runes), MaxReason)])
}

// checkReason cleans a client's reason, or returns an [Error].
func checkReason(reason string) (string, error) {
	reason = cleanReason(reason)
	if n := utf8.RuneCountInString(reason); n > MaxReason {
		return "", fail(CodeInvalidRange, "reason is %d characters long: use at most %d", n, MaxReason)
	}
	return reason, nil
}

// refuse says that a sanction forbids what was asked for.
func (x Sanction) refuse() *Error {
	where, until, why := "", "", ""
	if x.ChannelID != "" {
		where = " from " + quote(x.ChannelID)
		if x.Kind == Muted {
			where = " in " + quote(x.ChannelID)
		}
	}
	if !x.Until.IsZero() {
		until = " until " + formatTime(x.Until)
	}
	if x.Reason != "" {
		why = ": " + x.shownReason()
	}
	return fail(Code(x.Kind), "you are %s%s%s%s", x.Kind, where, until, why)
}

// SanctionChanged says that a ban, a mute or a kick was put, as it is in the
// change, or deleted before its time.
type SanctionChanged struct {
	Sanction
	Deleted bool
	// WrittenAt is when that happened, in whole seconds.
	WrittenAt time.Time
}

// applySanction makes a sanction take effect. Of a ban or a mute, what counts is
// what is there now: one that is over, or was taken back, does nothing. A kick
// is of those who were there when it was made: it may be applied twice, and who
// came back in between stays.
func (s *Service) applySanction(ctx context.Context, c SanctionChanged) error {
	if CheckUser(c.User) != nil || c.ChannelID != "" && CheckChannelID(c.ChannelID) != nil {
		s.log().WarnContext(ctx, "sanction of what is no user or channel ignored", "kind", c.Kind)
		return nil
	}
	x := c.Sanction
	var err error
	if x.Kind != Kicked {
		x, err = s.Store.GetSanction(ctx, c.Kind, c.User, c.ChannelID)
	}
	lifted := errors.Is(err, ErrGone)
	switch {
	case lifted && c.Deleted:
		err = s.tellUser(ctx, c.User, c.ChannelID, sanctionEvent{
			Event: "un" + string(c.Kind), ChannelID: c.ChannelID, At: formatTime(s.now()),
		})
	case lifted, err == nil && c.Deleted:
		return nil
	case err != nil:
	case x.Kind == Muted:
		err = s.tellUser(ctx, x.User, x.ChannelID, s.sanctionEvent(x))
	case x.Kind == Banned:
		err = s.takeOut(ctx, x, time.Time{})
	default:
		if err = s.takeOut(ctx, x, c.lastMeant()); err == nil {
			err = s.Store.DeleteKick(ctx, x)
		}
	}
	if err != nil {
		return fmt.Errorf("apply that a user is %s in %q: %w", c.Kind, c.ChannelID, err)
	}
	s.log().InfoContext(ctx, "sanction applied", "kind", c.Kind, "channelId", c.ChannelID, "lifted", lifted)
	return nil
}

// lastMeant is the latest time at which one can have come to be meant by a kick:
// its own, but never before or after the second in which it was written, as its
// writer's clock may be wrong, or have said nothing.
func (c SanctionChanged) lastMeant() time.Time {
	switch earliest, latest := c.WrittenAt, c.WrittenAt.Add(time.Second); {
	case c.At.IsZero(), c.At.After(latest):
		return latest
	case c.At.Before(earliest):
		return earliest
	default:
		return c.At
	}
}

func (s *Service) sanctionEvent(x Sanction) sanctionEvent {
	e := sanctionEvent{Event: string(x.Kind), ChannelID: x.ChannelID, Reason: x.shownReason(), At: formatTime(x.At)}
	if x.At.IsZero() {
		e.At = formatTime(s.now())
	}
	if !x.Until.IsZero() && x.Kind != Kicked {
		e.Until = formatTime(x.Until)
	}
	return e
}

// takeOut ends the subscriptions that a ban or a kick is about and tells the
// user, whose connections it closes if that holds everywhere. Whoever came after
// last is left alone and told nothing, unless that is zero.
func (s *Service) takeOut(ctx context.Context, x Sanction, last time.Time) error {
	devices, err := s.devices(ctx, x.User)
	if err != nil {
		return err
	}
	cameLater := func(at time.Time) bool { return !last.IsZero() && at.After(last) }
	var mu sync.Mutex
	var meant []string
	means := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		meant = append(meant, id)
	}
	if x.ChannelID != "" {
		failed := forEach(devices, func(id string) error {
			sub, err := s.Store.GetSubscription(ctx, x.ChannelID, id)
			if err != nil && !errors.Is(err, ErrGone) || cameLater(sub.Since) {
				return err
			}
			means(id)
			if err != nil { // it is not in the channel
				return nil
			}
			return s.Store.EndSubscription(ctx, x.ChannelID, id, Reason(x.Kind))
		})
		return errors.Join(failed, s.tell(ctx, x.ChannelID, meant, s.sanctionEvent(x)))
	}
	failed := forEach(devices, func(id string) error {
		c, err := s.Store.GetConnection(ctx, id)
		if err != nil && !errors.Is(err, ErrGone) || cameLater(c.ConnectedAt) {
			return err
		}
		means(id)
		return s.endSubscriptions(ctx, id, Reason(x.Kind))
	})
	return errors.Join(failed, s.tell(ctx, "", meant, s.sanctionEvent(x)), forEach(meant, func(id string) error {
		if err := s.Poster.Close(ctx, id); err != nil {
			return err
		}
		if err := s.Disconnect(ctx, id); err != nil {
			return err
		}
		return s.Store.DeleteDevice(ctx, x.User, id) // also if the connection was gone already
	}))
}

// endSubscriptions ends all of a connection's, for a reason.
func (s *Service) endSubscriptions(ctx context.Context, connectionID string, reason Reason) error {
	for channelID, err := range s.Store.ListSubscriptions(ctx, connectionID) {
		if err != nil {
			return err
		}
		if err := s.Store.EndSubscription(ctx, channelID, connectionID, reason); err != nil {
			return err
		}
	}
	return nil
}

// devices gives the connections of a user.
func (s *Service) devices(ctx context.Context, user string) (ids []string, err error) {
	for id, err := range s.Store.ListDevices(ctx, user) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// everywhere stands for a channel in deliveries of what concerns users wherever
// they are. No channel can have this name.
const everywhere = "*"

// tellUser sends an event to all connections of a user.
func (s *Service) tellUser(ctx context.Context, user, channelID string, event any) error {
	devices, err := s.devices(ctx, user)
	if err != nil {
		return err
	}
	return s.tell(ctx, channelID, devices, event)
}

// tell sends an event to connections: about a channel, or about everything if
// that is "".
func (s *Service) tell(ctx context.Context, channelID string, ids []string, event any) error {
	if len(ids) == 0 {
		return nil
	}
	if channelID == "" {
		channelID = everywhere
	}
	return s.deliver(ctx, Delivery{ChannelID: channelID, Frame: encode(event), To: ids}, 0)
}
