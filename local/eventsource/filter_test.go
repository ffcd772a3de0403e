package eventsource

import (
	"errors"
	"strings"
	"testing"
)

// anEvent has what the patterns below speak of.
const anEvent = `{
	"eventName": "MODIFY",
	"eventSource": "aws:dynamodb",
	"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
	"dynamodb": {
		"ApproximateCreationDateTime": 1.700000001E9,
		"SizeBytes": 32,
		"Keys": {"pk": {"S": "CHANNEL|General"}, "sk": {"S": "CONNECTION|a="}},
		"NewImage": {
			"kind": {"S": "message"}, "empty": {"S": ""}, "count": {"N": "5"}, "null": {"NULL": true},
			"tags": {"SS": ["red", "green"]}, "none": {"L": []},
			"list": {"L": [{"S": "a"}, {"S": "b"}]}
		}
	}
}`

func parseEvent(t testing.TB, text string) map[string]any {
	t.Helper()
	event, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return event.(map[string]any)
}

func TestFiltersMatchAsOnAWS(t *testing.T) {
	t.Parallel()
	event := parseEvent(t, anEvent)
	image := func(rest string) string { return `{"dynamodb":{"NewImage":{` + rest + `}}}` }
	rows := []struct {
		pattern string
		want    bool
	}{
		// Values: one of a list is enough, and all of the fields.
		{`{"eventName":["MODIFY"]}`, true},
		{`{"eventName":["INSERT","MODIFY"]}`, true},
		{`{"eventName":["INSERT"]}`, false},
		{`{"eventName":["modify"]}`, false},
		{`{"eventName":["MODIFY"],"eventSource":["aws:sqs"]}`, false},
		{`{"eventName":["INSERT"],"eventName":["MODIFY"]}`, true}, // the last one counts
		{`{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`, true},
		{`{"userIdentity":{"Type":["Service"]}}`, false},
		{image(`"empty":{"S":[""]}`), true},
		{image(`"kind":{"S":[""]}`), false},
		{image(`"null":{"NULL":[true]}`), true},
		{image(`"kind":{"S":[null]}`), false},

		// The type wrapper is part of the path.
		{image(`"kind":{"S":["message"]}`), true},
		{image(`"kind":["message"]`), false},

		// Texts.
		{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"CONNECTION|"}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"connection|"}]}}}}`, false},
		{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"PUBLISH|"},{"prefix":"CONNECTION|"}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"sk":{"S":[{"suffix":"="}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"sk":{"S":[{"suffix":"a"}]}}}}`, false},
		{image(`"kind":{"S":[{"equals-ignore-case":"MESSAGE"}]}`), true},
		{image(`"kind":{"S":[{"equals-ignore-case":"messages"}]}`), false},

		// Anything but: what is absent does not match.
		{image(`"kind":{"S":[{"anything-but":"join"}]}`), true},
		{image(`"kind":{"S":[{"anything-but":["join","message"]}]}`), false},
		{image(`"kind":{"S":[{"anything-but":{"prefix":"mess"}}]}`), false},
		{image(`"kind":{"S":[{"anything-but":{"suffix":"join"}}]}`), true},
		{image(`"kind":{"S":[{"anything-but":{"suffix":"age"}}]}`), false},
		{image(`"missing":{"S":[{"anything-but":"join"}]}`), false},

		// Numbers: of DynamoDB they are texts.
		{image(`"count":{"N":["5"]}`), true},
		{image(`"count":{"N":[5]}`), false},
		{image(`"count":{"N":[{"numeric":["=",5]}]}`), false},
		{`{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",1700000000]}]}}`, true},
		{`{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",1700000000,"<=",1700000001]}]}}`, true},
		{`{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">=",0,"<",1700000001]}]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"numeric":["=",32]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":["<=",31.5]}]}}`, false},

		// Outside of numeric, numbers compare by the way they are written.
		{`{"dynamodb":{"SizeBytes":[32]}}`, true},
		{`{"dynamodb":{"SizeBytes":[32.0]}}`, false},
		{`{"dynamodb":{"SizeBytes":["32"]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"anything-but":32.0}]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"anything-but":[31,33]}]}}`, true},
		{image(`"count":{"N":[{"anything-but":[5]}]}`), true},
		{image(`"count":{"N":[{"anything-but":"5"}]}`), false},
		{image(`"count":{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}`), true}, // recorded: one rule is enough
		{image(`"count":{"N":[{"prefix":"5"}]}`), true},

		// Exists looks at leaves alone.
		{image(`"kind":{"S":[{"exists":true}]}`), true},
		{image(`"kind":{"S":[{"exists":false}]}`), false},
		{image(`"missing":{"S":[{"exists":true}]}`), false},
		{image(`"missing":{"S":[{"exists":false}]}`), true},
		{image(`"kind":[{"exists":true}]`), false},
		{image(`"kind":[{"exists":false}]`), true},
		{`{"dynamodb":{"OldImage":{"kind":{"S":[{"exists":false}]}}}}`, true},

		// Lists: one element is enough.
		{image(`"tags":{"SS":["green"]}`), true},
		{image(`"tags":{"SS":["blue"]}`), false},
		{image(`"list":{"L":{"S":["b"]}}`), true},
		{image(`"list":{"L":{"S":["c"]}}`), false},
		{image(`"none":{"L":[{"exists":false}]}`), true},

		// Alternatives.
		{`{"$or":[{"eventName":["INSERT"]},{"eventSource":["aws:dynamodb"]}]}`, true},
		{`{"$or":[{"eventName":["INSERT"]},{"eventSource":["aws:sqs"]}]}`, false},
		{`{"eventName":["REMOVE"],"$or":[{"eventName":["MODIFY"]},{"eventSource":["aws:dynamodb"]}]}`, false},
	}
	for _, row := range rows {
		p, err := parsePattern(row.pattern)
		if err != nil {
			t.Errorf("%s: %v", row.pattern, err)
			continue
		}
		if got := p.match(event, true); got != row.want {
			t.Errorf("%s matches: %v", row.pattern, got)
		}
	}
}

