package chat

import (
	"errors"
	"fmt"
	"time"
)

// A Code names the kind of an error for programs. Codes are part of the
// protocol: they are never renamed.
type Code string

// The codes of error events.
const (
	CodeInvalidJSON          Code = "invalid_json"           // not JSON, or not UTF-8
	CodeNotAnObject          Code = "not_an_object"          // JSON, but no object
	CodeDuplicateField       Code = "duplicate_field"        // a field occurs twice
	CodeMissingAction        Code = "missing_action"         // no field "action"
	CodeUnknownAction        Code = "unknown_action"         // no such action
	CodeMissingField         Code = "missing_field"          // a field that the action needs is absent
	CodeInvalidType          Code = "invalid_type"           // a field has the wrong JSON type
	CodeInvalidID            Code = "invalid_id"             // the frame's id is empty or too long
	CodeIDReused             Code = "id_reused"              // the id is that of another message
	CodeInvalidRange         Code = "invalid_range"          // a number out of its bounds, or two that exclude each other
	CodeInvalidChannel       Code = "invalid_channel"        // not the form of a channel's name
	CodeInvalidName          Code = "invalid_name"           // no name is left, or too long a one
	CodeInvalidUser          Code = "invalid_user"           // not the form of a user's id
	CodeContentEmpty         Code = "content_empty"          // no text is left
	CodeContentTooLong       Code = "content_too_long"       // over Limits.Content
	CodeFrameTooLarge        Code = "frame_too_large"        // the event would exceed MaxMessage
	CodeRateLimited          Code = "rate_limited"           // over Limits.MessagesPerSecond
	CodeTooManySubscriptions Code = "too_many_subscriptions" // over Limits.Subscriptions
	CodeMessageNotFound      Code = "message_not_found"      // no such message, or no more
	CodeNotAuthor            Code = "not_author"             // the message is another's
	CodeTokenExpired         Code = "token_expired"          // the token of the connection has expired
	CodeIdentityRequired     Code = "identity_required"      // nobody knows who asks
	CodeForbidden            Code = "forbidden"              // a channel that the user has no grant for
	CodeBanned               Code = "banned"                 // the user is banned
	CodeMuted                Code = "muted"                  // the user is muted
	CodeSlowMode             Code = "slow_mode"              // the channel is in slow mode
	CodeNotModerator         Code = "not_moderator"          // the user does not moderate there
	CodeConnectionOver       Code = "connection_closed"      // the connection ended while its frame was served
	CodeInternal             Code = "internal"               // our fault; the log has the reason
)

// An Error is a client's mistake. Its message is a sentence for a person that
// says what to do; it is safe to send.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is how long to wait before trying again, 0 if that is of no use.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Message }

// ErrorCode gives the code of the first [Error] in err's chain, CodeInternal
// for any other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

func fail(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
