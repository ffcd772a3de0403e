package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.com/chatstack/local/gateway"
)

func TestAuthorizerDecidesOnTheUpgrade(t *testing.T) {
	t.Parallel()
	const statement = `{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}`
	document := func(document string) function {
		return returns(`{"principalId":"u","policyDocument":` + document + `}`)
	}
	tests := map[string]struct {
		authorizer function
		want       int
	}{
		"Allow is 101":                      {allow(`{}`), 101},
		"Deny is 403":                       {returns(policy("Deny", "execute-api:Invoke", methodARN, "{}")), 403},
		"nothing allowed is 403":            {returns(policy("Allow", "execute-api:Invoke", apiARN+"/prod/other", "{}")), 403},
		"other action is 403":               {returns(policy("Allow", "execute-api:ManageConnections", "*", "{}")), 403},
		"Deny beats Allow":                  {document(`{"Statement":[` + statement + `,{"Action":"*","Effect":"Deny","Resource":["` + apiARN + `/*"]}]}`), 403},
		"any resource":                      {returns(policy("Allow", "execute-api:Invoke", "*", "{}")), 101},
		"any action":                        {returns(policy("Allow", "*", "*", "{}")), 101},
		"action in another case":            {returns(policy("Allow", "Execute-API:invoke", "*", "{}")), 101},
		"wildcards":                         {returns(policy("Allow", "execute-api:*", "arn:aws:execute-api:*:*:a1b2c3d4e5/*/$conn??t", "{}")), 101},
		"a wildcard keeps to its part":      {returns(policy("Allow", "execute-api:Invoke", "arn:aws:*:a1b2c3d4e5/prod/$connect:::", "{}")), 403},
		"resource in another case is 403":   {returns(policy("Allow", "execute-api:Invoke", strings.ToUpper(methodARN), "{}")), 403},
		"lists":                             {document(`{"Statement":[{"Action":["a:b","execute-api:Invoke"],"Effect":"Allow","Resource":["arn:aws:s3:::x","*"]}]}`), 101},
		"one statement without brackets":    {document(`{"Statement":` + statement + `}`), 101},
		"Unauthorized is 401":               {fails(`{"errorMessage":"Unauthorized","errorType":"errorString"}`), 401},
		"another error is 500":              {fails(`{"errorMessage":"unauthorized"}`), 500},
		"crash is 500":                      {crashes, 500},
		"failing service is 500":            {func(context.Context, []byte) (string, string, error) { return "", "", errors.New("throttled") }, 500},
		"null is 500":                       {returns(`null`), 500},
		"nothing is 500":                    {returns(``), 500},
		"text is 500":                       {returns(`"Allow"`), 500},
		"proxy response is 500":             {returns(`{"statusCode":200}`), 500},
		"simple response is 500":            {returns(`{"isAuthorized":true}`), 500},
		"no principal is 500":               {returns(`{"policyDocument":{"Statement":[` + statement + `]}}`), 500},
		"principal of a number is 500":      {returns(`{"principalId":1,"policyDocument":{"Statement":[` + statement + `]}}`), 500},
		"no policy is 500":                  {returns(`{"principalId":"u"}`), 500},
		"policy as text is 500":             {document(`"{}"`), 500},
		"no statement is 500":               {document(`{"Version":"2012-10-17","Statement":[]}`), 500},
		"unknown version is 500":            {document(`{"Version":"2020-01-01","Statement":[` + statement + `]}`), 500},
		"unknown element is 500":            {document(`{"Statements":[` + statement + `]}`), 500},
		"unknown effect is 500":             {document(`{"Statement":[{"Action":"*","Effect":"allow","Resource":"*"}]}`), 500},
		"no effect is 500":                  {document(`{"Statement":[{"Action":"*","Resource":"*"}]}`), 500},
		"no action is 500":                  {document(`{"Statement":[{"Effect":"Allow","Resource":"*"}]}`), 500},
		"no resource is 500":                {document(`{"Statement":[{"Effect":"Allow","Action":"*"}]}`), 500},
		"resource that is no ARN is 500":    {document(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"prod"}]}`), 500},
		"condition is 500":                  {document(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}`), 500},
		"NotAction is 500":                  {document(`{"Statement":[{"Effect":"Allow","NotAction":"*","Resource":"*"}]}`), 500},
		"key in another case is 500":        {document(`{"Statement":[{"effect":"Allow","Action":"*","Resource":"*"}]}`), 500},
		"context of an object is 500":       {allow(`{"a":{"b":1}}`), 500},
		"context of an array is 500":        {allow(`{"a":[1]}`), 500},
		"context of null is 500":            {allow(`{"a":null}`), 500},
		"context that is no object is 500":  {allow(`["a"]`), 500},
		"no context":                        {allow(`null`), 101},
		"result of 8 KB":                    {returns(padded(8 << 10)), 101},
		"result of more than 8 KB is a 500": {returns(padded(8<<10 + 1)), 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connect, connected := recorded(ok)
			fns := functions{"authorizer": test.authorizer, "$connect": connect}
			r := start(t, guarded(fns), gateway.Options{Invoker: fns})
			if got := r.raw("/prod", nil).response.StatusCode; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			want := 0
			if test.want == 101 {
				want = 1
			}
			if got := len(connected); got != want {
				t.Errorf("$connect ran %d times, want %d", got, want)
			}
		})
	}
}

// fails makes a function that fails with a payload.
func fails(payload string) function {
	return func(context.Context, []byte) (string, string, error) { return payload, "Unhandled", nil }
}

// padded makes a result that allows, of exactly size bytes.
func padded(size int) string {
	const value = "PAD"
	result := policy("Allow", "execute-api:Invoke", "*", `{"pad":"`+value+`"}`)
	return strings.Replace(result, value, strings.Repeat("x", size-len(result)+len(value)), 1)
}