func TestOneFilterOfSeveralIsEnough(t *testing.T) {
	t.Parallel()
	event := parseEvent(t, anEvent)
	f, err := parseFilters([]string{`{"eventName":["INSERT"]}`, `{"eventName":["MODIFY"]}`})
	if err != nil {
		t.Fatal(err)
	}
	if !f.match(event) {
		t.Error("no match")
	}
	if !filters(nil).match(event) {
		t.Error("no match without filters")
	}
}

func TestInvalidPatternsAreRefused(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		``:                                                 "it is not JSON",
		`simple text`:                                      "it is not JSON",
		`null`:                                             "it is not an object",
		`["a"]`:                                            "it is not an object",
		`{}`:                                               "the pattern: an empty object",
		`{"a":{}}`:                                         "a: an empty object",
		`{"a":"b"}`:                                        "a: what may match stands in a list",
		`{"a":{"b":5}}`:                                    "a.b: what may match stands in a list",
		`{"a":[]}`:                                         "a: an empty list",
		`{"a":[["b"]]}`:                                    "a: a list in a list",
		`{"a":[{"prefix":5}]}`:                             "a: prefix takes a text",
		`{"a":[{"wildcard":"b*"}]}`:                        `a: operator "wildcard"`,
		`{"a":[{}]}`:                                       "a: an operator stands alone",
		`{"a":[{"prefix":"b","c":"d"}]}`:                   "a: an operator stands alone",
		`{"a":[{"exists":"yes"}]}`:                         "a: exists takes true or false",
		`{"a":[{"numeric":5}]}`:                            "a: numeric takes a list",
		`{"a":[{"numeric":[">"]}]}`:                        "a: numeric takes a list",
		`{"a":[{"numeric":[">","5"]}]}`:                    "a: numeric compares with a number",
		`{"a":[{"numeric":["!",5]}]}`:                      `a: numeric: sign "!"`,
		`{"a":[{"anything-but":[]}]}`:                      "a: anything-but takes at least one",
		`{"a":[{"numeric":["<",5,">",1]}]}`:                "a: numeric: of two comparisons",
		`{"a":[{"numeric":[">",5,"<",5]}]}`:                "a: numeric: of two comparisons",
		`{"a":[{"numeric":["=",5,"=",5]}]}`:                "a: numeric: of two comparisons",
		`{"a":[{"numeric":["",5]}]}`:                       `a: numeric: sign ""`,
		`{"a":[{"numeric":[">",5000000001]}]}`:             "a: number 5000000001: it must be between",
		`{"a":[{"numeric":[">",1e999]}]}`:                  "a: number 1e999: it must be between",
		`{"a":[{"anything-but":-6e9}]}`:                    "a: number -6e9: it must be between",
		`{"a":[{"anything-but":[true]}]}`:                  "a: anything-but takes texts or numbers",
		`{"a":[{"anything-but":null}]}`:                    "a: anything-but takes texts or numbers",
		`{"a":[{"anything-but":["b",1]}]}`:                 "a: anything-but takes texts or numbers, and not both",
		`{"a":[{"anything-but":[1,"b"]}]}`:                 "a: anything-but takes texts or numbers, and not both",
		`{"a":[{"anything-but":{"prefix":""}}]}`:           "a: anything-but takes a prefix or a suffix that is not empty",
		`{"a":[{"anything-but":{"wildcard":"*"}}]}`:        `a: anything-but takes a prefix or a suffix that is not empty, not "wildcard"`,
		`{"a":[{"cidr":"10.0.0.0/8"}]}`:                    `a: operator "cidr"`,
		`{"a":["b"]} x`:                                    "there is more after it",
		`[{"eventName": ["INSERT"=123}]`:                   "it is not JSON",
		`{"a":[{"anything-but":{"prefix":1}}]}`:            "a: anything-but: prefix takes a text",
		`{"a":[{"anything-but":{}}]}`:                      "a: an operator stands alone",
		`{"$or":[{"a":["b"]}]}`:                            "$or: it needs two",
		`{"$or":["a","b"]}`:                                "$or: not a list of patterns",
		`{"$or":[{"a":["b"]},{"a":"b"}]}`:                  "$or.a: what may match stands in a list",
		`{"a":["` + strings.Repeat("b", 4096-10+1) + `"]}`: "it has 4097 characters and may have 4096",
	} {
		_, err := parseFilters([]string{pattern})
		if !errors.Is(err, ErrInvalidFilter) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v", pattern, err)
		}
	}
}

