package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/local/eventsource"
)

// A Letter is a message in a dead-letter queue: what an event source mapping gave
// up.
type Letter struct {
	ID     string    `json:"id"`    // the message's requestContext.requestId
	Queue  string    `json:"queue"` // name
	SentAt time.Time `json:"sentAt"`

	// What the message says of the records and why they were given up.
	Function    string `json:"function"` // name
	Condition   string `json:"condition"`
	InvokeCount int    `json:"invokeCount"`
	BatchSize   int    `json:"batchSize"`

	// Body is the message itself, exactly as the queue got it.
	Body json.RawMessage `json:"body"`

	// Records are those that the message speaks of, as the function got them, read
	// again from the stream; those that are there no more are missing.
	Records []json.RawMessage `json:"records"`
}

// DeadLetters returns what the queues hold, the newest first.
func (c *Cloud) DeadLetters(ctx context.Context) ([]Letter, error) {
	letters := []Letter{}
	for _, queue := range c.notes.list(typeQueue, nil) {
		bodies, err := c.letters.list(queue.Outputs.text("arn"))
		if err != nil {
			return nil, fmt.Errorf("dead letters of %s: %w", queue.ID, err)
		}
		for _, body := range slices.Backward(bodies) {
			letter, content := readLetter(queue.Inputs.text("name"), body)
			letter.Records = c.recordsOf(ctx, content)
			letters = append(letters, letter)
		}
	}
	slices.SortStableFunc(letters, func(x, y Letter) int { return y.SentAt.Compare(x.SentAt) })
	return letters, nil
}

// readLetter takes out of a message what people look for.
func readLetter(queue string, body json.RawMessage) (Letter, eventsource.DeadLetter) {
	var content eventsource.DeadLetter
	_ = json.Unmarshal(body, &content) // of a message that is none, nothing is known
	about := content.RequestContext
	sentAt, _ := time.Parse(time.RFC3339, content.Timestamp)
	return Letter{
		ID: about.RequestID, Queue: queue, SentAt: sentAt, Function: functionName(about.FunctionARN),
		Condition: about.Condition, InvokeCount: about.ApproximateInvokeCount,
		BatchSize: content.Batch.BatchSize, Body: body,
	}, content
}

// recordsOf reads the records that a letter speaks of.
func (c *Cloud) recordsOf(ctx context.Context, letter eventsource.DeadLetter) []json.RawMessage {
	for _, r := range c.notes.list(typeMapping, nil) {
		m := mapping(c, r)
		if m.FunctionARN != letter.RequestContext.FunctionARN || m.StreamARN != letter.Batch.StreamARN {
			continue
		}
		records, err := eventsource.Reread(ctx, dynamodbstreams.NewFromConfig(c.clientConfig(owner)), m, letter)
		if err == nil {
			return records
		}
		c.log.Info("records of a dead letter not read", "error", err)
	}
	return []json.RawMessage{}
}

// ClearDeadLetters empties the queues, as sqs:PurgeQueue does.
func (c *Cloud) ClearDeadLetters() error {
	for _, queue := range c.notes.list(typeQueue, nil) {
		if err := c.letters.delete(queue.Outputs.text("arn")); err != nil {
			return fmt.Errorf("clear %s: %w", queue.ID, err)
		}
	}
	return nil
}
