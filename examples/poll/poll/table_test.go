package poll

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/dynamo/dynamotest"
)

// newTable makes a table with the keys of the chat's.
func newTable(t *testing.T) *Table {
	t.Helper()
	client := dynamotest.Client(t)
	name := "poll-" + t.Name()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Table{Client: client, Name: name}
}

func TestTableCountsEveryPage(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	table.PageSize = 3
	for i := range 10 {
		option := "soup"
		if i < 4 {
			option = "pizza"
		}
		if err := table.PutVote(t.Context(), Vote{Poll: "lunch", Option: option, ConnectionID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.PutVote(t.Context(), Vote{Poll: "lunch two", Option: "soup", ConnectionID: "0"}); err != nil {
		t.Fatal(err)
	}
	if err := table.PutVote(t.Context(), Vote{Poll: "lunch", Option: "soup", ConnectionID: "0"}); err != nil {
		t.Fatal(err)
	}
	got, err := table.CountVotes(t.Context(), "lunch")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"pizza": 3, "soup": 7}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestTableForgetsWhatExpired(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	cast := time.Now()
	table.Now = func() time.Time { return cast }
	if err := table.PutVote(t.Context(), Vote{Poll: "lunch", Option: "soup", ConnectionID: "a"}); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]map[string]int{
		VoteTTL - time.Second: {"soup": 1},
		VoteTTL + time.Second: {},
	} {
		table.Now = func() time.Time { return cast.Add(after) }
		got, err := table.CountVotes(t.Context(), "lunch")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counts after %v (-want +got):\n%s", after, diff)
		}
	}
}
