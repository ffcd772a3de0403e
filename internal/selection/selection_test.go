package selection

import (
	"strings"
	"testing"
)

func TestRouteSelectionExpressions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ expression, message, want string }{
		"one path":             {`$request.body.action`, `{"action":"join"}`, "join"},
		"in braces":            {`${request.body.action}`, `{"action":"join"}`, "join"},
		"several parts":        {`${request.body.service}/${request.body.action}`, `{"service":"chat","action":"join"}`, "chat/join"},
		"unbraced parts":       {`$request.body.service/$request.body.action`, `{"service":"chat","action":"join"}`, "chat/join"},
		"missing is empty":     {`${request.body.action}-${request.body.x}`, `{"action":"join"}`, "join-"},
		"nested":               {`$request.body.meta.kind`, `{"meta":{"kind":"a.b"}}`, "a.b"},
		"nested in no object":  {`$request.body.meta.kind`, `{"meta":"text"}`, ""},
		"text around":          {`v1:$request.body.action!`, `{"action":"join"}`, "v1:join!"},
		"escaped dollar":       {`\$default`, `{}`, "$default"},
		"escaped among parts":  {`\$${request.body.a}\$`, `{"a":"x"}`, "$x$"},
		"lone backslash":       {`\${request.body.a}`, `{"a":"x"}`, "${request.body.a}"},
		"hyphen in braces":     {`${request.body.my-action}`, `{"my-action":"x"}`, "x"},
		"quoted name":          {`$request.body['my action'].x`, `{"my action":{"x":"y"}}`, "y"},
		"double quoted name":   {`${request.body["a}b"]}`, `{"a}b":"y"}`, "y"},
		"index":                {`$request.body.list[1]`, `{"list":["a","b"]}`, "b"},
		"index beyond":         {`$request.body.list[2]`, `{"list":["a","b"]}`, ""},
		"index of an object":   {`$request.body.list[0]`, `{"list":{"0":"a"}}`, ""},
		"array at the top":     {`$request.body[0]`, `["a"]`, "a"},
		"array is text":        {`$request.body.a`, `{"a":["item1","item2"]}`, "[item1, item2]"},
		"nested array":         {`$request.body.a`, `{"a":[["x"],1,null]}`, "[[x], 1, ]"},
		"number as written":    {`$request.body.a`, `{"a":1.50}`, "1.50"},
		"large number":         {`$request.body.a`, `{"a":12345678901234567890}`, "12345678901234567890"},
		"boolean":              {`$request.body.a`, `{"a":true}`, "true"},
		"null":                 {`$request.body.a`, `{"a":null}`, ""},
		"object":               {`$request.body.a`, `{"a":{"x":"<"}}`, `{"x":"<"}`},
		"body is text":         {`$request.body.a`, `"a"`, ""},
		"last duplicate":       {`$request.body.a`, `{"a":"1","a":"2"}`, "2"},
		"case counts":          {`$request.body.action`, `{"Action":"join"}`, ""},
		"letters of any alpha": {`$request.body.größe`, `{"größe":"L"}`, "L"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse(test.expression)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := e.Evaluate([]byte(test.message))
			if !ok || got != test.want {
				t.Errorf("got %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}

func TestRouteSelectionOfWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	e, err := Parse(`$request.body.action`)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"", " ", "hello", `{"action":"join"`, `{"action":"join"} x`, `{"action":"join"}{}`, `{'action':'join'}`} {
		if got, ok := e.Evaluate([]byte(message)); ok {
			t.Errorf("%q was taken for JSON and gave %q", message, got)
		}
	}
}

func TestMistakenSelectionExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // expression to part of the error
		``:                           "empty",
		`$request.body`:              "names no part",
		`${request.body}`:            "names no part",
		`$request.header.x`:          "only $request.body",
		`$context.routeKey`:          "only $request.body",
		`$default`:                   `\$ is a dollar sign`,
		`$`:                          "only $request.body",
		`${`:                         "only $request.body",
		`${request.body.a`:           "closing brace",
		`${request.body.a b}`:        "closing brace",
		`$request.body.`:             "must follow the dot",
		`$request.body.a.`:           "must follow the dot",
		`$request.body..a`:           "must follow the dot",
		`$request.body.*`:            "must follow the dot",
		`$request.body[*]`:           "brackets must hold",
		`$request.body[-1]`:          "brackets must hold",
		`$request.body[0:2]`:         "brackets must hold",
		`$request.body[?(@.a)]`:      "brackets must hold",
		`$request.body['a`:           "quoted name",
		`$request.body['']`:          "quoted name",
		`$request.body.my-action`:    "ambiguous",
		`$request.bodyaction`:        "names no part",
		`x$request.body.a$request.b`: "only $request.body",
	}
	for expression, want := range tests {
		if _, err := Parse(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", expression, err, want)
		}
	}
}

func FuzzSelectionExpression(f *testing.F) {
	f.Add(`${request.body.service}/${request.body.action}`, `{"service":"a","action":["b",1]}`)
	f.Add(`\$default`, `x`)
	f.Add(`$request.body['a'][0]["b"].c`, `{"a":[{"b":{"c":null}}]}`)
	f.Fuzz(func(t *testing.T, source, message string) {
		// Escaped, any text is an expression for itself.
		if source != "" {
			e, err := Parse(strings.ReplaceAll(source, "$", `\$`))
			if err != nil {
				t.Fatalf("escaped %q: %v", source, err)
			}
			if got, ok := e.Evaluate([]byte("{}")); !ok || got != source {
				t.Fatalf("escaped %q became %q", source, got)
			}
		}
		e, err := Parse(source)
		if err != nil {
			return
		}
		first, isJSON := e.Evaluate([]byte(message))
		second, again := e.Evaluate([]byte(message))
		if first != second || isJSON != again {
			t.Fatalf("%q of %q is %q, then %q", source, message, first, second)
		}
	})
}
