package control

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/iam"
)

func TestWhatOfARoleWasSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action string
		count  int64
		want   string // of a function without an event source mapping
	}{
		{"dynamodb:GetItem", 3, SeenUsed},
		{"dynamodb:GetItem", 0, SeenNever},
		{"DynamoDB:GetItem", 0, SeenNever},
		{"dynamodb:*", 0, SeenNever},
		{"*", 0, SeenNever},
		{"execute-api:ManageConnections", 0, SeenNever},
		{"sqs:SendMessage", 0, SeenNever},
		{"all but dynamodb:DeleteItem", 0, SeenNever},
		{"xray:PutTraceSegments", 0, SeenNotRun},
		{"logs:CreateLogGroup", 0, SeenNotRun},
		{"logs:PutLogEvents", 3, SeenUsed},
		{"s3:GetObject", 0, SeenNotRun},
	} {
		got := grants([]iam.Usage{{Role: "r", Policy: "p", Statement: "1", Action: c.action, Resource: "*", Count: c.count}}, false)
		want := []Grant{{Policy: "p", Statement: "1", Action: c.action, Resource: "*", Used: c.count, Seen: c.want}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.action, diff)
		}
	}
}

// Without these on AWS a deployment of the mapping fails, however rarely they are
// used.
func TestWhatLambdaAsksForIsNotUnused(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"dynamodb:ListStreams": SeenAsked, "dynamodb:GetRecords": SeenAsked, "SQS:SendMessage": SeenAsked,
		"dynamodb:GetItem": SeenNever, "dynamodb:*": SeenNever,
	} {
		if got := seen(action, 0, true); got != want {
			t.Errorf("%s of a function with a mapping is %s, want %s", action, got, want)
		}
	}
	if got := seen("dynamodb:ListStreams", 0, false); got != SeenNever {
		t.Errorf("of a function without a mapping it is %s, want %s", got, SeenNever)
	}
}

func TestAccessOfAFunction(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	policy := func(service string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + service + `:Put","dynamodb:GetItem"],"Resource":"*"}]}`
	}
	role := put(t, server, "aws:iam/role:Role", "r", cloud.Properties{
		"name":             "r",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`,
		"inlinePolicies":   []any{map[string]any{"name": "within", "policy": policy("xray")}},
	})
	put(t, server, "aws:iam/rolePolicy:RolePolicy", "beside", cloud.Properties{"name": "beside", "role": "r", "policy": policy("s3")})
	attached := put(t, server, "aws:iam/policy:Policy", "attached", cloud.Properties{"name": "attached", "policy": policy("sns")})
	put(t, server, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", cloud.Properties{"role": "r", "policyArn": attached.ID})
	put(t, server, "aws:lambda/function:Function", "f", cloud.Properties{
		"name": "f", "role": role.Outputs["arn"], "runtime": "provided.al2023", "handler": "bootstrap",
		"code": map[string]any{"hash": "h", "path": bootstrapZip(t)},
	})

	list, err := address.Access(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if list[0].Function != "f" || list[0].RoleARN != role.Outputs["arn"] {
		t.Errorf("of %s with %s", list[0].Function, list[0].RoleARN)
	}
	seen := map[string]string{}
	for _, g := range list[0].Grants {
		seen[g.Policy+" "+g.Action] = g.Seen
	}
	want := map[string]string{
		"within xray:Put": SeenNotRun, "within dynamodb:GetItem": SeenNever,
		"beside s3:Put": SeenNotRun, "beside dynamodb:GetItem": SeenNever,
		attached.ID + " sns:Put": SeenNotRun, attached.ID + " dynamodb:GetItem": SeenNever,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	left := func(action string) PolicyDocument {
		return PolicyDocument{Version: "2012-10-17", Statement: iam.OneOrMore[Statement]{{Effect: "Allow", Action: []string{action}, Resource: []string{"*"}}}}
	}
	suggested := map[string]PolicyDocument{"within": left("xray:Put"), "beside": left("s3:Put"), attached.ID: left("sns:Put")}
	if diff := cmp.Diff(suggested, list[0].Suggested); diff != "" {
		t.Errorf("suggested (-want +got):\n%s", diff)
	}
}

// bootstrapZip is the code of a function that is never invoked.
func bootstrapZip(t *testing.T) string {
	t.Helper()
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	file, err := writer.CreateHeader(header)
	if err == nil {
		_, err = file.Write([]byte("#!/bin/sh\n"))
	}
	err = errors.Join(err, writer.Close())
	path := filepath.Join(t.TempDir(), "function.zip")
	if err := errors.Join(err, os.WriteFile(path, archive.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}
