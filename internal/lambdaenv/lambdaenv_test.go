package lambdaenv

import (
	"strings"
	"testing"
)

func TestSizeIsThatOfTheJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		variables map[string]string
		want      string
	}{
		{nil, ""},
		{map[string]string{"AB": "x"}, `{"AB":"x"}`},
		{map[string]string{"AB": "x", "CD": ""}, `{"AB":"x","CD":""}`},
		{map[string]string{"CHANNELS": `["a","b"]`}, `{"CHANNELS":"[\"a\",\"b\"]"}`},
		{map[string]string{"AB": "a<b>&ü"}, `{"AB":"a<b>&ü"}`},
		{map[string]string{"AB": strings.Repeat("x", 4087)}, `{"AB":"` + strings.Repeat("x", 4087) + `"}`},
	} {
		if got := Size(test.variables); got != len(test.want) {
			t.Errorf("%v has %d bytes, want those of %s", test.variables, got, test.want)
		}
	}
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AWS_REGION", "AWS_LAMBDA_MAX_CONCURRENCY", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_SESSION_TOKEN"} {
		if !IsReserved(name) {
			t.Errorf("a function may set %s", name)
		}
	}
	for _, name := range []string{"TZ", "PATH", "TABLE_NAME", "AWS_ENDPOINT_URL_DYNAMODB", "aws_region"} {
		if IsReserved(name) {
			t.Errorf("a function may not set %s", name)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"TABLE_NAME": true, "a1": true, "A": false, "": false, "1A": false, "_A": false, "A-B": false, "A B": false, "ÄB": false, "AB\n": false,
	} {
		if IsName(name) != want {
			t.Errorf("%q is a name: %v, want %v", name, !want, want)
		}
	}
}
