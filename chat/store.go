package chat

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrGone reports that something is no longer there: a connection that has
// closed, a request that has been dealt with.
var ErrGone = errors.New("gone")

// ErrChanged reports that something has changed since it was read.
var ErrChanged = errors.New("changed meanwhile")

// A Store keeps the chat's data. Package chattable is the one on DynamoDB.
//
// Reads see every write that finished before them, but for ListSubscriptions.
// Whatever has expired is not given.
type Store interface {
	Connections
	Subscriptions
	Members
	RuleBook
	Messages
	Directs
	SentMessages
	Rates
	PublishRequests
	Deliveries
	Moderation
	DeleteRequests
	Expiries
}

// Connections keeps who is connected.
type Connections interface {
	PutConnection(ctx context.Context, c Connection) error
	// GetConnection returns an error that wraps ErrGone if there is no such
	// connection.
	GetConnection(ctx context.Context, connectionID string) (Connection, error)
	// DeleteConnection does nothing if there is no such connection.
	DeleteConnection(ctx context.Context, connectionID string) error
	// ListDevices gives the connections of a user. It ends at its first error. One
	// whose PutConnection has not ended may be missing, but is not there before
	// GetConnection gives it.
	ListDevices(ctx context.Context, user string) iter.Seq2[string, error]
	// DeleteDevice makes a connection that is gone none of its user's.
	DeleteDevice(ctx context.Context, user, connectionID string) error
}

// Subscriptions keeps who is in which channel.
type Subscriptions interface {
	// PutSubscription leaves a subscription that is there as it is, but for a
	// later end.
	PutSubscription(ctx context.Context, s Subscription) error
	// GetSubscription returns an error that wraps ErrGone if there is no such
	// subscription.
	GetSubscription(ctx context.Context, channelID, connectionID string) (Subscription, error)
	// PutSubscriptionEnd lets a subscription that is there end at its Until.
	PutSubscriptionEnd(ctx context.Context, s Subscription) error
	// CompleteSubscription adds to a subscription what ListSubscriptions and
	// expiry need, if its writer left it out, and sets whose it is; it does nothing
	// if there is no such subscription.
	CompleteSubscription(ctx context.Context, s Subscription) error
	// DeleteSubscription does nothing if there is no such subscription.
	DeleteSubscription(ctx context.Context, channelID, connectionID string) error
	// EndSubscription is DeleteSubscription with a reason, for those who are told.
	EndSubscription(ctx context.Context, channelID, connectionID string, reason Reason) error
	// ListSubscribers gives the connections in a channel in a fixed order,
	// those after one of them, or all for "". Few more than limit are read
	// unless they are asked for; 0 means all. It ends at its first error.
	ListSubscribers(ctx context.Context, channelID, after string, limit int) iter.Seq2[string, error]
	// ListSubscriptions gives the channels of a connection, in order. It may
	// lag behind writes by a moment. It ends at its first error.
	ListSubscriptions(ctx context.Context, connectionID string) iter.Seq2[string, error]
}

// Members keeps who is in a channel, and how many they are.
type Members interface {
	// UpdateMember makes a connection one of its member's in a channel if it is
	// subscribed, and none if it is not, whatever it was before. It gives the
	// number of the channel's members then.
	UpdateMember(ctx context.Context, s Subscription) (count int, err error)
	// CountMembers gives the number of a channel's members.
	CountMembers(ctx context.Context, channelID string) (int, error)
	// ListMembers gives the members of a channel in a fixed order, from after a
	// cursor on, or all for "", each with the cursor to go on after it. Few more
	// than limit are read unless they are asked for. It ends at its first error.
	ListMembers(ctx context.Context, channelID, cursor string, limit int) iter.Seq2[ListedMember, error]
}

// A ListedMember is a member in a list that can be gone on with.
type ListedMember struct {
	Member
	Cursor string
}

// RuleBook keeps what users may do.
type RuleBook interface {
	// GetRules gives what holds at present for a user, who may be "", in a
	// channel, or everywhere for the channel "".
	GetRules(ctx context.Context, user, channelID string) (Rules, error)
}

// Messages keeps channels, their counters and their messages.
type Messages interface {
	// OpenChannel creates a channel unless it is there, and gives its last
	// sequence number, 0 in a new one.
	OpenChannel(ctx context.Context, channelID string) (int64, error)
	// NextSeq gives a channel's next sequence number, which no other call gets.
	NextSeq(ctx context.Context, channelID string) (int64, error)
	// PutMessage never replaces a message: it is an error if another one has
	// its place.
	PutMessage(ctx context.Context, m Message) error
	// GetMessage gives what has a place in a channel, or an error that wraps
	// ErrGone.
	GetMessage(ctx context.Context, channelID string, seq int64) (Message, error)
	// PutRevision changes a message to m and puts the revision, which is in the
	// place m.EditSeq, in one step. It returns an error that wraps ErrChanged if
	// the message is gone, is deleted, or has a revision in a later place.
	PutRevision(ctx context.Context, m, revision Message) error
	// ListHistory gives messages and revisions of a channel by their sequence numbers. It ends
	// at its first error.
	ListHistory(ctx context.Context, channelID string, r HistoryRange) iter.Seq2[Message, error]
}

// Directs keeps with whom users have spoken.
type Directs interface {
	// PutDirect makes a direct message, or a revision of one, the last in the lists
	// of both its users, unless they have a later one of their conversation.
	PutDirect(ctx context.Context, m Message) error
	// ListDirects gives a user's conversations in the order of their peers, those
	// after one of them, or all for "". Few more than limit are read unless they
	// are asked for. It ends at its first error.
	ListDirects(ctx context.Context, user, after string, limit int) iter.Seq2[Direct, error]
}

