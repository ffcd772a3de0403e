package conformance

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A note is what a probe wrote down of an invocation.
type note struct {
	raw string // what the function got
	pid string
	at  string // sorts by time
}

// notes are those under a key, in their order.
func (s *subject) notes(c *check, key string) []note {
	c.Helper()
	var notes []note
	pages := dynamodb.NewQueryPaginator(s.table, &dynamodb.QueryInput{
		TableName: aws.String(s.output(c, "record")), KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(key)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.Context())
		if err != nil {
			c.Fatalf("read the notes of %s: %v", key, err)
		}
		for _, item := range page.Items {
			notes = append(notes, note{raw: textOf(item["raw"]), pid: numberOf(item["pid"]), at: textOf(item["sk"])})
		}
	}
	return notes
}

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

func textOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func numberOf(v types.AttributeValue) string {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		return n.Value
	}
	return ""
}

// An event is what a route's function got, with every key that it has.
type event struct {
	c      *check
	raw    string
	fields map[string]any
	result json.RawMessage // of the call that the function made, if it made one
}

// A requestContext is that of an event.
type requestContext struct {
	RouteKey, MessageID, EventType, ExtendedRequestID, RequestTime, MessageDirection string
	Stage, RequestID, DomainName, ConnectionID, APIID                                string

	DisconnectStatusCode          int
	DisconnectReason              *string
	ConnectedAt, RequestTimeEpoch int64
	Identity                      map[string]any
	Authorizer                    map[string]any
}

func (e event) context() requestContext {
	e.c.Helper()
	var decoded struct{ RequestContext requestContext }
	if err := json.Unmarshal([]byte(e.raw), &decoded); err != nil {
		e.c.Fatalf("event %s: %v", e.raw, err)
	}
	return decoded.RequestContext
}

// has lists an event's keys, or those of one of its objects.
func (e event) has(path ...string) []string {
	at := e.fields
	for _, name := range path {
		at, _ = at[name].(map[string]any)
	}
	return slices.Sorted(maps.Keys(at))
}

func (e event) text(path ...string) string {
	at := e.fields
	for _, name := range path[:len(path)-1] {
		at, _ = at[name].(map[string]any)
	}
	value, _ := at[path[len(path)-1]].(string)
	return value
}

// event waits for the first event of a type that was noted under a key.
func (s *subject) event(c *check, key, eventType string) event {
	c.Helper()
	var found event
	eventually(c, "an event "+eventType, func() bool {
		for _, e := range s.events(c, key) {
			if e.context().EventType == eventType {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// events are those noted under a key so far.
func (s *subject) events(c *check, key string) []event {
	c.Helper()
	var events []event
	for _, n := range s.notes(c, key) {
		e := event{c: c, raw: n.raw}
		var called struct{ Event, Result json.RawMessage }
		if err := json.Unmarshal([]byte(n.raw), &called); err == nil && called.Event != nil {
			e.raw, e.result = string(called.Event), called.Result
		}
		if err := json.Unmarshal([]byte(e.raw), &e.fields); err != nil {
			c.Fatalf("note %s: %v", n.raw, err)
		}
		events = append(events, e)
	}
	return events
}
