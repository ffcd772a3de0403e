package eventsource

import (
	"encoding/json"
	"time"

	"example.com/chatstack/internal/uuid"
)

// Conditions under which records are given up.
const (
	retryAttemptsExhausted = "RetryAttemptsExhausted"
	recordAgeExpired       = "RecordAgeExpired"
)

// A DeadLetter is what the on-failure destination gets, as JSON. It holds no
// record, only where the records are in the stream: [Reread] finds them there.
type DeadLetter struct {
	RequestContext struct {
		RequestID              string `json:"requestId"`
		FunctionARN            string `json:"functionArn"`
		Condition              string `json:"condition"`
		ApproximateInvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	// ResponseContext is absent if the function never ran.
	ResponseContext *ResponseContext `json:"responseContext,omitempty"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           struct {
		ShardID                         string `json:"shardId"`
		StartSequenceNumber             string `json:"startSequenceNumber"`
		EndSequenceNumber               string `json:"endSequenceNumber"`
		ApproximateArrivalOfFirstRecord string `json:"approximateArrivalOfFirstRecord"`
		ApproximateArrivalOfLastRecord  string `json:"approximateArrivalOfLastRecord"`
		BatchSize                       int    `json:"batchSize"`
		StreamARN                       string `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
}

// A ResponseContext is how the function ended when it ran last.
type ResponseContext struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError"` // null if the function reported the failure itself
}

// deadLetter is the body for a piece that is given up.
func (l *lane) deadLetter(p piece, condition string) []byte {
	var d DeadLetter
	d.RequestContext.RequestID = uuid.New()
	d.RequestContext.FunctionARN = l.mapping.FunctionARN
	d.RequestContext.Condition = condition
	d.RequestContext.ApproximateInvokeCount = p.invoked
	if p.invoked > 0 {
		d.ResponseContext = &ResponseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		if p.functionError != "" {
			d.ResponseContext.FunctionError = &p.functionError
		}
	}
	d.Version = "1.0"
	d.Timestamp = l.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	first, last := p.items[0], p.items[len(p.items)-1]
	d.Batch.ShardID = l.shard
	d.Batch.StartSequenceNumber = first.sequence
	d.Batch.EndSequenceNumber = last.sequence
	d.Batch.ApproximateArrivalOfFirstRecord = first.created.UTC().Format(time.RFC3339)
	d.Batch.ApproximateArrivalOfLastRecord = last.created.UTC().Format(time.RFC3339)
	d.Batch.BatchSize = len(p.items)
	d.Batch.StreamARN = l.mapping.StreamARN
	body, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	return body
}
