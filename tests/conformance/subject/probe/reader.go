package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A streamRecord is a record as far as the reader looks at it. What it is to do
// stands in the item: do is a word below, times how many deliveries it is for.
type streamRecord struct {
	EventID  string
	Dynamodb struct {
		SequenceNumber string
		Keys           map[string]struct{ S string }
		NewImage       map[string]struct{ S, N string }
	}
}

type failure struct {
	ItemIdentifier *string `json:"itemIdentifier"`
}

// read serves the batches of a feed.
func (p *probe) read(ctx context.Context, payload json.RawMessage) (any, error) {
	var batch struct{ Records []streamRecord }
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, err
	}
	if err := p.note(ctx, "batch-"+os.Getenv("FEED"), payload); err != nil {
		return nil, err
	}
	failures := []failure{}
	var whole any
	for i := len(batch.Records) - 1; i >= 0; i-- { // from the end, since the order of failures must not matter
		r := batch.Records[i]
		order := r.Dynamodb.NewImage["do"].S
		if ms, err := strconv.Atoi(r.Dynamodb.NewImage["ms"].N); err == nil {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		if order == "" {
			continue
		}
		due, err := p.due(ctx, r)
		if err != nil {
			return nil, err
		}
		if !due {
			continue
		}
		id := r.Dynamodb.SequenceNumber
		switch order {
		case "fail":
			failures = append(failures, failure{&id})
		case "error":
			return nil, errOrdered
		case "panic":
			panic("ordered to panic")
		case "answer": // whatever the item says
			whole = json.RawMessage(r.Dynamodb.NewImage["answer"].S)
		}
	}
	if whole != nil {
		return whole, nil
	}
	return map[string]any{"batchItemFailures": failures}, nil
}

// due counts a delivery of a record and says whether its order still holds.
func (p *probe) due(ctx context.Context, r streamRecord) (bool, error) {
	times := r.Dynamodb.NewImage["times"].N
	if times == "" {
		return true, nil
	}
	limit, err := strconv.Atoi(times)
	if err != nil {
		return false, err
	}
	out, err := p.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &p.record,
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "count-" + r.EventID},
			"sk": &types.AttributeValueMemberS{Value: "count"},
		},
		UpdateExpression:          aws.String("ADD n :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return false, fmt.Errorf("count a delivery: %w", err)
	}
	n, ok := out.Attributes["n"].(*types.AttributeValueMemberN)
	if !ok {
		return false, fmt.Errorf("count a delivery: n is %T", out.Attributes["n"])
	}
	count, err := strconv.Atoi(n.Value)
	return count <= limit, err
}