// SentMessages keeps for SentFor which messages were sent under which ids.
type SentMessages interface {
	// GetSent returns an error that wraps ErrGone if the sender has used no such
	// id.
	GetSent(ctx context.Context, sender, id string) (Sent, error)
	// PutSent gives the Sent that is kept, which is the first.
	PutSent(ctx context.Context, s Sent) (Sent, error)
}

// Rates keeps how fast senders send.
type Rates interface {
	// TakeTokens takes tokens from a sender's bucket, which is full at first:
	// as many as asked for if it is full, else one. If there is none, it takes
	// 0 and gives how long to wait.
	TakeTokens(ctx context.Context, sender string, b Bucket, tokens int) (taken int, wait time.Duration, err error)
}

// PublishRequests keeps the messages that services want out.
type PublishRequests interface {
	// GetPublishRequest returns an error that wraps ErrGone if there is no such
	// request.
	GetPublishRequest(ctx context.Context, channelID, key string) (PublishRequest, error)
	// PutPublished replaces a request by its message, the delivery of it and,
	// unless its ID is empty, what is remembered of it, in one step. It returns
	// an error that wraps ErrGone if there is no such request any more, another
	// if its id has been used.
	PutPublished(ctx context.Context, r PublishRequest, m Message, d Delivery, s Sent) error
	// DeletePublishRequest does nothing if there is no such request.
	DeletePublishRequest(ctx context.Context, channelID, key string) error
	// RejectPublishRequest writes onto a request why it cannot be published.
	RejectPublishRequest(ctx context.Context, r PublishRequest, reason string) error
}

// Deliveries keeps what is still to be delivered. A delivery that is put comes
// back through the table's stream, as a change for Service.Apply.
type Deliveries interface {
	PutDelivery(ctx context.Context, d Delivery) error
	// GetDelivery returns an error that wraps ErrGone if there is no such
	// delivery.
	GetDelivery(ctx context.Context, channelID, key string) (Delivery, error)
	// DeleteDelivery does nothing if there is no such delivery.
	DeleteDelivery(ctx context.Context, channelID, key string) error
}

// Moderation keeps what is put upon users and channels. A sanction that is put or
// deleted comes back through the table's stream, as a change for Service.Apply;
// so does another slow mode.
type Moderation interface {
	// PutSanction replaces the one of the same kind, user and channel.
	PutSanction(ctx context.Context, x Sanction) error
	// GetSanction returns an error that wraps ErrGone if none is in force.
	GetSanction(ctx context.Context, kind SanctionKind, user, channelID string) (Sanction, error)
	// DeleteSanction does nothing if there is no such sanction.
	DeleteSanction(ctx context.Context, kind SanctionKind, user, channelID string) error
	// DeleteKick deletes a kick that is done, unless another has replaced it.
	DeleteKick(ctx context.Context, x Sanction) error
	// PutSlowMode sets the time between two messages of a user in a channel, 0 for
	// none.
	PutSlowMode(ctx context.Context, channelID string, every time.Duration) error
}

// DeleteRequests keeps the messages that services want deleted.
type DeleteRequests interface {
	// GetDeleteRequest returns an error that wraps ErrGone if there is no such
	// request.
	GetDeleteRequest(ctx context.Context, channelID, key string) (DeleteRequest, error)
	// FinishDeleteRequest deletes a request that is done, unless it asks for more
	// by now.
	FinishDeleteRequest(ctx context.Context, r DeleteRequest) error
	// RejectDeleteRequest writes onto a request why it cannot be granted.
	RejectDeleteRequest(ctx context.Context, r DeleteRequest, reason string) error
	// EraseAuthor takes away who a deleted message was by, also from its revisions.
	EraseAuthor(ctx context.Context, m Message) error
}

// Expiries keeps when the tokens of connections expire.
type Expiries interface {
	PutExpiry(ctx context.Context, e Expiry) error
	// ListExpiries gives those of the minute that minute is in, in any order. It
	// ends at its first error.
	ListExpiries(ctx context.Context, minute time.Time) iter.Seq2[Expiry, error]
	// DeleteExpiry does nothing if there is no such expiry.
	DeleteExpiry(ctx context.Context, e Expiry) error
}

// A Poster posts frames to connections, and closes them.
type Poster interface {
	// Post posts frame to every connection that ids gives, several at a time,
	// and tries again what may pass, but only for a moment once nothing else
	// keeps it: one connection must not hold up the others. When ctx ends, or its
	// deadline is too near for another try, it stops taking ids; each id that it
	// took and neither delivered nor found gone is in Outcome.Undelivered.
	Post(ctx context.Context, ids iter.Seq[string], frame []byte) Outcome
	// Close closes a connection, and does nothing if it does not exist. It tries
	// again what may pass.
	Close(ctx context.Context, connectionID string) error
}

// An Outcome says what became of a frame.
type Outcome struct {
	// Delivered counts the connections that the frame was handed to.
	Delivered int
	// Gone has the connections that do not exist.
	Gone []string
	// Undelivered has the connections that may exist and were not reached.
	Undelivered []string
	// Busy counts those of Undelivered for which the API had no room: of their
	// own, as their clients do not read what they are sent, or altogether.
	Busy int
	// Slow counts the connections that had no room either and were known for
	// it: their clients do not read. The frame is lost to them.
	Slow int
	// Err is why some connection was not reached, nil if all were.
	Err error
}
