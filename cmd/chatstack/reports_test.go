package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/control"
	"example.com/chatstack/local/eventsource"
	"example.com/chatstack/local/schedule"
)

func TestAccessIsATableAFunction(t *testing.T) {
	t.Parallel()
	const table = "arn:aws:dynamodb:us-east-1:000000000000:table/chat"
	var out strings.Builder
	err := writeAccess(&out, []control.Access{
		{Function: "chat-message", RoleARN: "arn:aws:iam::000000000000:role/r", Grants: []control.Grant{
			{Action: "dynamodb:GetItem", Resource: table, Used: 12, Seen: control.SeenUsed, Actions: map[string]int64{"dynamodb:GetItem": 12}},
			{Action: "dynamodb:*", Resource: table + "/index/*", Used: 5, Seen: control.SeenUsed, Actions: map[string]int64{"dynamodb:Scan": 1, "dynamodb:Query": 4}},
			{Action: "dynamodb:PutItem", Resource: "*", Seen: control.SeenNever},
			{Action: "xray:PutTraceSegments", Resource: "*", Seen: control.SeenNotRun},
		}},
		{Function: "chat-idle", RoleARN: "arn:aws:iam::000000000000:role/s"},
	})
	want := `
chat-message  (arn:aws:iam::000000000000:role/r)
  used 12 times   dynamodb:GetItem               table/chat
  used 5 times    dynamodb:* (Query 4, Scan 1)   table/chat/index/*
  never used      dynamodb:PutItem               *
  not seen here   xray:PutTraceSegments          *

chat-idle  (arn:aws:iam::000000000000:role/s)
  its role allows nothing

1 of 4 were never used since the local cloud was started; --suggest writes the policies without them.
`
	if diff := cmp.Diff(want[1:], out.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func deadLetters() []cloud.Letter {
	return []cloud.Letter{
		{
			ID: "5f3c2b1a-0000-4000-8000-000000000001", Queue: "letters", SentAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local),
			Function: "chat-broadcast", Condition: "RetryAttemptsExhausted", InvokeCount: 4, BatchSize: 2,
			Body: json.RawMessage(`{"version":"1.0"}`), Records: []json.RawMessage{json.RawMessage(`{"eventID":"1"}`)},
		},
		{
			ID: "6a", Queue: "letters", SentAt: time.Date(2026, 3, 1, 11, 0, 0, 0, time.Local),
			Function: "chat-broadcast", Condition: "RecordAgeExpired", InvokeCount: 1, BatchSize: 1, Body: json.RawMessage(`not JSON`),
		},
	}
}

func TestDeadLettersAreALineEach(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := writeLetters(&out, deadLetters())
	want := "" +
		"SENT                  ID         FUNCTION         WHY                      INVOKED   RECORDS   QUEUE\n" +
		"2026-03-01 12:00:00   5f3c2b1a   chat-broadcast   RetryAttemptsExhausted   4 times   2         letters\n" +
		"2026-03-01 11:00:00   6a         chat-broadcast   RecordAgeExpired         1 time    1         letters\n" +
		"\n`chatstack dlq ID` shows a letter whole, with its records.\n"
	if diff := cmp.Diff(want, out.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDeadLettersWhole(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := writeWholeLetters(&out, deadLetters())
	want := `
2026-03-01 12:00:00  5f3c2b1a-0000-4000-8000-000000000001  sent to letters
  {
    "version": "1.0"
  }
Of its 2 records, 1 are still in the stream:
  {
    "eventID": "1"
  }

2026-03-01 11:00:00  6a  sent to letters
  not JSON
Its records are no longer in the stream.
`
	if diff := cmp.Diff(want[1:], out.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDeadLettersAreFoundByHowTheirIDBegins(t *testing.T) {
	t.Parallel()
	found, err := lettersByID(deadLetters(), "5f3")
	if err != nil || len(found) != 1 || found[0].BatchSize != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := lettersByID(deadLetters(), "f3"); err == nil || !strings.Contains(err.Error(), "no dead letter has an id that begins with f3") {
		t.Errorf("%v", err)
	}
}

func TestStatusTellsOfMappingsAndRules(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	writeOverview(&out, cloud.Overview{
		Functions: []cloud.Function{{Name: "chat-broadcast", Triggers: []string{"stream"}, Muted: true}},
		Mappings: []cloud.Mapping{{Function: "chat-broadcast", Status: eventsource.Status{
			State: "Enabled", LastProcessingResult: "PROBLEM: Function call failed",
			Counts: eventsource.Counts{Delivered: 1, Retries: 4, Dropped: 2},
			Shards: []eventsource.ShardStatus{{Retrying: []eventsource.Retry{{
				Records: 3, Attempt: 2, Since: time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local), Error: "it said no",
			}}}},
		}}},
		Rules: []cloud.Rule{{Name: "chat-expiry", Schedule: "rate(1 minute)", State: "ENABLED", Status: schedule.Status{Fired: 3}}},
	}, "http://127.0.0.1:1")
	want := "" +
		"function\tchat-broadcast\tstream (its role does not let it write its log)\n" +
		"event source mapping\tchat-broadcast\tEnabled, PROBLEM: Function call failed\t1 record delivered, retried 4 times, 2 given up\n" +
		"\tretrying 3 records\tsince 12:00:00, 2 failures\tit said no\n" +
		"rule\tchat-expiry\trate(1 minute), ENABLED\tfired 3 times\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}
