package chat

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// The actions that clients may ask for, which are also the route keys.
const (
	ActionSendMessage        = "sendMessage"
	ActionSubscribeChannel   = "subscribeChannel"
	ActionUnsubscribeChannel = "unsubscribeChannel"
	ActionEditMessage        = "editMessage"
	ActionDeleteMessage      = "deleteMessage"
	ActionGetHistory         = "getHistory"
	ActionListMembers        = "listMembers"
	ActionSendDirect         = "sendDirect"
	ActionListDirects        = "listDirects"
	ActionTyping             = "typing"
	ActionWhoAmI             = "whoami"
	ActionPing               = "ping"

	ActionKickUser    = "kickUser"
	ActionBanUser     = "banUser"
	ActionUnbanUser   = "unbanUser"
	ActionMuteUser    = "muteUser"
	ActionUnmuteUser  = "unmuteUser"
	ActionSetSlowMode = "setSlowMode"
)

// RouteDefault is the route key of frames that fit no other route.
const RouteDefault = "$default"

// Answer serves a client's frame and gives the one frame that answers it. The
// route, not the frame, says which action it is: which field of a frame selects
// the route is a setting of the API.
//
// The error is for the log: it is what went wrong on our side, and the client
// has an internal error for it. A client's own mistake is no error here.
func (s *Service) Answer(ctx context.Context, route string, c Caller, body []byte) ([]byte, error) {
	c.Name = cut(c.Name, s.limits().Name)
	frame, err := DecodeFrame(body)
	if err == nil {
		var event any
		if event, err = s.serve(ctx, route, c, frame); err == nil {
			return encode(event), nil
		}
	}
	answer := encodeError(frame.ID, err)
	if ErrorCode(err) != CodeInternal {
		s.log().InfoContext(ctx, "frame refused", "route", route, "connectionId", c.ConnectionID, "code", ErrorCode(err))
		err = nil
	}
	return answer, err
}

func (s *Service) serve(ctx context.Context, route string, c Caller, f Frame) (any, error) {
	if s.RequireUser && c.IsAnonymous() {
		return nil, errNobody
	}
	if err := c.checkExpiry(s.now()); err != nil {
		return nil, err
	}
	switch route {
	case ActionSendMessage, ActionSendDirect:
		return s.serveSend(ctx, route, c, f)
	case ActionEditMessage, ActionDeleteMessage:
		return s.serveRevision(ctx, route, c, f)
	case ActionSubscribeChannel:
		return s.serveSubscribe(ctx, c, f)
	case ActionUnsubscribeChannel:
		channelID, err := f.ChannelID()
		if err != nil {
			return nil, err
		}
		if err := s.Unsubscribe(ctx, c.ConnectionID, channelID); err != nil {
			return nil, err
		}
		return unsubscribedEvent{Event: "unsubscribed", ID: f.ID, ChannelID: channelID}, nil
	case ActionGetHistory:
		return s.serveHistory(ctx, c, f)
	case ActionListMembers:
		return s.serveMembers(ctx, c, f)
	case ActionListDirects:
		return s.serveDirects(ctx, c, f)
	case ActionTyping:
		return s.serveTyping(ctx, c, f)
	case ActionWhoAmI:
		return s.serveWhoAmI(ctx, c, f)
	case ActionPing:
		return pongEvent{Event: "pong", ID: f.ID, At: formatTime(s.Ping())}, nil
	case ActionKickUser, ActionBanUser, ActionUnbanUser, ActionMuteUser, ActionUnmuteUser, ActionSetSlowMode:
		return s.serveModeration(ctx, route, c, f)
	default:
		return nil, s.unknownAction(f)
	}
}

func (s *Service) serveSend(ctx context.Context, route string, c Caller, f Frame) (any, error) {
	d := Draft{ID: f.ID}
	var err error
	if route == ActionSendDirect {
		d.To, err = f.peer(c)
	} else {
		d.ChannelID, err = f.ChannelID()
	}
	if err == nil && c.IsAnonymous() {
		d.Name, err = f.String("name")
	}
	if err == nil {
		d.Content, err = f.String("content")
	}
	if err != nil {
		return nil, err
	}
	m, err := s.Send(ctx, c, d)
	if err != nil {
		return nil, err
	}
	return ackEvent{
		Event: "ack", ID: f.ID, ChannelID: m.ChannelID, MessageID: m.ID, Seq: m.Seq, At: formatTime(m.At),
	}, nil
}

