package iam_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"example.com/chatstack/local/iam"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	const index = table + "/index/byUser"
	for name, test := range map[string]struct {
		statements       []string
		action, resource string
		want             bool
	}{
		"nothing is allowed by default":          {[]string{`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`}, "dynamodb:GetItem", table, false},
		"an action that is allowed":              {[]string{`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `"}`}, "dynamodb:GetItem", table, true},
		"an action in another case":              {[]string{`{"Effect":"Allow","Action":"DynamoDB:getitem","Resource":"` + table + `"}`}, "dynamodb:GetItem", table, true},
		"an action with wildcards":               {[]string{`{"Effect":"Allow","Action":"dynamodb:*Get?tem","Resource":"` + table + `"}`}, "dynamodb:BatchGetItem", table, true},
		"another action":                         {[]string{`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `"}`}, "dynamodb:PutItem", table, false},
		"another resource":                       {[]string{`{"Effect":"Allow","Action":"dynamodb:Query","Resource":"` + table + `"}`}, "dynamodb:Query", index, false},
		"an index by a wildcard":                 {[]string{`{"Effect":"Allow","Action":"dynamodb:Query","Resource":"` + table + `/index/*"}`}, "dynamodb:Query", index, true},
		"one of a list":                          {[]string{`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":["` + table + `","` + index + `"]}`}, "dynamodb:Query", index, true},
		"one of two statements":                  {[]string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`}, "dynamodb:Query", index, true},
		"all but an action, another":             {[]string{`{"Effect":"Allow","NotAction":["s3:*","dynamodb:Put*"],"Resource":"*"}`}, "dynamodb:GetItem", table, true},
		"all but an action, that one":            {[]string{`{"Effect":"Allow","NotAction":["s3:*","dynamodb:Put*"],"Resource":"*"}`}, "dynamodb:PutItem", table, false},
		"all but a resource, another":            {[]string{`{"Effect":"Allow","Action":"*","NotResource":"` + table + `"}`}, "dynamodb:Query", index, true},
		"all but a resource, that one":           {[]string{`{"Effect":"Allow","Action":"*","NotResource":["` + index + `","` + table + `"]}`}, "dynamodb:Query", table, false},
		"an action without a resource":           {[]string{`{"Effect":"Allow","Action":"dynamodb:ListStreams","Resource":"*"}`}, "dynamodb:ListStreams", "*", true},
		"an action without a resource on tables": {[]string{`{"Effect":"Allow","Action":"dynamodb:ListStreams","Resource":"arn:aws:dynamodb:*:*:table/*"}`}, "dynamodb:ListStreams", "*", false},
		"a Deny of another action":               {[]string{`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"*"}`}, "dynamodb:GetItem", table, true},
		"a Deny whose condition holds not": {[]string{
			`{"Effect":"Allow","Action":"*","Resource":"*"}`,
			`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
		}, "dynamodb:GetItem", table, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := writer(t, test.statements...)
			if err := a.Authorize(anne, test.action, test.resource, nil); (err == nil) != test.want {
				t.Errorf("%v, want it allowed: %t", err, test.want)
			}
		})
	}
}

