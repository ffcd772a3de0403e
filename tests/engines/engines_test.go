// Package engines_test asks the two table engines that chatstack runs on, Dynoxide
// and Amazon's DynamoDB Local, the same questions, and holds the answers against
// each other. Where they differ, known_test.go says so, and what it means; a
// difference that is not there, or one that is no more, fails.
package engines_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

func TestTheEnginesAnswerAlike(t *testing.T) {
	t.Parallel()
	amazons := os.Getenv(dynamo.EndpointVar)
	if amazons == "" {
		t.Skip("there is only one engine: go run ./tests/dynamodblocal go test ./tests/engines brings the other")
	}
	path, err := dynamotest.Tools().Dynoxide(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dynoxide, err := dynamo.Start(t.Context(), dynamo.EngineOptions{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dynoxide.Close)

	t.Run("about", func(t *testing.T) {
		asked := map[string]bool{}
		for _, q := range questions {
			if asked[q.about] {
				t.Errorf("two questions are about %q", q.about)
			}
			asked[q.about] = true
			t.Run(q.about, func(t *testing.T) {
				t.Parallel()
				compare(t, q.about, ask(t, dynoxide.Endpoint(), q), ask(t, amazons, q))
			})
		}
		for fact := range differences {
			if about, _, _ := strings.Cut(fact, ": "); !asked[about] {
				t.Errorf("a known difference is about %q, which nobody asks", about)
			}
		}
	})
}

// compare holds the facts that each engine gave against each other.
func compare(t *testing.T, about string, dynoxide, amazons facts) {
	if diff := cmp.Diff(dynoxide.names, amazons.names); diff != "" {
		t.Errorf("the engines do not give the same facts (-Dynoxide +DynamoDB Local):\n%s", diff)
	}
	for _, name := range dynoxide.names {
		got := [2]string{dynoxide.are[name], amazons.are[name]}
		known, differs := differences[about+": "+name]
		switch {
		case !differs && got[0] != got[1]:
			t.Errorf("the engines differ in %q, which is not known:\nDynoxide:       %s\nDynamoDB Local: %s", about+": "+name, got[0], got[1])
		case differs && got[0] == got[1]:
			t.Errorf("the engines are known to differ in %q, and both say: %s", about+": "+name, got[0])
		case differs && got != [2]string{known.dynoxide, known.amazons}:
			t.Errorf("the engines differ in %q otherwise than is known:\nDynoxide:       %s\nDynamoDB Local: %s", about+": "+name, got[0], got[1])
		}
	}
	for fact := range differences {
		if name, of := strings.CutPrefix(fact, about+": "); of && !slices.Contains(dynoxide.names, name) {
			t.Errorf("a known difference is in %q, of which no engine says anything", fact)
		}
	}
}

// Facts are what an engine answered, by name, in the order in which it did.
type facts struct {
	names []string
	are   map[string]string
}

// A question is what an engine is asked, with a table of its own.
type question struct {
	about string
	ask   func(e *asked)
}

// An asked engine notes its answers.
type asked struct {
	*dynamodb.Client
	t       *testing.T
	ctx     context.Context
	streams *dynamodbstreams.Client
	table   *string
	stream  *string // its ARN
	facts   facts
}

// ask puts one question and returns the answer.
func ask(t *testing.T, endpoint string, q question) facts {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	identity := credentials.NewStaticCredentialsProvider("chatstack", "chatstack", "")
	e := &asked{
		facts: facts{are: map[string]string{}},
		t:     t, ctx: t.Context(), table: aws.String("Engines-" + rand.Text()),
		Client: dynamodb.New(dynamodb.Options{
			Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: identity, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
		streams: dynamodbstreams.New(dynamodbstreams.Options{
			Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: identity, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
	}
	created, err := e.CreateTable(e.ctx, &dynamodb.CreateTableInput{
		TableName: e.table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: attributes("pk", "sk", "subscriber"),
		KeySchema:            keys("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("bySubscriber"), KeySchema: keys("subscriber", "pk"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.DeleteTable(context.WithoutCancel(e.ctx), &dynamodb.DeleteTableInput{TableName: e.table})
	e.stream = created.TableDescription.LatestStreamArn
	q.ask(e)
	return e.facts
}

func attributes(names ...string) (definitions []types.AttributeDefinition) {
	for _, name := range names {
		definitions = append(definitions, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	return definitions
}

func keys(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

// note notes a fact; several of one name are noted in a row.
func (e *asked) note(name string, is any) {
	if err, isError := is.(error); isError {
		is = sentence(err)
	}
	text := strings.ReplaceAll(fmt.Sprint(is), *e.table, "TABLE")
	if before, again := e.facts.are[name]; again {
		text = before + "; " + text
	} else {
		e.facts.names = append(e.facts.names, name)
	}
	e.facts.are[name] = text
}

// must ends the test on an answer that is no fact but a failure.
func (e *asked) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// sentence is an error as a client sees it: its code and its message.
func sentence(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode() + ": " + quoted.ReplaceAllString(answer.ErrorMessage(), "Value '…' at")
	}
	return err.Error()
}

// quoted is a value that an error repeats, which may be long.
var quoted = regexp.MustCompile(`(?s)Value '.*' at`)

type item = map[string]types.AttributeValue

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

func n(number string) types.AttributeValue { return &types.AttributeValueMemberN{Value: number} }

// with returns the item of a key with these attributes, given as name, value …
func with(pk, sk string, more ...any) item {
	i := item{"pk": s(pk), "sk": s(sk)}
	for at := 0; at < len(more); at += 2 {
		i[more[at].(string)] = more[at+1].(types.AttributeValue)
	}
	return i
}

func (e *asked) put(i item) {
	e.t.Helper()
	_, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: i})
	e.must(err)
}

// get shows an item, attributes in order of their names.
func (e *asked) get(pk, sk string) string {
	e.t.Helper()
	got, err := e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: e.table, Key: with(pk, sk), ConsistentRead: aws.Bool(true)})
	e.must(err)
	return show(&types.AttributeValueMemberM{Value: got.Item})
}

// update updates the item a/b and returns what was answered, or the error.
func (e *asked) update(expression string, values item) string {
	out, err := e.UpdateItem(e.ctx, &dynamodb.UpdateItemInput{
		TableName: e.table, Key: with("a", "b"), UpdateExpression: &expression, ExpressionAttributeValues: values,
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return sentence(err)
	}
	return show(&types.AttributeValueMemberM{Value: out.Attributes})
}

// soon waits until a fact is there, or gives up.
func soon(holds func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !holds() && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
}
