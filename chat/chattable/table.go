package chattable

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// ConnectionTTL is how long a connection and its subscriptions are kept if
// nothing ends them before: a little longer than the 2 hours that API Gateway
// lets a connection last (quota "Connection duration for WebSocket API").
const ConnectionTTL = 2*time.Hour + 10*time.Minute

// DeliveryTTL is how long an unfinished delivery is kept: the 24 hours for
// which the stream keeps the record that would go on with it.
const DeliveryTTL = 24 * time.Hour

// RejectedTTL is how long a rejected request is kept for its writer to see why,
// unless it has an expiry of its own.
const RejectedTTL = 7 * 24 * time.Hour

// A Table is a chat's table. Its methods may be called by several goroutines at
// once; its fields are set before the first call and then left alone.
type Table struct {
	Client *dynamodb.Client
	Name   string

	// Retention is how long messages are kept; 0 means for ever. A message has
	// its expiry from when it is stored; a change affects later ones.
	Retention time.Duration

	// PageSize is the most items that a query reads at a time; 0 means as many
	// as DynamoDB's 1 MB a page holds.
	PageSize int32

	// Now gives the time; nil means time.Now.
	Now func() time.Time
}

// New makes a table that keeps messages for ever.
func New(client *dynamodb.Client, name string) *Table {
	return &Table{Client: client, Name: name}
}

var _ chat.Store = (*Table)(nil)

func (t *Table) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// An item is an item of the table, or a part of one.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// timestamp gives t as the table has it: RFC 3339 in UTC with milliseconds.
func timestamp(t time.Time) types.AttributeValue {
	return text(t.UTC().Format(timeForm))
}

const timeForm = "2006-01-02T15:04:05.000Z07:00"

// expiry gives the value of ttl: DynamoDB takes seconds since 1970.
func expiry(t time.Time) types.AttributeValue { return number(t.Unix()) }

// textOf gives a string attribute, "" if there is none.
func textOf(i item, name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// setText sets an attribute unless it would be empty.
func setText(i item, name, value string) {
	if value != "" {
		i[name] = text(value)
	}
}

// setTexts sets an attribute to a list of strings unless it would be empty.
func setTexts(i item, name string, values []string) {
	if len(values) == 0 {
		return
	}
	list := &types.AttributeValueMemberL{}
	for _, v := range values {
		list.Value = append(list.Value, text(v))
	}
	i[name] = list
}

// textsOf gives a list or a set of strings, nil if there is none.
func textsOf(i item, name string) (values []string) {
	switch v := i[name].(type) {
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			if s, ok := element.(*types.AttributeValueMemberS); ok {
				values = append(values, s.Value)
			}
		}
	}
	return values
}

// numberOf gives a number attribute that is a whole number, else 0.
func numberOf(i item, name string) int64 {
	if n, ok := i[name].(*types.AttributeValueMemberN); ok {
		value, _ := strconv.ParseInt(n.Value, 10, 64)
		return value
	}
	return 0
}

// timeOf gives a timestamp, the zero time if there is none.
func timeOf(i item, name string) time.Time {
	t, _ := time.Parse(time.RFC3339, textOf(i, name))
	return t
}

// expired reports whether an item is past its ttl. DynamoDB deletes such items
// only within days, and until then gives them.
func (t *Table) expired(i item) bool {
	ttl := numberOf(i, "ttl")
	return ttl != 0 && ttl <= t.now().Unix()
}
