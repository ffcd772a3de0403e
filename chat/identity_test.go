package chat

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What an authorizer says comes as texts, or as what API Gateway makes of them.
func TestParseIdentity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		context map[string]any
		want    Identity
		refused bool
	}{
		"nothing":               {nil, Identity{}, false},
		"nobody":                {map[string]any{"name": "Ada", "integrationLatency": 3.0}, Identity{}, false},
		"principalId alone":     {map[string]any{"principalId": "u-1"}, Identity{User: "u-1", Name: "u-1"}, false},
		"user before principal": {map[string]any{"principalId": "x", "user": "u-1", "name": "Ada"}, Identity{User: "u-1", Name: "Ada"}, false},
		"all of it": {
			map[string]any{"principalId": "u-1", "name": "Ada <b>L</b>.", "channels": `["private:*"]`, "moderates": `["*"]`, "expiresAt": "1800000000"},
			Identity{User: "u-1", Name: "Ada bLb", Channels: []string{"private:*"}, Moderates: []string{"*"}, ExpiresAt: time.Unix(1800000000, 0)},
			false,
		},
		"numbers":             {map[string]any{"principalId": 12345678901.0, "expiresAt": 1800000000.0}, Identity{User: "12345678901", Name: "12345678901", ExpiresAt: time.Unix(1800000000, 0)}, false},
		"a name that is none": {map[string]any{"principalId": "u-1", "name": "👋"}, Identity{User: "u-1", Name: "u-1"}, false},
		"no name at all":      {map[string]any{"principalId": "…"}, Identity{User: "…", Name: "somebody"}, false},
		"a long name":         {map[string]any{"principalId": "u", "name": strings.Repeat("é", 200)}, Identity{User: "u", Name: strings.Repeat("é", MaxName)}, false},
		"a long user":         {map[string]any{"principalId": strings.Repeat("u", MaxUser+1)}, Identity{}, true},
		"a control character": {map[string]any{"principalId": "a\x00b"}, Identity{}, true},
		"channels as a text":  {map[string]any{"principalId": "u", "channels": "private:*"}, Identity{}, true},
		"moderates as true":   {map[string]any{"principalId": "u", "moderates": "true"}, Identity{}, true},
		"no time":             {map[string]any{"principalId": "u", "expiresAt": "soon"}, Identity{}, true},
		"not a number":        {map[string]any{"principalId": "u", "expiresAt": "NaN"}, Identity{}, true},
		"NaN":                 {map[string]any{"principalId": "u", "expiresAt": math.NaN()}, Identity{}, true},
		"for ever":            {map[string]any{"principalId": "u", "expiresAt": "Inf"}, Identity{}, true},
		"before 1970":         {map[string]any{"principalId": "u", "expiresAt": "-1"}, Identity{}, true},
	} {
		got, err := ParseIdentity(test.context)
		if (err != nil) != test.refused {
			t.Errorf("%s: error %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What an authorizer says of an identity is read as that identity, also after
// API Gateway has made JSON of it.
func TestIdentityGoesThroughTheAuthorizersContext(t *testing.T) {
	t.Parallel()
	patterns := rapid.SliceOfN(rapid.StringN(1, 20, -1), 1, 5)
	rapid.Check(t, func(t *rapid.T) {
		want := Identity{
			User: rapid.StringMatching(`[ -~äöü日]{1,128}`).Draw(t, "user"),
			Name: rapid.StringMatching(`[A-Za-zäöü]{1,64}`).Draw(t, "name"),
		}
		if rapid.Bool().Draw(t, "with more") {
			want.Channels, want.Moderates = patterns.Draw(t, "channels"), patterns.Draw(t, "moderates")
			want.ExpiresAt = time.Unix(rapid.Int64Range(0, 1e11).Draw(t, "expires"), 0)
		}
		text, err := json.Marshal(want.AuthorizerContext())
		if err != nil {
			t.Fatal(err)
		}
		var context map[string]any
		if err := json.Unmarshal(text, &context); err != nil {
			t.Fatal(err)
		}
		got, err := ParseIdentity(context)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// Patterns match as regular expressions do in which * is the only thing special.
func TestPatternsOfChannels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"*", "anything", true},
		{"", "", true},
		{"", "a", false},
		{"private:team-*", "private:team-", true},
		{"private:team-*", "private:team", false},
		{"private:team-*", "my private:team-1", false},
		{"*-team", "a-team", true},
		{"*-team", "a-teams", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a b c b c", true},
		{"a*bc*c", "abc", false},
		{"a.c", "abc", false},
	} {
		if got := matches(test.pattern, test.text); got != test.want {
			t.Errorf("%q and %q: %v, want %v", test.pattern, test.text, got, test.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := rapid.StringMatching(`[ab*é]{0,8}`).Draw(t, "pattern"), rapid.StringMatching(`[abé]{0,8}`).Draw(t, "text")
		like := regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + `\z`)
		if got, want := matches(pattern, text), like.MatchString(text); got != want {
			t.Fatalf("%q and %q: %v, want %v", pattern, text, got, want)
		}
	})
}

// To moderate everything takes the one pattern that is for everything.
func TestModerators(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		moderates []string
		channel   string
		want      bool
	}{
		{nil, "General", false},
		{nil, "", false},
		{[]string{"*"}, "General", true},
		{[]string{"*"}, "", true},
		{[]string{"support-*", "General"}, "support-1", true},
		{[]string{"support-*", "General"}, "General", true},
		{[]string{"support-*", "General"}, "Generals", false},
		{[]string{"support-*"}, "", false},
		{[]string{"**"}, "", false},
		{[]string{""}, "", false},
	} {
		if got := (Identity{User: "u", Moderates: test.moderates}).IsModerator(test.channel); got != test.want {
			t.Errorf("%q of %q: %v, want %v", test.moderates, test.channel, got, test.want)
		}
	}
}

// Whatever an authorizer says, what is taken of it has the form of an identity.
func FuzzParseIdentity(f *testing.F) {
	for _, seed := range []string{
		`{"principalId":"u"}`, `{"user":"u","name":"Ada","channels":"[\"a\"]","moderates":"[]","expiresAt":"1800000000"}`,
		`{"principalId":7,"expiresAt":1e300}`, `{"principalId":true}`, `{"principalId":["a"]}`, `{"principalId":{"a":null}}`,
		`{"principalId":"\ud800"}`, `{"user":"u","channels":"[null,1]"}`, `{"user":"u","channels":"` + strings.Repeat("[", 2000) + `"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var context map[string]any
		if json.Unmarshal(text, &context) != nil {
			return
		}
		i, err := ParseIdentity(context)
		if err != nil || i.IsAnonymous() {
			if diff := cmp.Diff(Identity{}, i); diff != "" {
				t.Errorf("%s: %v, and yet %s", text, err, diff)
			}
			return
		}
		if CheckUser(i.User) != nil || i.Name == "" || utf8.RuneCountInString(i.Name) > MaxName || !utf8.ValidString(i.Name) {
			t.Errorf("%s is read as %+v", text, i)
		}
		if !i.ExpiresAt.IsZero() && (i.ExpiresAt.Unix() < 0 || i.ExpiresAt.Unix() > 1e11) {
			t.Errorf("%s ends at %v", text, i.ExpiresAt)
		}
		again, err := ParseIdentity(i.AuthorizerContext())
		if err != nil || again.User != i.User || again.Name != i.Name {
			t.Errorf("%s is read as %+v, and then as %+v, %v", text, i, again, err)
		}
	})
}
