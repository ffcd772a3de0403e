package iam

import (
	"regexp"
	"strings"
	"testing"
)

func TestWildcardsMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a:b/c", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ä", true},
		{"??", "ä", false},
		{"a*", "a", true},
		{"a*c", "abc", true},
		{"a*c", "abcd", false},
		{"a*c*", "abcd", true},
		{"*a*b", "aab", true},
		{"*ab", "aab", true},
		{"a**b", "ab", true},
		{"a?b", "ab", false},
		{"*?", "", false},
		{"A", "a", false},
		{"a*b*c", strings.Repeat("ab", 1000), false},
	} {
		if got := Match(test.pattern, test.text); got != test.want {
			t.Errorf("Match(%q, %q) = %t", test.pattern, test.text, got)
		}
	}
}

func TestARNsMatchSegmentBySegment(t *testing.T) {
	t.Parallel()
	const table = "arn:aws:dynamodb:eu-north-1:000000000000:table/chat"
	for _, test := range []struct {
		pattern, arn string
		want         bool
	}{
		{"*", table, true},
		{"*", "*", true},
		{table, table, true},
		{table, table + "/index/i", false},
		{table + "/index/*", table + "/index/i", true},
		{table + "/*", table + "/stream/2026-01-01T00:00:00.000", true}, // a colon in the resource
		{table, strings.ToUpper(table), false},
		{"arn:aws:dynamodb:*:*:table/*", table, true},
		{"arn:aws:dynamodb:eu-*:0000????????:table/ch?t", table, true},
		{"arn:aws:dynamodb:*:*:*", table, true},
		{"arn:aws:dynamodb:*:table/chat", table, false}, // too few segments
		{"arn:aws:dynamodb::*:table/chat", table, false},
		{"arn:aws:dynamodb:*:*:table/*", "*", false},
		{"arn:aws:execute-api:r:1:api/prod/*/@connections/*", "arn:aws:execute-api:r:1:api/prod/POST/@connections/a-_b=", true},
		{"arn:aws:execute-api:r:1:api/*/@connections/*", "arn:aws:execute-api:r:1:api/prod/POST/@connections/x", true},
		{"arn:aws:execute-api:r:1:api/*", "arn:aws:execute-api:r:2:api/prod", false},
		// A wildcard before the resource does not reach over a colon.
		{"arn:aws:dynamodb:e*0:table/chat:x", "arn:aws:dynamodb:eu:0:table/chat:x", false},
	} {
		if got := MatchARN(test.pattern, test.arn); got != test.want {
			t.Errorf("MatchARN(%q, %q) = %t", test.pattern, test.arn, got)
		}
	}
}

// FuzzMatch compares with what the pattern means as a regular expression.
func FuzzMatch(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("**", "")
	f.Add("*ä?", "xäö")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "."), strings.ToValidUTF8(text, ".")
		if len(pattern) > 200 {
			return // the regular expression would be too large
		}
		var expression strings.Builder
		for _, char := range pattern {
			switch char {
			case '*':
				expression.WriteString(".*")
			case '?':
				expression.WriteString(".")
			default:
				expression.WriteString(regexp.QuoteMeta(string(char)))
			}
		}
		want := regexp.MustCompile("(?s)^(?:" + expression.String() + ")$").MatchString(text)
		if got := Match(pattern, text); got != want {
			t.Errorf("Match(%q, %q) = %t", pattern, text, got)
		}
	})
}
