// Command probe is a Lambda function that behaves as it is told, well or badly,
// and notes what it got. By the variable PROBE it stands behind routes, is an
// authorizer, reads a stream, is invoked on a schedule, or speaks the Runtime API
// by itself.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p := &probe{cfg: cfg, table: dynamodb.NewFromConfig(cfg), record: os.Getenv("RECORD_TABLE"), began: time.Now()}
	switch kind := os.Getenv("PROBE"); kind {
	case "":
		lambda.Start(p.route)
	case "farewell":
		lambda.StartWithOptions(p.route, lambda.WithEnableSIGTERM(p.farewell))
	case "authorizer":
		lambda.Start(p.authorize)
	case "reader":
		lambda.Start(p.read)
	case "scheduled":
		lambda.Start(p.scheduled)
	case "runtime":
		err = serveRuntime(os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	default:
		err = fmt.Errorf("PROBE is %q", kind)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A probe is what lives from one invocation to the next.
type probe struct {
	cfg    aws.Config
	table  *dynamodb.Client
	record string
	began  time.Time

	served int   // invocations, this one too
	active int32 // invocations at this moment
	ticks  int64 // of the goroutine that was left running
}

// note keeps what an invocation saw under a key that its case knows.
func (p *probe) note(ctx context.Context, key string, payload json.RawMessage) error {
	now := time.Now()
	_, err := p.table.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &p.record,
		Item: map[string]types.AttributeValue{
			"pk":  &types.AttributeValueMemberS{Value: key},
			"sk":  &types.AttributeValueMemberS{Value: fmt.Sprintf("%d-%d", now.UnixNano(), os.Getpid())},
			"raw": &types.AttributeValueMemberS{Value: string(payload)},
			"pid": &types.AttributeValueMemberN{Value: strconv.Itoa(os.Getpid())},
			"ttl": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(24*time.Hour).Unix(), 10)},
		},
	})
	if err != nil {
		return fmt.Errorf("note what %s saw: %w", key, err)
	}
	return nil
}

// scheduled notes each attempt at an event, and fails it.
func (p *probe) scheduled(ctx context.Context, payload json.RawMessage) error {
	if err := p.note(ctx, "scheduled", payload); err != nil {
		return err
	}
	return errOrdered
}

// farewell notes that the process was told to end.
func (p *probe) farewell() {
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	if err := p.note(ctx, "farewell-"+strconv.Itoa(os.Getpid()), json.RawMessage("{}")); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
