package iam_test

import (
	"testing"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	type context = map[string][]string
	keys := func(values ...string) context { return context{"dynamodb:LeadingKeys": values} }
	for name, test := range map[string]struct {
		condition string
		context   context
		want      bool
	}{
		"StringEquals holds":                            {`"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-north-1"]}`, nil, true},
		"StringEquals holds not":                        {`"StringEquals":{"aws:RequestedRegion":"EU-NORTH-1"}`, nil, false},
		"StringEqualsIgnoreCase holds":                  {`"StringEqualsIgnoreCase":{"aws:RequestedRegion":"EU-NORTH-1"}`, nil, true},
		"StringNotEqualsIgnoreCase holds not":           {`"StringNotEqualsIgnoreCase":{"aws:RequestedRegion":"EU-NORTH-1"}`, nil, false},
		"StringNotEquals holds":                         {`"StringNotEquals":{"aws:RequestedRegion":["us-east-1","us-west-1"]}`, nil, true},
		"StringNotEquals holds not if one is equal":     {`"StringNotEquals":{"aws:RequestedRegion":["us-east-1","eu-north-1"]}`, nil, false},
		"StringLike holds":                              {`"StringLike":{"aws:RequestedRegion":"eu-*-?"}`, nil, true},
		"StringLike holds not":                          {`"StringLike":{"aws:RequestedRegion":"us-*"}`, nil, false},
		"StringNotLike holds":                           {`"StringNotLike":{"aws:RequestedRegion":"us-*"}`, nil, true},
		"StringEquals takes * for a star":               {`"StringEquals":{"aws:RequestedRegion":"eu-*"}`, nil, false},
		"a key in another case":                         {`"StringEquals":{"AWS:requestedregion":"eu-north-1"}`, nil, true},
		"a region that is given":                        {`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, context{"aws:RequestedRegion": {"us-east-1"}}, true},
		"aws:PrincipalArn is the role's":                {`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/writer"}`, nil, true},
		"ArnLike with wildcards":                        {`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/wr*"}`, nil, true},
		"ArnNotLike":                                    {`"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/wr*"}`, nil, false},
		"ArnNotEquals":                                  {`"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/reader"}`, nil, true},
		"StringLike on an ARN":                          {`"StringLike":{"aws:PrincipalArn":"arn:*writer"}`, nil, true},
		"aws:PrincipalAccount":                          {`"StringEquals":{"aws:PrincipalAccount":"000000000000"}`, nil, true},
		"aws:SecureTransport is true":                   {`"Bool":{"aws:SecureTransport":"true"}`, nil, true},
		"aws:SecureTransport is not false":              {`"Bool":{"aws:SecureTransport":"false"}`, nil, false},
		"a key that is not there":                       {`"StringEquals":{"dynamodb:Select":"COUNT"}`, nil, false},
		"not, of a key that is not there":               {`"StringNotEquals":{"dynamodb:Select":"COUNT"}`, nil, true},
		"IfExists of a key that is not there":           {`"StringEqualsIfExists":{"dynamodb:Select":"COUNT"}`, nil, true},
		"IfExists of a key that is there":               {`"StringEqualsIfExists":{"dynamodb:Select":"COUNT"}`, context{"dynamodb:Select": {"ALL_ATTRIBUTES"}}, false},
		"Null true of a key that is not there":          {`"Null":{"dynamodb:Select":"true"}`, nil, true},
		"Null false of a key that is not there":         {`"Null":{"dynamodb:Select":"false"}`, nil, false},
		"Null false of a key that is there":             {`"Null":{"dynamodb:Select":"false"}`, context{"dynamodb:Select": {"COUNT"}}, true},
		"ForAllValues, all of them":                     {`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a","b","c"]}`, keys("a", "b"), true},
		"ForAllValues, not one of them":                 {`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a"]}`, keys("a", "b"), false},
		"ForAllValues of none":                          {`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a"]}`, nil, true},
		"ForAllValues of none, where Null asks for one": {`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a"]},"Null":{"dynamodb:LeadingKeys":"false"}`, nil, false},
		"ForAllValues with wildcards":                   {`"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["CHANNEL#*"]}`, keys("CHANNEL#a", "CHANNEL#b"), true},
		"ForAnyValue, one of them":                      {`"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["a"]}`, keys("b", "a"), true},
		"ForAnyValue, none of them":                     {`"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["a"]}`, keys("b", "c"), false},
		"ForAnyValue of none":                           {`"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["a"]}`, nil, false},
		"ForAnyValue not, of none":                      {`"ForAnyValue:StringNotEquals":{"dynamodb:LeadingKeys":["a"]}`, nil, false},
		"ForAnyValue not, one other":                    {`"ForAnyValue:StringNotEquals":{"dynamodb:LeadingKeys":["a"]}`, keys("a", "b"), true},
		"ForAllValues not, one of them":                 {`"ForAllValues:StringNotEquals":{"dynamodb:LeadingKeys":["a"]}`, keys("a", "b"), false},
		"ForAnyValueIfExists of none":                   {`"ForAnyValue:StringEqualsIfExists":{"dynamodb:LeadingKeys":["a"]}`, nil, true},
		"two operators, both":                           {`"StringLike":{"aws:RequestedRegion":"eu-*"},"Bool":{"aws:SecureTransport":"true"}`, nil, true},
		"two operators, one of them":                    {`"StringLike":{"aws:RequestedRegion":"eu-*"},"Bool":{"aws:SecureTransport":"false"}`, nil, false},
		"two keys, one of them":                         {`"StringLike":{"aws:RequestedRegion":"eu-*","aws:PrincipalAccount":"1*"}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := writer(t, `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{`+test.condition+`}}`)
			if err := a.Authorize(anne, "dynamodb:Query", table, test.context); (err == nil) != test.want {
				t.Errorf("%v, want it to hold: %t", err, test.want)
			}
		})
	}
}

func TestARoleWithAPathIsKnownByItsARN(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/app/writer"}}}`)
	p := anne
	p.RoleARN = "arn:aws:iam::000000000000:role/app/writer"
	if err := a.Authorize(p, "dynamodb:Query", table, nil); err != nil {
		t.Error(err)
	}
}

func TestTheRegionOfAnActionWithoutAResourceIsTheAuthoritys(t *testing.T) {
	t.Parallel()
	a := writer(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-north-1"}}}`)
	if a.Authorize(anne, "dynamodb:ListTables", "*", nil) == nil {
		t.Error("allowed while no region is known")
	}
	a.SetRegion("eu-north-1")
	if err := a.Authorize(anne, "dynamodb:ListTables", "*", nil); err != nil {
		t.Error(err)
	}
}
