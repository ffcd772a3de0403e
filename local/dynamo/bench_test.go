package dynamo_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/iam"
)

// BenchmarkPutItem measures a call by the SDK's client with an engine that
// answers at once: straight to it, through a front that asks nobody, and through
// one that checks everything.
func BenchmarkPutItem(b *testing.B) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, "{}")
	}))
	b.Cleanup(engine.Close)
	authority := iam.New(account)
	policy, err := iam.ParsePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Action":["dynamodb:GetItem","dynamodb:Query","dynamodb:PutItem"],"Resource":["` + prefix + `table/chat","` + prefix + `table/chat/index/*"]}]}`)
	if err != nil {
		b.Fatal(err)
	}
	authority.PutRole("writer", map[string]iam.Policy{"policy": policy})
	authority.PutPrincipal("ASIA", iam.Principal{ARN: "arn:aws:sts::1:assumed-role/writer/f", Role: "writer", SecretAccessKey: "secret", SessionToken: "token"})

	through := func(options dynamo.FrontOptions) string {
		options.Engine, options.Region, options.Account = engine.URL, region, account
		front, err := dynamo.NewFront(options)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(front.Close)
		server := httptest.NewServer(front)
		b.Cleanup(server.Close)
		return server.URL
	}
	for _, test := range []struct{ name, endpoint string }{
		{"engine", engine.URL},
		{"front", through(dynamo.FrontOptions{})},
		{"checked", through(dynamo.FrontOptions{Authority: authority, Fault: func(context.Context, string, string) bool { return false }})},
	} {
		for size, content := range map[string]string{"1KB": strings.Repeat("x", 1<<10), "300KB": strings.Repeat("x", 300<<10)} {
			b.Run(test.name+"/"+size, func(b *testing.B) {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				client := dynamodb.New(dynamodb.Options{
					Region: region, BaseEndpoint: aws.String(test.endpoint), HTTPClient: &http.Client{Transport: transport},
					Credentials: credentials.NewStaticCredentialsProvider("ASIA", "secret", "token"),
				})
				input := &dynamodb.PutItemInput{TableName: aws.String("chat"), Item: map[string]types.AttributeValue{"pk": text("p"), "content": text(content)}}
				for b.Loop() {
					if _, err := client.PutItem(b.Context(), input); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
