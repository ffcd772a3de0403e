package components

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// awsNames is what AWS allows the names of resources to be, by the last part of
// their type, as the guides and API references of the services have it.
func awsNames() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"Api":        regexp.MustCompile(`^.{1,128}$`),
		"Function":   regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`),
		"LogGroup":   regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`),
		"Permission": regexp.MustCompile(`^[a-zA-Z0-9-_]{1,100}$`), // the statement id
		"Queue":      regexp.MustCompile(`^[a-zA-Z0-9-_]{1,80}$`),
		"Role":       regexp.MustCompile(`^[\w+=,.@-]{1,64}$`),
		"RolePolicy": regexp.MustCompile(`^[\w+=,.@-]{1,128}$`),
		"Table":      regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`),
	}
}

// expectAWSNames fails unless AWS takes every name that Pulumi makes.
func (c *cloud) expectAWSNames(t *testing.T) {
	t.Helper()
	checked := 0
	for _, r := range c.resources {
		allowed, ok := awsNames()[r.Type[strings.LastIndex(r.Type, ":")+1:]]
		if !ok {
			continue
		}
		checked++
		if name := r.Name + suffix; !allowed.MatchString(name) {
			t.Errorf("a %s would be called %s, of %d characters", r.Type, name, len(name))
		}
	}
	if checked == 0 {
		t.Error("no name was looked at")
	}
}

// longKeys are route keys that leave little room or have odd characters.
func longKeys() []string {
	return []string{
		strings.Repeat("k", 35), strings.Repeat("k", 40), strings.Repeat("k", 41), strings.Repeat("k", 128),
		"poll/" + strings.Repeat("ü", 50), "ö", "a.b", "vote",
	}
}

func TestNamesOfAChatFit(t *testing.T) {
	t.Parallel()
	var routes []ChatRouteArgs
	for _, key := range longKeys() {
		routes = append(routes, ChatRouteArgs{Key: key, Function: GoFunctionArgs{Package: "./x"}})
	}
	for _, name := range []string{"c", "customer-support", strings.Repeat("n", maxChatStackName)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustPreview(t, func(ctx *pulumi.Context) error {
				_, err := NewChatStack(ctx, name, &ChatStackArgs{Routes: routes, builder: &fakeBuilder{}})
				return err
			})
			c.expectAWSNames(t)
		})
	}
}

// constructors declare one component each, of the longest name that is allowed
// and of names of the caller's choice.
func constructors() map[string]struct {
	longest int
	declare func(*pulumi.Context, string) error
} {
	type constructor = struct {
		longest int
		declare func(*pulumi.Context, string) error
	}
	return map[string]constructor{
		"chat stack": {30, func(ctx *pulumi.Context, name string) error {
			_, err := NewChatStack(ctx, name, &ChatStackArgs{builder: &fakeBuilder{}})
			return err
		}},
		"chat table": {247, func(ctx *pulumi.Context, name string) error {
			_, err := NewChatTable(ctx, name, nil)
			return err
		}},
		"function": {51, func(ctx *pulumi.Context, name string) error {
			_, err := NewGoFunction(ctx, name, &GoFunctionArgs{Package: "./x", builder: &fakeBuilder{}})
			return err
		}},
		"grant": {120, func(ctx *pulumi.Context, name string) error {
			f, err := newFunction(ctx, "f")
			if err != nil {
				return err
			}
			_, err = f.Grant(ctx, name, PolicyStatement{Actions: []string{"a:B"}, Resources: []pulumi.StringInput{pulumi.String("*")}})
			return err
		}},
		"stream mapping": {59, func(ctx *pulumi.Context, name string) error {
			f, err := newFunction(ctx, "f")
			if err != nil {
				return err
			}
			_, err = NewStreamMapping(ctx, name, &StreamMappingArgs{StreamARN: pulumi.String("arn"), Function: f})
			return err
		}},
		"WebSocket API": {71, func(ctx *pulumi.Context, name string) error {
			f, err := newFunction(ctx, "f")
			if err != nil {
				return err
			}
			routes := []RouteArgs{{Key: DisconnectRoute, Function: f}}
			for _, key := range longKeys() {
				routes = append(routes, RouteArgs{Key: key, Function: f})
			}
			_, err = NewWebSocketAPI(ctx, name, &WebSocketAPIArgs{Routes: routes})
			return err
		}},
	}
}

func TestLongestNamesFitAndNoOthersPass(t *testing.T) {
	t.Parallel()
	for component, test := range constructors() {
		t.Run(component, func(t *testing.T) {
			t.Parallel()
			c := mustPreview(t, func(ctx *pulumi.Context) error {
				return test.declare(ctx, strings.Repeat("n", test.longest))
			})
			c.expectAWSNames(t)
			for _, name := range []string{strings.Repeat("n", test.longest+1), "my.chat", "my chat", "chät", "a/b", ""} {
				_, err := preview(func(ctx *pulumi.Context) error { return test.declare(ctx, name) })
				expectError(t, err, fmt.Sprintf("name is %q: allowed is 1 to %d letters, digits, - and _", name, test.longest))
			}
		})
	}
}

func TestRouteNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key  string
		room int
		want string
	}{
		{"$connect", minRouteName, "on-connect"},
		{"$disconnect", minRouteName, "on-disconnect"},
		{"vote", minRouteName, "route-vote"},
		{"vote", 100, "route-vote"},
		{strings.Repeat("k", 40), 100, "route-" + strings.Repeat("k", 40)},
		{strings.Repeat("k", 14), minRouteName, "route-" + strings.Repeat("k", 14)},
		{"subscribe-report", 100, "route-subscribe-report"},
		{"subscribe-report", minRouteName, "route-subsc-90651d4c"},
		{"poll/vote", 100, "route-poll-vote-d228491c"},
		{"poll/vote", minRouteName, "route-poll--d228491c"},
	} {
		if diff := cmp.Diff(test.want, routeName(test.key, test.room)); diff != "" {
			t.Errorf("%q in %d characters (-want +got):\n%s", test.key, test.room, diff)
		}
	}
}

func TestRouteNamesDiffer(t *testing.T) {
	t.Parallel()
	for _, room := range []int{minRouteName, minRouteName + 1, 40, 100} {
		seen := map[string]string{}
		for _, key := range append(longKeys(),
			"$connect", "connect", "on-connect", "$default", "default", "a/b", "a-b", "a b", "ä",
			strings.Repeat("x", 100), strings.Repeat("x", 101),
		) {
			name := routeName(key, room)
			if other, ok := seen[name]; ok {
				t.Errorf("%q and %q are both named %q", key, other, name)
			}
			seen[name] = key
			if len(name) > room || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("%q is named %q, which is longer than %d or no part of a statement id", key, name, room)
			}
		}
	}
}