func TestPatternHasUpTo4096Characters(t *testing.T) {
	t.Parallel()
	if _, err := parsePattern(`{"a":["` + strings.Repeat("ä", 4096-10) + `"]}`); err != nil {
		t.Error(err)
	}
}

func TestInvalidPatternReadsAsOnAWS(t *testing.T) {
	t.Parallel()
	_, err := parseFilters([]string{`{"a":["b"]}`, "single-string"})
	if err == nil || !strings.HasPrefix(err.Error(), "InvalidParameterValueException: Invalid filter pattern definition. Filter 2: ") {
		t.Errorf("%v", err)
	}
}

// Whatever can be parsed can be matched, and says the same each time.
func FuzzFilter(f *testing.F) {
	f.Add(`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"CONNECTION|"}]}}}}`, anEvent)
	f.Add(`{"$or":[{"a":[null]},{"a":[{"exists":false}]}]}`, `{"a":[[],{"a":null}]}`)
	f.Add(`{"a":[{"numeric":[">",0,"<=",5]},{"anything-but":[1,"x"]}]}`, `{"a":[1,"y"]}`)
	f.Fuzz(func(t *testing.T, pattern, eventText string) {
		p, err := parsePattern(pattern)
		if err != nil {
			return
		}
		value, err := decode(eventText)
		event, ok := value.(map[string]any)
		if err != nil || !ok {
			return
		}
		matches := p.match(event, true)
		again, err := parsePattern(pattern)
		if err != nil || again.match(event, true) != matches || p.match(event, true) != matches {
			t.Errorf("the second time it differs (%v)", err)
		}
	})
}
