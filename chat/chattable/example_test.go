package chattable_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// A service makes its client as ever, with config.LoadDefaultConfig and
// dynamodb.NewFromConfig; the name is the stack's output tableName.
func ExampleNew() {
	table := chattable.New(exampleClient(), "chat-prod")
	fmt.Println(table.Name)
	// Output: chat-prod
}

// A bot speaks in a channel. The key makes a second attempt harmless.
func ExampleTable_PutPublishRequest() {
	table := chattable.New(exampleClient(), "chat-prod")
	err := table.PutPublishRequest(context.Background(), chat.PublishRequest{
		ChannelID: "General",
		Key:       "build-17",
		Name:      "Build bot",
		Content:   "Build 17 is <b>green</b>.",
	})
	fmt.Println(err)
	// Output: <nil>
}

// A service lets a user into a channel: everyone in it sees the join.
func ExampleTable_PutSubscription() {
	table := chattable.New(exampleClient(), "chat-prod")
	err := table.PutSubscription(context.Background(), chat.Subscription{
		ChannelID:    "VIP",
		ConnectionID: "R1kmxc2VNjMCFIA=",
		Since:        time.Now(),
	})
	fmt.Println(err)
	// Output: <nil>
}

// Moderation takes a user out of a channel: everyone in it, and the user, sees
// the leave.
func ExampleTable_DeleteSubscription() {
	table := chattable.New(exampleClient(), "chat-prod")
	err := table.DeleteSubscription(context.Background(), "VIP", "R1kmxc2VNjMCFIA=")
	fmt.Println(err)
	// Output: <nil>
}

// Who is in a channel, however many they are.
func ExampleTable_ListSubscribers() {
	table := chattable.New(exampleClient(), "chat-prod")
	for connectionID, err := range table.ListSubscribers(context.Background(), "General", "", 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(connectionID)
	}
	// Output: R1kmxc2VNjMCFIA=
}

// What was said since message 41.
func ExampleTable_ListMessages() {
	table := chattable.New(exampleClient(), "chat-prod")
	for m, err := range table.ListMessages(context.Background(), "General", 41) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d %s: %s\n", m.Seq, m.Name, m.Content)
	}
	// Output: 42 johndoe: hello world!
}

// The last 20 messages, the newest first, as a support tool shows them. A revision
// is only the place at which a message was edited or deleted.
func ExampleTable_ListHistory() {
	table := chattable.New(exampleClient(), "chat-prod")
	for m, err := range table.ListHistory(context.Background(), "General", chat.HistoryRange{NewestFirst: true, Limit: 20}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if m.Target == 0 {
			fmt.Printf("%d %s: %s\n", m.Seq, m.Name, m.Content)
		}
	}
	// Output: 42 johndoe: hello world!
}

// A bot hears what is said, from message 41 on, until its context ends. It notes the
// number of the last message that it has dealt with, and begins there the next time.
func ExampleTable_Follow() {
	table := chattable.New(exampleClient(), "chat-prod")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for m, err := range table.Follow(ctx, "General", 41) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d %s: %s\n", m.Seq, m.Name, m.Content)
		cancel()
	}
	// Output: 42 johndoe: hello world!
}

// Moderation bans a user from everywhere for a day: its connections are closed, and
// it gets no new ones until then.
func ExampleTable_PutBan() {
	table := chattable.New(exampleClient(), "chat-prod")
	err := table.PutBan(context.Background(), chat.Sanction{
		User:   "u-1382",
		Until:  time.Now().Add(24 * time.Hour),
		Reason: "spam",
		By:     "moderation service",
	})
	fmt.Println(err)
	// Output: <nil>
}

// exampleClient is a client of a table with one subscriber and one message.
func exampleClient() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("example", "example", ""),
		HTTPClient:   exampleTable{},
		BaseEndpoint: aws.String("http://table.example"),
	})
}

type exampleTable struct{}

func (exampleTable) Do(r *http.Request) (*http.Response, error) {
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer := `{}`
	switch {
	case strings.Contains(string(request), "MESSAGE|"):
		answer = `{"Items":[{"seq":{"N":"42"},"name":{"S":"johndoe"},"content":{"S":"hello world!"}}]}`
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query"):
		answer = `{"Items":[{"sk":{"S":"CONNECTION|R1kmxc2VNjMCFIA="}}]}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}