// serveRevision acknowledges with the number of the revision, or of the message
// if there was nothing to revise.
func (s *Service) serveRevision(ctx context.Context, route string, c Caller, f Frame) (any, error) {
	channelID, err := f.conversation(c)
	if err != nil {
		return nil, err
	}
	if !f.Has("seq") {
		return nil, fail(CodeMissingField, "seq is missing: send the number of the message")
	}
	seq, err := f.Integer("seq", 1, MaxSeq, 0)
	if err != nil {
		return nil, err
	}
	var m Message
	if route == ActionDeleteMessage {
		m, err = s.Delete(ctx, c, channelID, seq)
	} else {
		var content string
		if content, err = f.String("content"); err == nil {
			m, err = s.Edit(ctx, c, channelID, seq, content)
		}
	}
	if err != nil {
		return nil, err
	}
	ack := ackEvent{Event: "ack", ID: f.ID, ChannelID: channelID, MessageID: m.ID, Seq: m.Seq, At: formatTime(m.At)}
	if m.EditSeq != 0 {
		ack.Seq, ack.At = m.EditSeq, formatTime(m.revisedAt())
	}
	return ack, nil
}

func (s *Service) serveTyping(ctx context.Context, c Caller, f Frame) (any, error) {
	channelID, err := f.ChannelID()
	if err != nil {
		return nil, err
	}
	name := ""
	if f.Has("name") {
		if name, err = f.String("name"); err == nil {
			_, err = cleanName(name, s.limits().Name)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.Typing(ctx, c, channelID, name); err != nil {
		return nil, err
	}
	return doneEvent{Event: "ack", ID: f.ID, ChannelID: channelID, At: formatTime(s.now())}, nil
}

func (s *Service) serveSubscribe(ctx context.Context, c Caller, f Frame) (any, error) {
	channelID, err := f.ChannelID()
	if err != nil {
		return nil, err
	}
	after, err := f.Integer("after", 0, MaxSeq, 0)
	if err != nil {
		return nil, err
	}
	answer := subscribedEvent{Event: "subscribed", ID: f.ID, ChannelID: channelID, Missed: []json.RawMessage{}}
	if answer.Seq, err = s.Subscribe(ctx, c, channelID); err != nil {
		return nil, err
	}
	if f.Has("after") {
		if err := s.resume(ctx, &answer, after); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

func (s *Service) serveWhoAmI(ctx context.Context, c Caller, f Frame) (any, error) {
	you := youEvent{
		Event: "you", ID: f.ID, ConnectionID: c.ConnectionID, User: c.User, Name: c.Name, Moderates: c.Moderates,
	}
	if !c.ExpiresAt.IsZero() {
		you.ExpiresAt = formatTime(c.ExpiresAt)
	}
	var err error
	you.Channels, you.More, err = s.WhoAmI(ctx, c.ConnectionID)
	return you, err
}

// unknownAction says what is wrong with a frame that no route took. Which of its
// fields would have selected one is a setting of the API that is not known here.
func (s *Service) unknownAction(f Frame) error {
	all := s.actions()
	use := "use " + strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
	if !f.Has("action") {
		return fail(CodeMissingAction, `the frame names no action: %s, in the field "action" unless this stage selects by another`, use)
	}
	action, err := f.String("action")
	if err != nil {
		return fail(CodeInvalidType, "action is %s, not a string: %s", kind(f.fields["action"]), use)
	}
	if slices.Contains(all, action) {
		return fail(CodeUnknownAction, "action %s reached no route: this stage selects by another field", quote(action))
	}
	if slices.Contains(DirectActions(), action) {
		return errNoUser
	}
	if isModeration(action) {
		return errNoModerators(action)
	}
	return fail(CodeUnknownAction, "unknown action %s: %s", quote(action), use)
}

// actions lists what a client may ask for.
func (s *Service) actions() []string {
	return append([]string{
		ActionSendMessage, ActionEditMessage, ActionDeleteMessage,
		ActionSubscribeChannel, ActionUnsubscribeChannel, ActionGetHistory, ActionListMembers,
		ActionTyping, ActionWhoAmI, ActionPing,
	}, s.FurtherActions...)
}
