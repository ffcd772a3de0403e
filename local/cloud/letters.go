package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/local/eventsource"
)

// A Letter is a message that an event source mapping sent to its on-failure
// destination.
type Letter struct {
	Queue  string    `json:"queue"` // its name
	SentAt time.Time `json:"sentAt"`

	// Body is the message, exactly as the queue got it.
	Body json.RawMessage `json:"body"`

	// Records are those of the batch that the message speaks of, as the function got
	// them, read again from the stream. Empty where they are no longer there.
	Records []json.RawMessage `json:"records"`
}

// DeadLetters returns what the queues hold, the oldest of each first.
func (c *Cloud) DeadLetters(ctx context.Context) ([]Letter, error) {
	letters := []Letter{}
	for _, queue := range c.notes.list(typeQueue, nil) {
		bodies, err := c.letters.list(queue.Outputs.text("arn"))
		if err != nil {
			return nil, fmt.Errorf("dead letters of %s: %w", queue.ID, err)
		}
		for _, body := range bodies {
			letters = append(letters, c.letter(ctx, queue.Inputs.text("name"), body))
		}
	}
	return letters, nil
}

// letter reads what a message speaks of.
func (c *Cloud) letter(ctx context.Context, queue string, body json.RawMessage) Letter {
	letter := Letter{Queue: queue, Body: body, Records: []json.RawMessage{}}
	var content struct {
		Timestamp      time.Time `json:"timestamp"`
		RequestContext struct {
			FunctionARN string `json:"functionArn"`
		} `json:"requestContext"`
		Batch struct {
			StreamARN string `json:"streamArn"`
		} `json:"DDBStreamBatchInfo"`
	}
	if err := json.Unmarshal(body, &content); err != nil {
		return letter // sent by a function itself
	}
	letter.SentAt = content.Timestamp
	for _, r := range c.notes.list(typeMapping, nil) {
		m := mapping(c, r)
		if m.FunctionARN != content.RequestContext.FunctionARN || m.StreamARN != content.Batch.StreamARN {
			continue
		}
		records, err := eventsource.Reread(ctx, dynamodbstreams.NewFromConfig(c.clientConfig(owner)), m, body)
		if err != nil {
			c.log.Info("records of a dead letter not read", "error", err)
			continue
		}
		letter.Records = records
	}
	return letter
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
