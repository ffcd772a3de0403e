package eventsource

import "testing"

// The answers are those that AWS documents, or that were recorded against it.
func TestBatchItemFailuresAsOnAWS(t *testing.T) {
	t.Parallel()
	items := []*item{{sequence: "1"}, {sequence: "2"}, {sequence: "3"}}
	const all, none = 3, 0
	for answer, want := range map[string]struct {
		done   int
		failed bool
	}{
		``:                           {all, false},
		`  `:                         {all, false},
		`null`:                       {all, false},
		`""`:                         {all, false},
		`[]`:                         {all, false},
		`{}`:                         {all, false},
		`{"batchItemFailures":[]}`:   {all, false},
		`{"batchItemFailures":null}`: {all, false},
		`{"something":"else"}`:       {all, false},
		`{"batchItemFailures":[{"itemIdentifier":"3"}]}`:                        {2, true},
		`{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"2"}]}`: {1, true},
		`{"batchItemFailures":[{"itemIdentifier":"1"}]}`:                        {none, true},
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:                         {none, true},
		`{"batchItemFailures":[{"itemIdentifier":null}]}`:                       {none, true},
		`{"batchItemFailures":[{"itemIdentifier":3}]}`:                          {none, true},
		`{"batchItemFailures":[{"foo":"3"}]}`:                                   {none, true},
		`{"batchItemFailures":[{"foo":null}]}`:                                  {none, true},
		`{"batchItemFailures":[{"itemIdentifier":"9"}]}`:                        {none, true},
		`{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"9"}]}`: {none, true},
		`{"batchItemFailures":["3"]}`:                                           {none, true},
		`{"batchItemFailures":[null]}`:                                          {none, true},
		`{"batchItemFailures":"3"}`:                                             {none, true},
		`"ok"`:                                                                  {none, true},
		`{"batchItemFailures":[`:                                                {none, true},
	} {
		got := judge([]byte(answer), items)
		if got.done != want.done || got.failed != want.failed || got.failed != (got.reason != "") {
			t.Errorf("%s: %+v", answer, got)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":"2"}]}`))
	f.Add([]byte(`{"batchItemFailures":[null]}`))
	items := []*item{{sequence: "1"}, {sequence: "2"}}
	f.Fuzz(func(t *testing.T, answer []byte) {
		v := judge(answer, items)
		if v.done < 0 || v.done > len(items) || v.failed == (v.done == len(items)) {
			t.Errorf("%s: %+v", answer, v)
		}
	})
}
