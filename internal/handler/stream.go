package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// Stream handles batches of the table's stream. Its event source mapping must
// report batch item failures and bisect a batch on a function error.
type Stream struct {
	Chat *chat.Service
	Log  *slog.Logger
}

// A StreamEvent is a batch. Its records are decoded one by one, so that one that
// cannot be is no matter of the others.
type StreamEvent struct {
	Records []json.RawMessage `json:"Records"`
}

// Handle applies the records of a batch in their order and stops at the first
// that fails, or when the time is nearly up. It reports where it stopped: Lambda
// goes on from there.
//
// If it is the first record that fails, Handle returns an error. Reporting it
// would change nothing: the next batch would be the same, and at the end of its
// retries its other records would be given up with it. On an error the mapping
// splits the batch, until the record that fails is alone, and alone ends in the
// dead-letter queue.
func (h Stream) Handle(ctx context.Context, event StreamEvent) (events.DynamoDBEventResponse, error) {
	enough := enoughTime(ctx)
	for i, raw := range event.Records {
		sequenceNumber, err := h.apply(ctx, raw)
		if err != nil {
			h.Log.ErrorContext(ctx, "stream record not applied", "sequenceNumber", sequenceNumber,
				"record", i, "records", len(event.Records), "error", err)
			if i == 0 || sequenceNumber == "" {
				return events.DynamoDBEventResponse{}, fmt.Errorf("stream record %s: %w", sequenceNumber, err)
			}
			return stoppedAt(sequenceNumber), nil
		}
		if next := i + 1; next < len(event.Records) && !enough() {
			h.Log.WarnContext(ctx, "batch stopped for want of time", "record", next, "records", len(event.Records))
			return stoppedAt(sequenceNumberOf(event.Records[next])), nil
		}
	}
	return events.DynamoDBEventResponse{}, nil
}

func (h Stream) apply(ctx context.Context, raw json.RawMessage) (sequenceNumber string, err error) {
	sequenceNumber = sequenceNumberOf(raw)
	var record events.DynamoDBEventRecord
	if err := json.Unmarshal(raw, &record); err != nil {
		return sequenceNumber, fmt.Errorf("decode: %w", err)
	}
	change, err := chattable.DecodeRecord(record)
	if err != nil {
		return sequenceNumber, err
	}
	if change == nil {
		return sequenceNumber, nil
	}
	if err := h.Chat.Apply(ctx, change); err != nil {
		return sequenceNumber, fmt.Errorf("apply %s: %w", record.EventName, err)
	}
	return sequenceNumber, nil
}

// sequenceNumberOf reads what names a record, also in one that is broken
// elsewhere; "" if even that cannot be read.
func sequenceNumberOf(raw json.RawMessage) string {
	var record struct {
		Change struct {
			SequenceNumber string `json:"SequenceNumber"`
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(raw, &record); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
		return ""
	}
	return record.Change.SequenceNumber
}

func stoppedAt(sequenceNumber string) events.DynamoDBEventResponse {
	return events.DynamoDBEventResponse{
		BatchItemFailures: []events.DynamoDBBatchItemFailure{{ItemIdentifier: sequenceNumber}},
	}
}

// enoughTime tells, from now on, whether more than a quarter of the time until
// ctx's deadline is left: enough to begin another record, and to store what of
// it cannot be delivered any more.
func enoughTime(ctx context.Context) func() bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return func() bool { return true }
	}
	quarter := time.Until(deadline) / 4
	return func() bool { return time.Until(deadline) > quarter }
}
