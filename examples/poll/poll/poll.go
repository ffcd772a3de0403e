// Package poll lets the clients of a chat vote. A frame
//
//	{"action":"vote","poll":"lunch","option":"pizza"}
//
// is one connection's vote, which it may change by another, and is answered
// with the count:
//
//	{"event":"votes","poll":"lunch","option":"pizza","counts":{"pizza":2,"soup":1}}
//
// With a channelId, the count is also told to that channel: the function puts a
// publish request into the chat's table and the chat does the rest, as for any
// other service.
package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
)

// MaxName is the length of the longest name of a poll or an option, in
// characters.
const MaxName = 64

// CodeInvalidPoll is the code of errors about the name of a poll or an option.
const CodeInvalidPoll chat.Code = "invalid_poll"

// A Vote is what a connection is for in a poll.
type Vote struct {
	Poll         string
	Option       string
	ConnectionID string
}

// Ballots keep the votes of each poll, one for each connection.
type Ballots interface {
	// PutVote stores a vote in place of the connection's earlier one.
	PutVote(ctx context.Context, v Vote) error
	// CountVotes gives the number of votes for each option that has any.
	CountVotes(ctx context.Context, poll string) (map[string]int, error)
}

// Requests take what a channel shall be told. A chattable.Table does.
type Requests interface {
	PutPublishRequest(ctx context.Context, r chat.PublishRequest) error
}

// Handler serves the route "vote".
type Handler struct {
	Ballots  Ballots
	Requests Requests
	Log      *slog.Logger
}

// votesEvent is the answer to a vote.
type votesEvent struct {
	Event  string         `json:"event"` // votes
	ID     string         `json:"id,omitempty"`
	Poll   string         `json:"poll"`
	Option string         `json:"option"`
	Counts map[string]int `json:"counts"`
}

// errorEvent is the answer to a frame that is no vote; it has the form of the
// chat's own.
type errorEvent struct {
	Event   string    `json:"event"` // error
	ID      string    `json:"id,omitempty"`
	Code    chat.Code `json:"code"`
	Message string    `json:"message"`
}

// Handle answers one frame. Its error is always nil: with an error, API Gateway
// would answer in our place.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	frame, err := chat.DecodeFrame([]byte(event.Body))
	var answer any
	if err == nil {
		answer, err = h.vote(ctx, frame, request.ConnectionID, request.RequestID)
	}
	if err != nil {
		answer = h.failure(ctx, frame, request.ConnectionID, err)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("encode the answer: %w", err) // not with these types
	}
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: string(body)}, nil
}

func (h *Handler) vote(ctx context.Context, frame chat.Frame, connectionID, requestID string) (*votesEvent, error) {
	v := Vote{ConnectionID: connectionID}
	var err error
	if v.Poll, err = name(frame, "poll"); err != nil {
		return nil, err
	}
	if v.Option, err = name(frame, "option"); err != nil {
		return nil, err
	}
	var channelID string
	if frame.Has("channelId") {
		if channelID, err = frame.ChannelID(); err != nil {
			return nil, err
		}
	}
	if err := h.Ballots.PutVote(ctx, v); err != nil {
		return nil, err
	}
	counts, err := h.Ballots.CountVotes(ctx, v.Poll)
	if err != nil {
		return nil, err
	}
	if channelID != "" {
		err := h.Requests.PutPublishRequest(ctx, chat.PublishRequest{
			ChannelID: channelID,
			Key:       "vote " + requestID, // each frame has its own
			Name:      "Poll",
			Content:   announcement(v.Poll, counts),
		})
		if err != nil {
			return nil, err
		}
	}
	return &votesEvent{Event: "votes", ID: frame.ID, Poll: v.Poll, Option: v.Option, Counts: counts}, nil
}

// failure gives the answer to a frame that could not be served. A client's
// mistake is told to the client, anything else to the log.
func (h *Handler) failure(ctx context.Context, frame chat.Frame, connectionID string, err error) errorEvent {
	if mistake, ok := errors.AsType[*chat.Error](err); ok {
		return errorEvent{Event: "error", ID: frame.ID, Code: mistake.Code, Message: mistake.Message}
	}
	h.Log.ErrorContext(ctx, "vote not counted", "connectionId", connectionID, "error", err)
	return errorEvent{Event: "error", ID: frame.ID, Code: chat.CodeInternal, Message: "internal error"}
}

// name gives a field that names a poll or an option, without spaces around it.
func name(frame chat.Frame, field string) (string, error) {
	text, err := frame.String(field)
	if err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxName || strings.ContainsFunc(text, unicode.IsControl) {
		return "", &chat.Error{
			Code:    CodeInvalidPoll,
			Message: fmt.Sprintf("%s has %d characters: use 1 to %d, none of them a control character", field, n, MaxName),
		}
	}
	return text, nil
}

// announcement says in markup how a poll stands, the option with most votes
// first.
func announcement(poll string, counts map[string]int) string {
	options := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	fmt.Fprintf(&b, "<b>%s</b>", html.EscapeString(poll))
	for _, option := range options {
		fmt.Fprintf(&b, " · %s: %d", html.EscapeString(option), counts[option])
	}
	return b.String()
}
