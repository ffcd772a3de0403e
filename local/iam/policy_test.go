package iam_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"example.com/chatstack/local/iam"
)

const (
	account = "000000000000"
	table   = "arn:aws:dynamodb:eu-north-1:" + account + ":table/chat"
)

// anne is a principal of the role "writer".
var anne = iam.Principal{ARN: "arn:aws:sts::" + account + ":assumed-role/writer/anne", Role: "writer"}

func parse(t testing.TB, document string) iam.Policy {
	t.Helper()
	policy, err := iam.ParsePolicy(document)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// statements is a policy document of statements.
func statements(all ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`
}

// writer returns an authority whose role "writer" has one policy of statements.
func writer(t testing.TB, all ...string) *iam.Authority {
	t.Helper()
	a := iam.New(account)
	a.PutRole("writer", map[string]iam.Policy{"policy": parse(t, statements(all...))})
	return a
}

func TestPoliciesThatAWSTakes(t *testing.T) {
	t.Parallel()
	const all = `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`
	for name, test := range map[string]struct {
		document string
		allows   bool // to read the table
	}{
		"one statement without a list":    {`{"Version":"2012-10-17","Statement":` + all + `}`, true},
		"the old version":                 {`{"Version":"2008-10-17","Statement":[` + all + `]}`, true},
		"no version":                      {`{"Statement":[` + all + `]}`, true},
		"an Id":                           {`{"Id":"a policy","Version":"2012-10-17","Statement":[` + all + `]}`, true},
		"an empty Sid twice":              {statements(`{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}`, `{"Sid":"","Effect":"Deny","Action":"s3:*","Resource":"*"}`), true},
		"an empty condition":              {statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}`), true},
		"a boolean that is no text":       {statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}}`), true},
		"an action of another service":    {statements(`{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a/*"}`), false},
		"braces in a resource":            {statements(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*:*:a/prod/POST/@connections/{connectionId}"}`), false},
		"a variable before they were any": {`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := iam.New(account)
			a.PutRole("writer", map[string]iam.Policy{"p": parse(t, test.document)})
			if err := a.Authorize(anne, "dynamodb:GetItem", table, nil); (err == nil) != test.allows {
				t.Errorf("%v, want it allowed: %t", err, test.allows)
			}
		})
	}
}

func TestPoliciesThatAWSRefusesAreMalformed(t *testing.T) {
	t.Parallel()
	with := func(element string) string {
		return statements(`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*",` + element + `}`)
	}
	for name, test := range map[string]struct{ document, says string }{
		"nothing":                                  {``, "Syntax errors in policy"},
		"no JSON":                                  {`{"Version":`, "Syntax errors in policy"},
		"more after the end":                       {statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`) + "{}", "more after the end"},
		"no object":                                {`[]`, "not a JSON object"},
		"an element twice":                         {with(`"Effect":"Deny"`), `"Effect" is there twice`},
		"an unknown element":                       {`{"Statements":[]}`, `no element "Statements"`},
		"an element in another case":               {statements(`{"effect":"Allow","Action":"*","Resource":"*"}`), `no element "effect"`},
		"an unknown version":                       {`{"Version":"2020-01-01","Statement":[]}`, "Version is 2020-01-01"},
		"an Id that is no text":                    {`{"Id":1,"Statement":[]}`, "Id is not text"},
		"no statement":                             {`{"Version":"2012-10-17"}`, "Statement is missing"},
		"no statement in the list":                 {statements(), "Statement is missing"},
		"a statement that is text":                 {statements(`"Allow"`), "statement 1: it is not a JSON object"},
		"no effect":                                {statements(`{"Action":"*","Resource":"*"}`), "Missing required field Effect"},
		"an effect in another case":                {statements(`{"Effect":"allow","Action":"*","Resource":"*"}`), "Effect is allow"},
		"no action":                                {statements(`{"Effect":"Allow","Resource":"*"}`), "Policy statement must contain actions"},
		"no action in the list":                    {statements(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Policy statement must contain actions"},
		"an action that is a number":               {statements(`{"Effect":"Allow","Action":[1],"Resource":"*"}`), "Action is neither text"},
		"no resource":                              {statements(`{"Effect":"Allow","Action":"*"}`), "Policy statement must contain resources"},
		"Action and NotAction":                     {with(`"NotAction":"s3:*"`), "both Action and NotAction"},
		"Resource and NotResource":                 {with(`"NotResource":"*"`), "both Resource and NotResource"},
		"a principal":                              {with(`"Principal":"*"`), "should not specify a principal"},
		"no principal":                             {with(`"NotPrincipal":"*"`), "should not specify a principal"},
		"an action without a vendor":               {statements(`{"Effect":"Allow","Action":"GetItem","Resource":"*"}`), "prefaced by a vendor"},
		"an action with a wildcard for the vendor": {statements(`{"Effect":"Allow","Action":"dynamo*:GetItem","Resource":"*"}`), "prefaced by a vendor"},
		"an action with two colons":                {statements(`{"Effect":"Allow","Action":"dynamodb:Get:Item","Resource":"*"}`), "prefaced by a vendor"},
		"a resource that is no ARN":                {statements(`{"Effect":"Allow","Action":"*","Resource":"chat"}`), `must be in ARN format or "*"`},
		"a resource with too few segments":         {statements(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*"}`), `must be in ARN format or "*"`},
		"a resource of another partition":          {statements(`{"Effect":"Allow","Action":"*","Resource":"arn:aws-cn:dynamodb:r:1:table/t"}`), `Partition "aws-cn" is not valid`},
		"a resource of any service":                {statements(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:*:r:1:table/t"}`), "vendor must be fully qualified"},
		"a Sid with a space":                       {with(`"Sid":"a b"`), "must be alpha-numeric"},
		"a Sid twice":                              {statements(`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}`, `{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}`), "must be unique"},
		"a condition that is a list":               {with(`"Condition":[]`), "Condition is not a JSON object"},
		"an operator without keys":                 {with(`"Condition":{"Bool":"true"}`), "holds no JSON object of keys"},
		"a key without a vendor":                   {with(`"Condition":{"Bool":{"SecureTransport":"true"}}`), "not of the form vendor:key"},
		"an operator without a value":              {with(`"Condition":{"Bool":{"aws:SecureTransport":[]}}`), "Bool has no value"},
		"a value that is an object":                {with(`"Condition":{"Bool":{"aws:SecureTransport":{}}}`), "neither text nor number nor boolean"},
		"a boolean that is maybe":                  {with(`"Condition":{"Bool":{"aws:SecureTransport":"maybe"}}`), "allowed is true or false"},
		"NullIfExists":                             {with(`"Condition":{"NullIfExists":{"aws:SecureTransport":"true"}}`), "no operator NullIfExists"},
		"a character beyond Latin-1":               {with(`"Sid":"€"`), "allowed are the characters of Latin-1"},
		"too many characters":                      {with(`"Condition":{"StringEquals":{"aws:RequestedRegion":"` + strings.Repeat("x", iam.MaxPolicy) + `"}}`), "10240"},
		"far too many characters":                  {strings.Repeat(" ", 131_073), "longer than 131072"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := iam.ParsePolicy(test.document)
			var refused *iam.PolicyError
			if !errors.As(err, &refused) || refused.ErrorCode() != "MalformedPolicyDocument" || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want MalformedPolicyDocument and %q in it", err, test.says)
			}
		})
	}
}

// TestWhatIsNotRunIsRefusedByName: the statement would be right on AWS.
func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	t.Parallel()
	with := func(operator, key string) string {
		return statements(`{"Sid":"here","Effect":"Allow","Action":"*","Resource":"*","Condition":{"` + operator + `":{"` + key + `":"1"}}}`)
	}
	for name, test := range map[string]struct{ document, says string }{
		"a number's operator":      {with("NumericEquals", "s3:max-keys"), "operator NumericEquals is not run"},
		"a date's operator":        {with("DateLessThan", "aws:CurrentTime"), "operator DateLessThan is not run"},
		"an address's operator":    {with("IpAddress", "aws:SourceIp"), "operator IpAddress is not run"},
		"an operator made up":      {with("StringStarts", "aws:RequestedRegion"), "operator StringStarts is not run"},
		"a key":                    {with("StringEquals", "aws:PrincipalTag/team"), "does not know the condition key aws:PrincipalTag/team"},
		"an operator for others":   {with("Bool", "aws:RequestedRegion"), "Bool on aws:RequestedRegion"},
		"one value of many":        {with("StringEquals", "dynamodb:LeadingKeys"), "use ForAllValues:StringEquals"},
		"a variable in a value":    {statements(`{"Sid":"here","Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"${aws:username}"}}}`), "policy variable in StringLike of aws:PrincipalArn"},
		"a variable in a resource": {statements(`{"Sid":"here","Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}`), "policy variable in the resource arn:aws:s3:::${aws:username}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := iam.ParsePolicy(test.document)
			var refused *iam.PolicyError
			if !errors.As(err, &refused) || refused.ErrorCode() != "NotRunLocally" || !strings.Contains(err.Error(), "statement here: ") || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want NotRunLocally, the statement and %q in it", err, test.says)
			}
		})
	}
}

func TestWhiteSpaceDoesNotCountForTheSizeOfAPolicy(t *testing.T) {
	t.Parallel()
	document := statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	spaced := parse(t, strings.ReplaceAll(document, ",", ",\n"+strings.Repeat(" ", iam.MaxPolicy)))
	if got, want := spaced.Size(), len(document); got != want {
		t.Errorf("size %d, want %d", got, want)
	}
}

func TestTheInlinePoliciesOfARoleAreLimitedTogether(t *testing.T) {
	t.Parallel()
	half := parse(t, statements(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`+strings.Repeat("x", iam.MaxPolicy/2)+`"}`))
	if err := iam.CheckRole("writer", map[string]iam.Policy{"a": half}); err != nil {
		t.Error(err)
	}
	err := iam.CheckRole("writer", map[string]iam.Policy{"a": half, "b": half})
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) || coded.ErrorCode() != "LimitExceeded" || !strings.Contains(err.Error(), "Maximum policy size of 10240 bytes exceeded for role writer") {
		t.Errorf("%v, want LimitExceeded", err)
	}
}

// FuzzParsePolicy looks for what crashes it, and for refusals that say nothing.
func FuzzParsePolicy(f *testing.F) {
	f.Add(statements(`{"Sid":"a","Effect":"Allow","Action":["dynamodb:Get*"],"NotResource":"arn:aws:s3:::a"}`))
	f.Add(statements(`{"Effect":"Deny","NotAction":"*","Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"dynamodb:LeadingKeys":["a*",1,true]}}}`))
	f.Add(`{"Version":"2008-10-17","Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"${}"}}`)
	f.Add(`[[[`)
	f.Fuzz(func(t *testing.T, document string) {
		policy, err := iam.ParsePolicy(document)
		if err != nil {
			var refused *iam.PolicyError
			if !errors.As(err, &refused) || refused.Message == "" || policy.Size() != 0 {
				t.Errorf("refused with %#v", err)
			}
			return
		}
		if !json.Valid([]byte(document)) || policy.Size() > iam.MaxPolicy {
			t.Errorf("taken: %q", document)
		}
		a := iam.New(account)
		a.PutRole("writer", map[string]iam.Policy{"p": policy})
		_ = a.Authorize(anne, "dynamodb:GetItem", table, nil)
		if !strings.Contains(document, "Allow") && !strings.Contains(document, `\u`) && a.Authorize(anne, "dynamodb:GetItem", table, nil) == nil {
			t.Errorf("allowed by %q", document)
		}
	})
}
