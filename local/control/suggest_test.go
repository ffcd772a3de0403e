package control

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/iam"
)

// usage is a policy's, with how often each action was used on each resource.
func usage(statement, action, resource string, uses map[string]int64) iam.Usage {
	u := iam.Usage{Policy: "p", Statement: statement, Action: action, Resource: resource, Actions: uses}
	for _, n := range uses {
		u.Count += n
	}
	return u
}

func TestSuggestedPolicies(t *testing.T) {
	t.Parallel()
	full := strings.NewReplacer(
		"$T", "arn:aws:dynamodb:us-east-1:000000000000:table/t", "$U", "arn:aws:dynamodb:us-east-1:000000000000:table/u",
		"$L", "arn:aws:logs:us-east-1:000000000000:log-group:l",
	).Replace
	get, query := map[string]int64{"dynamodb:GetItem": 2}, map[string]int64{"dynamodb:Query": 1}
	for name, c := range map[string]struct {
		document string
		usage    []iam.Usage
		want     string // empty: no policy is left
	}{
		"what was never used goes": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],"Resource":["$T","$T/index/*"]}]}`,
			[]iam.Usage{
				usage("1", "dynamodb:GetItem", "$T", get), usage("1", "dynamodb:GetItem", "$T/index/*", nil),
				usage("1", "dynamodb:PutItem", "$T", nil), usage("1", "dynamodb:PutItem", "$T/index/*", nil),
			},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem"],"Resource":["$T"]}]}`,
		},
		"nothing is left of a policy that was never used": {
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"$T"}}`,
			[]iam.Usage{usage("1", "dynamodb:GetItem", "$T", nil)},
			``,
		},
		"a wildcard becomes what it was used for": {
			`{"Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}}`, // of no Version, which is allowed
			[]iam.Usage{usage("1", "dynamodb:*", "*", map[string]int64{"dynamodb:Query": 1, "dynamodb:GetItem": 2})},
			`{"Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":["*"]}]}`,
		},
		"actions that need different resources get statements of their own": {
			`{"Version":"2012-10-17","Statement":[{"Sid":"Items","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":["$T","$T/index/*"]}]}`,
			[]iam.Usage{
				usage("Items", "dynamodb:GetItem", "$T", get), usage("Items", "dynamodb:GetItem", "$T/index/*", nil),
				usage("Items", "dynamodb:Query", "$T", query), usage("Items", "dynamodb:Query", "$T/index/*", query),
			},
			`{"Version":"2012-10-17","Statement":[{"Sid":"Items","Effect":"Allow","Action":["dynamodb:GetItem"],"Resource":["$T"]},` +
				`{"Sid":"Items2","Effect":"Allow","Action":["dynamodb:Query"],"Resource":["$T","$T/index/*"]}]}`,
		},
		"a new statement takes no other's Sid": {
			`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":["$T","$U"]},{"Sid":"A2","Effect":"Deny","Action":"dynamodb:Scan","Resource":"$T"}]}`,
			[]iam.Usage{
				usage("A", "dynamodb:GetItem", "$T", get), usage("A", "dynamodb:GetItem", "$U", nil),
				usage("A", "dynamodb:Query", "$T", nil), usage("A", "dynamodb:Query", "$U", query),
			},
			`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["dynamodb:GetItem"],"Resource":["$T"]},` +
				`{"Sid":"A3","Effect":"Allow","Action":["dynamodb:Query"],"Resource":["$U"]},{"Sid":"A2","Effect":"Deny","Action":["dynamodb:Scan"],"Resource":["$T"]}]}`,
		},
		"what is not seen here stays": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:PutLogEvents"],"Resource":"$L"},{"Effect":"Allow","Action":"xray:*","Resource":"*"}]}`,
			[]iam.Usage{
				usage("1", "logs:CreateLogGroup", "$L", nil), usage("1", "logs:PutLogEvents", "$L", map[string]int64{"logs:PutLogEvents": 9}),
				usage("2", "xray:*", "*", nil),
			},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:PutLogEvents"],"Resource":["$L"]},{"Effect":"Allow","Action":["xray:*"],"Resource":["*"]}]}`,
		},
		"a wildcard for what is not all seen here stays": {
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:*","Resource":"$L"}}`,
			[]iam.Usage{usage("1", "logs:*", "$L", map[string]int64{"logs:PutLogEvents": 9})},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*"],"Resource":["$L"]}]}`,
		},
		"what Lambda asks for stays": {
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["dynamodb:ListStreams","dynamodb:Scan"],"Resource":"*"}}`,
			[]iam.Usage{usage("1", "dynamodb:ListStreams", "*", nil), usage("1", "dynamodb:Scan", "*", nil)},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:ListStreams"],"Resource":["*"]}]}`,
		},
		"conditions and denials stay as they are": {
			`{"Version":"2012-10-17","Id":"i","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":"$T","Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["b*"]}}},` +
				`{"Sid":"No","Effect":"Deny","NotAction":"dynamodb:GetItem","Resource":"$T"}]}`,
			[]iam.Usage{usage("1", "dynamodb:GetItem", "$T", get), usage("1", "dynamodb:Query", "$T", nil)},
			`{"Version":"2012-10-17","Id":"i","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem"],"Resource":["$T"],"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["b*"]}}},` +
				`{"Sid":"No","Effect":"Deny","NotAction":["dynamodb:GetItem"],"Resource":["$T"]}]}`,
		},
		"a statement that leaves things out stays whole once it was used": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["dynamodb:DeleteItem"],"Resource":"$T"},{"Effect":"Allow","Action":"dynamodb:GetItem","NotResource":["$U"]}]}`,
			[]iam.Usage{usage("1", "all but dynamodb:DeleteItem", "$T", get), usage("2", "dynamodb:GetItem", "all but $U", nil)},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["dynamodb:DeleteItem"],"Resource":["$T"]}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, u := range c.usage {
				c.usage[i].Resource = full(u.Resource)
			}
			other := usage("1", "dynamodb:GetItem", "$T", get)
			other.Policy = "another policy"
			suggested, err := suggest(map[string]string{"p": full(c.document)}, grants(append(c.usage, other), true))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if policy, left := suggested["p"]; left {
				text, err := json.Marshal(policy)
				if err != nil {
					t.Fatal(err)
				}
				got = string(text)
				if _, err := iam.ParsePolicy(got); err != nil {
					t.Errorf("it is no policy: %v", err)
				}
			}
			if diff := cmp.Diff(full(c.want), got); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
		})
	}
}