func TestDenialsReadLikeAWSs(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}`, `{"Effect":"Deny","Action":"dynamodb:Put*","Resource":"*"}`)
	for action, want := range map[string]string{
		"dynamodb:GetItem": "User: arn:aws:sts::000000000000:assumed-role/writer/anne is not authorized to perform: dynamodb:GetItem on resource: " + table +
			" because no identity-based policy allows the dynamodb:GetItem action",
		"dynamodb:PutItem": "User: arn:aws:sts::000000000000:assumed-role/writer/anne is not authorized to perform: dynamodb:PutItem on resource: " + table +
			" with an explicit deny in an identity-based policy",
	} {
		err := a.Authorize(anne, action, table, nil)
		var denied *iam.DeniedError
		if !errors.As(err, &denied) || err.Error() != want || denied.ErrorCode() != "AccessDeniedException" || denied.StatusCode() != 400 {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	err := a.Authorize(anne, "execute-api:ManageConnections", "arn:aws:execute-api:r:1:api/prod/POST/@connections/x", nil)
	var denied *iam.DeniedError
	if !errors.As(err, &denied) || denied.StatusCode() != 403 {
		t.Errorf("%v, want a 403", err)
	}
}

func TestTheOwnerMayDoEverythingAndNobodyNothing(t *testing.T) {
	t.Parallel()
	a := iam.New(account)
	if err := a.Authorize(iam.Principal{ARN: "arn:aws:iam::000000000000:root"}, "dynamodb:DeleteTable", table, nil); err != nil {
		t.Error(err)
	}
	if a.Authorize(iam.Principal{}, "dynamodb:GetItem", table, nil) == nil {
		t.Error("a principal that is none may do something")
	}
}

func TestADeletedRoleMayDoNothing(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	a.DeleteRole("writer")
	if a.Authorize(anne, "dynamodb:GetItem", table, nil) == nil {
		t.Error("it may")
	}
}

func TestAllPoliciesOfARoleCount(t *testing.T) {
	t.Parallel()
	a := iam.New(account)
	a.PutRole("writer", map[string]iam.Policy{
		"a": parse(t, statements(`{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`)),
		"b": parse(t, statements(`{"Effect":"Deny","Action":"dynamodb:Put*","Resource":"*"}`)),
		"c": {},
	})
	if err := a.Authorize(anne, "dynamodb:GetItem", table, nil); err != nil {
		t.Error(err)
	}
	if a.Authorize(anne, "dynamodb:PutItem", table, nil) == nil {
		t.Error("another policy's Deny does not count")
	}
}

func TestAsksIsAboutTheConditionsOfARole(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringLike":{"dynamodb:leadingkeys":"a*"}}}`)
	if !a.Asks(anne, "dynamodb:LeadingKeys") || a.Asks(anne, "dynamodb:Attributes") || a.Asks(iam.Principal{Role: "other"}, "dynamodb:LeadingKeys") {
		t.Error("Asks does not fit the policy")
	}
}

// drawn are statements, from a small world in which they meet.
func drawn() *rapid.Generator[string] {
	actions := rapid.SampledFrom([]string{`"*"`, `"dynamodb:*"`, `"dynamodb:Get*"`, `"dynamodb:PutItem"`, `["s3:*","dynamodb:?utItem"]`})
	resources := rapid.SampledFrom([]string{`"*"`, `"` + table + `"`, `"` + table + `/*"`, `"arn:aws:dynamodb:*:*:*"`, `["arn:aws:s3:::a"]`})
	conditions := rapid.SampledFrom([]string{``, `,"Condition":{"StringEquals":{"dynamodb:Select":"COUNT"}}`, `,"Condition":{"StringNotEquals":{"dynamodb:Select":"COUNT"}}`})
	return rapid.Custom(func(t *rapid.T) string {
		return `{"Effect":"` + rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect") +
			`","` + rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "element") + `":` + actions.Draw(t, "actions") +
			`,"` + rapid.SampledFrom([]string{"Resource", "NotResource"}).Draw(t, "element") + `":` + resources.Draw(t, "resources") +
			conditions.Draw(t, "condition") + `}`
	})
}

// A question is something that a policy decides.
type question struct {
	action, resource string
	context          map[string][]string
}

func questions() *rapid.Generator[question] {
	return rapid.Custom(func(t *rapid.T) question {
		q := question{
			action:   rapid.SampledFrom([]string{"dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject"}).Draw(t, "action"),
			resource: rapid.SampledFrom([]string{table, table + "/index/i", "arn:aws:s3:::a", "*"}).Draw(t, "resource"),
		}
		if rapid.Bool().Draw(t, "select") {
			q.context = map[string][]string{"dynamodb:Select": {"COUNT"}}
		}
		return q
	})
}

func decide(t *rapid.T, q question, policy []string) bool {
	a := iam.New(account)
	if len(policy) > 0 {
		parsed, err := iam.ParsePolicy(statements(policy...))
		if err != nil {
			t.Fatal(err)
		}
		a.PutRole("writer", map[string]iam.Policy{"p": parsed})
	}
	return a.Authorize(anne, q.action, q.resource, q.context) == nil
}

func TestADenyThatIsMetAlwaysWins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SliceOfN(drawn(), 0, 6).Draw(t, "policy")
		q := questions().Draw(t, "question")
		// What a statement is about shows in what it allows alone.
		denied := slices.ContainsFunc(policy, func(statement string) bool {
			return strings.Contains(statement, "Deny") && decide(t, q, []string{strings.Replace(statement, "Deny", "Allow", 1)})
		})
		allowed := slices.ContainsFunc(policy, func(statement string) bool {
			return strings.Contains(statement, "Allow") && decide(t, q, []string{statement})
		})
		if got := decide(t, q, policy); got != (allowed && !denied) {
			t.Errorf("allowed: %t, by one statement %t, denied by one %t", got, allowed, denied)
		}
	})
}

func TestTheOrderOfStatementsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SliceOfN(drawn(), 1, 6).Draw(t, "policy")
		q := questions().Draw(t, "question")
		shuffled := rapid.Permutation(policy).Draw(t, "shuffled")
		if decide(t, q, policy) != decide(t, q, shuffled) {
			t.Errorf("%v decides otherwise than %v", policy, shuffled)
		}
	})
}

func TestUsageTellsWhatWasNeverUsed(t *testing.T) {
	t.Parallel()
	a := writer(t,
		`{"Sid":"Read","Effect":"Allow","Action":["dynamodb:Get*","dynamodb:Query"],"Resource":["`+table+`","`+table+`/index/*"]}`,
		`{"Effect":"Deny","Action":"dynamodb:DeleteItem","Resource":"*"}`,
		`{"Effect":"Allow","NotAction":["dynamodb:*","s3:*"],"Resource":"*"}`,
	)
	a.PutRole("idle", map[string]iam.Policy{"p": parse(t, statements(`{"Effect":"Allow","Action":"*","NotResource":"`+table+`"}`))})
	for _, call := range [][2]string{
		{"dynamodb:GetItem", table},
		{"dynamodb:GetItem", table},
		{"dynamodb:GetRecords", table + "/index/i"},
		{"execute-api:ManageConnections", "*"},
		{"dynamodb:PutItem", table},                 // denied,
		{"dynamodb:DeleteItem", table + "/index/i"}, // so
	} {
		_ = a.Authorize(anne, call[0], call[1], nil)
	}
	none := map[string]int64{}
	want := []iam.Usage{
		{"idle", "p", "1", "*", "all but " + table, 0, none},
		{"writer", "policy", "Read", "dynamodb:Get*", table, 2, map[string]int64{"dynamodb:GetItem": 2}},
		{"writer", "policy", "Read", "dynamodb:Get*", table + "/index/*", 1, map[string]int64{"dynamodb:GetRecords": 1}},
		{"writer", "policy", "Read", "dynamodb:Query", table, 0, none},
		{"writer", "policy", "Read", "dynamodb:Query", table + "/index/*", 0, none},
		{"writer", "policy", "3", "all but dynamodb:*, s3:*", "*", 1, map[string]int64{"execute-api:ManageConnections": 1}},
	}
	if diff := cmp.Diff(want, a.Usage()); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

func TestACallThatIsDeniedIsNotCountedAsUse(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"dynamodb:*","Resource":"*"}`)
	_ = a.Authorize(anne, "dynamodb:GetItem", table, nil)
	if got := a.Usage()[0].Count; got != 0 {
		t.Errorf("count %d", got)
	}
}

func TestStatementsThatStayKeepTheirCounts(t *testing.T) {
	t.Parallel()
	get := `{"Sid":"Get","Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}`
	put := `{"Sid":"Put","Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}`
	a := writer(t, get)
	_ = a.Authorize(anne, "dynamodb:GetItem", table, nil)
	a.PutRole("writer", map[string]iam.Policy{"policy": parse(t, statements(put, get))})
	var got []int64
	for _, u := range a.Usage() {
		got = append(got, u.Count)
	}
	if diff := cmp.Diff([]int64{0, 1}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestAnAuthorityIsUsedFromManyGoroutines(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`)
	policy := map[string]iam.Policy{"policy": parse(t, statements(`{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`))}
	const goroutines, calls = 8, 200
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range calls {
				if err := a.Authorize(anne, "dynamodb:GetItem", table, nil); err != nil {
					t.Error(err)
				}
				if rand.IntN(20) == 0 {
					a.PutRole("writer", policy)
					a.Usage()
				}
			}
		})
	}
	wait.Wait()
	if got := a.Usage()[0].Count; got != goroutines*calls {
		t.Errorf("count %d, want %d", got, goroutines*calls)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	a := writer(b,
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:Query","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:DeleteItem"],"Resource":["`+table+`","`+table+`/index/*"]}`,
		`{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`,
		`{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:r:1:api/*/@connections/*"}`)
	for b.Loop() {
		if err := a.Authorize(anne, "dynamodb:Query", table+"/index/byUser", nil); err != nil {
			b.Fatal(err)
		}
	}
}
