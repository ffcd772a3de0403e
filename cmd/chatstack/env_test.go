package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/control"
)

// deployed is the status of a cloud with so many stages and one table.
func deployed(stages int) *control.Status {
	s := &control.Status{Client: cloud.Client{Region: "eu-central-1", Endpoint: "http://127.0.0.1:1234", AccessKeyID: "AKIA", SecretAccessKey: "se/cr+et"}}
	for range stages {
		s.APIs = append(s.APIs, cloud.API{Name: "chat", Stage: "local", Endpoint: "ws://127.0.0.1:5678/local"})
	}
	s.Tables = []cloud.Table{{Name: "chat-table"}}
	return s
}

func TestEnvIsForAShell(t *testing.T) {
	t.Parallel()
	for stages, management := range map[int]string{
		0: "unset AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI # there are 0 WebSocket API stages: see chatstack status",
		1: "export AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=http://127.0.0.1:5678/local",
		2: "unset AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI # there are 2 WebSocket API stages: see chatstack status",
	} {
		var out strings.Builder
		if err := writeEnv(&out, deployed(stages), "/home/of a/aws"); err != nil {
			t.Fatal(err)
		}
		want := `export AWS_REGION=eu-central-1
export AWS_DEFAULT_REGION=eu-central-1
export AWS_ACCESS_KEY_ID=AKIA
export AWS_SECRET_ACCESS_KEY=se/cr+et
export AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1234
export AWS_ENDPOINT_URL_DYNAMODB_STREAMS=http://127.0.0.1:1234
export AWS_DATA_PATH='/home/of a/aws'
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN
` + management + `
export TABLE_NAME=chat-table
`
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d stages (-want +got):\n%s", stages, diff)
		}
	}
}

func TestEndpointRulesOfOldClients(t *testing.T) {
	t.Parallel()
	type rules struct {
		Rules []struct {
			Conditions []any
			Endpoint   struct{ URL any }
			Error      string
		}
	}
	for stages, want := range map[int][3]string{ // dynamodb, dynamodbstreams, @connections
		0: {"http://127.0.0.1:1234", "http://127.0.0.1:1234", "there are 0 WebSocket API stages: see chatstack status. Give --endpoint-url"},
		1: {"http://127.0.0.1:1234", "http://127.0.0.1:1234", "http://127.0.0.1:5678/local"},
	} {
		p := &project{home: t.TempDir()}
		models, err := p.writeEndpointRules(deployed(stages))
		if err != nil {
			t.Fatal(err)
		}
		var got [3]string
		for i, service := range []string{"dynamodb/2012-08-10", "dynamodbstreams/2012-08-10", "apigatewaymanagementapi/2018-11-29"} {
			data, err := os.ReadFile(filepath.Join(models, service, "endpoint-rule-set-1.json"))
			var set rules
			if err != nil || json.Unmarshal(data, &set) != nil || len(set.Rules) != 2 {
				t.Fatalf("%s: %v: %s", service, err, data)
			}
			if len(set.Rules[0].Conditions) != 1 || len(set.Rules[1].Conditions) != 0 {
				t.Errorf("%s: only an --endpoint-url comes first, not %s", service, data)
			}
			got[i], _ = set.Rules[1].Endpoint.URL.(string)
			got[i] += set.Rules[1].Error
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d stages (-want +got):\n%s", stages, diff)
		}
	}
}
