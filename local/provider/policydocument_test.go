package provider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"example.com/chatstack/local/iam"
)

const getPolicyDocument = "aws:iam/getPolicyDocument:getPolicyDocument"

func TestPolicyDocumentsAreWrittenInIAMsForm(t *testing.T) {
	r := newRig(t)
	resp, err := r.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: getPolicyDocument, Args: wire(t, properties{
		"policyId": "p",
		"statements": []any{
			properties{
				"sid": "read", "actions": []any{"dynamodb:GetItem", "dynamodb:Query"}, "resources": []any{"*"},
				"conditions": []any{properties{"test": "StringEquals", "variable": "aws:RequestedRegion", "values": []any{"eu-west-1"}}},
			},
			properties{"effect": "Deny", "notActions": []any{"logs:*"}, "notResources": []any{"arn:aws:s3:::a", "arn:aws:s3:::b"}},
		},
	})})
	if err != nil {
		t.Fatal(err)
	}
	got := resp.GetReturn().GetFields()["minifiedJson"].GetStringValue()
	want := `{"Version":"2012-10-17","Id":"p","Statement":[` +
		`{"Sid":"read","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},` +
		`{"Effect":"Deny","NotAction":"logs:*","NotResource":["arn:aws:s3:::a","arn:aws:s3:::b"]}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if _, err := iam.ParsePolicy(resp.GetReturn().GetFields()["json"].GetStringValue()); err != nil {
		t.Errorf("IAM reads its own form: %v", err)
	}
}

func TestPolicyDocumentsNamePrincipals(t *testing.T) {
	r := newRig(t)
	for name, test := range map[string]struct {
		principals []any
		want       string
	}{
		"a service": {[]any{properties{"type": "Service", "identifiers": []any{"lambda.amazonaws.com"}}}, `{"Service":"lambda.amazonaws.com"}`},
		"two kinds": {[]any{properties{"type": "AWS", "identifiers": []any{"a", "b"}}, properties{"type": "Service", "identifiers": []any{"c"}}}, `{"AWS":["a","b"],"Service":"c"}`},
		"everyone":  {[]any{properties{"type": "*", "identifiers": []any{"*"}}}, `"*"`},
	} {
		resp, err := r.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: getPolicyDocument, Args: wire(t, properties{
			"statements": []any{properties{"actions": []any{"sts:AssumeRole"}, "principals": test.principals}},
		})})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + test.want + `,"Action":"sts:AssumeRole"}]}`
		if diff := cmp.Diff(want, resp.GetReturn().GetFields()["minifiedJson"].GetStringValue()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPolicyDocumentsOfOthersAreRefusedByName(t *testing.T) {
	r := newRig(t)
	_, err := r.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: getPolicyDocument, Args: wire(t, properties{"sourcePolicyDocuments": []any{"{}"}})})
	if err == nil || !strings.Contains(err.Error(), "sourcePolicyDocuments") {
		t.Errorf("%v", err)
	}
}
