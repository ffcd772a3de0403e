package eventsource

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/local/dynamo/dynamotest"
)

// A realTable is a table with a stream in the table engine.
type realTable struct {
	t       *testing.T
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	name    string
	stream  string // as the engine calls it
}

func newRealTable(t *testing.T) *realTable {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(dynamotest.Endpoint(t)),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   &http.Client{Transport: transport},
	}
	r := &realTable{
		t:       t,
		db:      dynamodb.NewFromConfig(cfg),
		streams: dynamodbstreams.NewFromConfig(cfg),
		name:    fmt.Sprintf("eventsource-%d", time.Now().UnixNano()),
	}
	out, err := r.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &r.name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.stream = *out.TableDescription.LatestStreamArn
	return r
}

func key(sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "CHANNEL|General"},
		"sk": &types.AttributeValueMemberS{Value: sk},
	}
}

func (r *realTable) put(sk string) {
	r.t.Helper()
	if _, err := r.db.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: &r.name, Item: key(sk)}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *realTable) delete(sk string) {
	r.t.Helper()
	if _, err := r.db.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{TableName: &r.name, Key: key(sk)}); err != nil {
		r.t.Fatal(err)
	}
}

// A seen function tells of each record that it gets, as "INSERT a".
type seenFunction chan string

func (f seenFunction) Invoke(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
	var event events.DynamoDBEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, "", err
	}
	for _, r := range event.Records {
		if !strings.HasPrefix(r.EventSourceArn, "arn:aws:dynamodb:") || r.AWSRegion != "eu-west-1" || !eventIDForm.MatchString(r.EventID) {
			return nil, "", fmt.Errorf("record %+v", r)
		}
		f <- r.EventName + " " + r.Change.Keys["sk"].String()
	}
	return nil, "", nil
}

func (f seenFunction) next(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		select {
		case record := <-f:
			all = append(all, record)
		case <-time.After(20 * time.Second):
			t.Fatalf("only %v came", all)
		}
	}
	return all
}

func TestRealEngine(t *testing.T) {
	t.Parallel()
	table := newRealTable(t)
	checkpoints, err := NewFileCheckpoints(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	function := make(seenFunction, 2000)
	start := func(m Mapping) *Poller {
		p := New(Options{
			StreamsFor:  func(Mapping) Streams { return table.streams },
			Invoker:     function,
			Checkpoints: checkpoints,
		})
		if err := p.Put(m); err != nil {
			t.Fatal(err)
		}
		return p
	}
	m := mapping(func(m *Mapping) {
		m.OnFailureARN, m.StreamARN = "", table.stream
		m.Filters = []string{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"CONNECTION|"}]}}}}`}
	})
	table.put("CONNECTION|a")
	p := start(m)
	defer func() { p.Close() }()
	wantSame(t, "what was there", []string{"INSERT CONNECTION|a"}, function.next(t, 1))
	table.put("META")
	table.delete("CONNECTION|a")
	table.put("CONNECTION|b")
	wantSame(t, "what counts", []string{"REMOVE CONNECTION|a", "INSERT CONNECTION|b"}, function.next(t, 2))

	p.Close()
	var want []string
	for i := range 250 {
		sk := fmt.Sprintf("CONNECTION|%03d", i)
		table.put(sk)
		want = append(want, "INSERT "+sk)
	}
	p = start(m)
	wantSame(t, "after a restart, in order", want, function.next(t, len(want)))
	p.Close()
	if len(function) > 0 {
		t.Errorf("more than that: %s", <-function)
	}
	c, _, err := checkpoints.Load(m.UUID)
	if err != nil || len(c.Shards) != 1 || c.Stream != table.stream {
		t.Errorf("checkpoint %+v (%v)", c, err)
	}
}

func TestRealEngineLatest(t *testing.T) {
	t.Parallel()
	table := newRealTable(t)
	checkpoints, err := NewFileCheckpoints(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	function := make(seenFunction, 100)
	p := New(Options{
		StreamsFor:  func(Mapping) Streams { return table.streams },
		Invoker:     function,
		Checkpoints: checkpoints,
	})
	defer p.Close()
	table.put("before")
	m := mapping(func(m *Mapping) { m.StartingPosition, m.OnFailureARN, m.StreamARN = Latest, "", table.stream })
	if err := p.Put(m); err != nil {
		t.Fatal(err)
	}
	// Like on AWS, what is written while the mapping begins may be missed: write
	// until something comes.
	for i := 0; ; i++ {
		table.put(fmt.Sprintf("after %d", i))
		select {
		case record := <-function:
			if !strings.HasPrefix(record, "INSERT after ") {
				t.Errorf("record %s", record)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
		if i == 400 {
			t.Fatal("nothing came")
		}
	}
}

func TestRealEngineInLanes(t *testing.T) {
	t.Parallel()
	table := newRealTable(t)
	checkpoints, err := NewFileCheckpoints(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const channels, messages = 5, 30
	for i := range messages {
		for channel := range channels {
			item := key(fmt.Sprintf("%02d", i))
			item["pk"] = &types.AttributeValueMemberS{Value: fmt.Sprint(channel)}
			if _, err := table.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table.name, Item: item}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := make(chan [2]string, channels*messages)
	p := New(Options{
		StreamsFor:   func(Mapping) Streams { return table.streams },
		Checkpoints:  checkpoints,
		PartitionKey: func(Mapping) string { return "pk" },
		Invoker: invokerFunc(func(payload []byte) {
			var event events.DynamoDBEvent
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Error(err)
			}
			for _, r := range event.Records {
				got <- [2]string{r.Change.Keys["pk"].String(), r.Change.Keys["sk"].String()}
			}
		}),
	})
	defer p.Close()
	m := mapping(func(m *Mapping) {
		m.OnFailureARN, m.StreamARN, m.ParallelizationFactor, m.BatchSize = "", table.stream, 4, 7
	})
	if err := p.Put(m); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for n := range channels * messages {
		select {
		case keys := <-got:
			if want := fmt.Sprintf("%02d", next[keys[0]]); keys[1] != want {
				t.Fatalf("of channel %s came %s, not %s", keys[0], keys[1], want)
			}
			next[keys[0]]++
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d came", n)
		}
	}
}

type invokerFunc func(payload []byte)

func (f invokerFunc) Invoke(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
	f(payload)
	return nil, "", nil
}
