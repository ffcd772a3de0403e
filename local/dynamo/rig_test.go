package dynamo_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

const (
	region  = "eu-north-1"
	account = "000000000000"
	prefix  = "arn:aws:dynamodb:" + region + ":" + account + ":"
)

// A rig is a front of an engine, with clients of it.
type rig struct {
	t       *testing.T
	front   *dynamo.Front
	config  aws.Config
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
}

// newRig returns a front of the engine that the tests share.
func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOn(t, dynamotest.Endpoint(t))
}

func newRigOn(t *testing.T, engine string) *rig {
	t.Helper()
	return newRigWith(t, dynamo.FrontOptions{Engine: engine})
}

// newRigWith returns a front with options, of which it fills in the engine and
// what ARNs name.
func newRigWith(t *testing.T, options dynamo.FrontOptions) *rig {
	t.Helper()
	if options.Engine == "" {
		options.Engine = dynamotest.Endpoint(t)
	}
	options.Region, options.Account = region, account
	front, err := dynamo.NewFront(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	server := httptest.NewServer(front)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := aws.Config{
		Region: region, BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("someone", "else", ""),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	return &rig{t: t, front: front, config: cfg, db: dynamodb.NewFromConfig(cfg), streams: dynamodbstreams.NewFromConfig(cfg)}
}

// as returns the rig with clients that sign with other credentials.
func (r *rig) as(accessKeyID, secret, token string) *rig {
	cfg := r.config
	cfg.Credentials = credentials.NewStaticCredentialsProvider(accessKeyID, secret, token)
	return &rig{t: r.t, front: r.front, config: cfg, db: dynamodb.NewFromConfig(cfg), streams: dynamodbstreams.NewFromConfig(cfg)}
}

// table creates a table with a stream that is deleted at the end of the test.
func (r *rig) table() *types.TableDescription {
	r.t.Helper()
	created := r.create()
	r.t.Cleanup(func() {
		if _, err := r.db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: created.TableName}); err != nil {
			r.t.Error(err)
		}
	})
	return created
}

// create creates a table with a stream.
func (r *rig) create() *types.TableDescription {
	r.t.Helper()
	created, err := r.db.CreateTable(r.t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String("dynamo-" + rand.Text()),
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return created.TableDescription
}

// put stores an item; rest are its further attributes, name by value.
func (r *rig) put(table *string, sk string, rest map[string]types.AttributeValue) {
	r.t.Helper()
	item := map[string]types.AttributeValue{"pk": text("p"), "sk": text(sk)}
	for name, value := range rest {
		item[name] = value
	}
	if _, err := r.db.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
		r.t.Fatal(err)
	}
}

// left returns the sort keys of a table's items.
func (r *rig) left(table *string) string {
	r.t.Helper()
	out, err := r.db.Query(r.t.Context(), &dynamodb.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": text("p")},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	var keys []string
	for _, item := range out.Items {
		keys = append(keys, item["sk"].(*types.AttributeValueMemberS).Value)
	}
	return strings.Join(keys, " ")
}

// records reads a stream from its beginning to where it is now.
func (r *rig) records(stream *string) []streamtypes.Record {
	r.t.Helper()
	ctx := r.t.Context()
	described, err := r.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: stream})
	if err != nil {
		r.t.Fatal(err)
	}
	var records []streamtypes.Record
	for _, shard := range described.StreamDescription.Shards {
		got, err := r.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: stream, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			r.t.Fatal(err)
		}
		for next := got.ShardIterator; next != nil; {
			page, err := r.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next})
			if err != nil {
				r.t.Fatal(err)
			}
			if len(page.Records) == 0 {
				break
			}
			records, next = append(records, page.Records...), page.NextShardIterator
		}
	}
	return records
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// post sends a body as it is, signed by the clients of another rig, or not at
// all with none.
func (r *rig) post(target, body string, signer *rig) (status int, answer string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, *r.config.BaseEndpoint, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	if signer != nil {
		c, err := signer.config.Credentials.Retrieve(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(r.t.Context(), c, req, hex.EncodeToString(sum[:]), "dynamodb", region, time.Now()); err != nil {
			r.t.Fatal(err)
		}
	}
	resp, err := r.config.HTTPClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if got, want := resp.Header.Get("X-Amz-Crc32"), strconv.FormatUint(uint64(crc32.ChecksumIEEE(all)), 10); got != want {
		r.t.Errorf("checksum %s, want %s", got, want)
	}
	return resp.StatusCode, string(all)
}
