package cloud

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestUnknownTypesAreRefusedByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const typ = "aws:s3/bucket:Bucket"
	_, checked := r.Check(typ, nil)
	_, compared := r.Diff(typ, "b", nil, nil, nil)
	_, put := r.Put(t.Context(), declared(typ, "b", nil))
	deleted := r.Delete(t.Context(), typ, "b")
	for what, err := range map[string]error{"Check": checked, "Diff": compared, "Put": put, "Delete": deleted} {
		if err == nil || !strings.Contains(err.Error(), "does not run "+typ) || !strings.Contains(err.Error(), typeTable) {
			t.Errorf("%s: %v, want the type's name, and those that are run", what, err)
		}
	}
}

func TestCheckRefusesWhatIsNotRun(t *testing.T) {
	t.Parallel()
	c := &Cloud{kinds: kinds()}
	api := Properties{"name": "a", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}
	route := Properties{"apiId": "a", "routeKey": "$default", "target": "integrations/i"}
	integration := Properties{
		"apiId": "a", "integrationType": "AWS_PROXY",
		"integrationUri": "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/arn:aws:lambda:r:1:function:f/invocations",
	}
	mapping := Properties{"eventSourceArn": "arn:aws:dynamodb:r:000000000000:table/t/stream/s", "functionName": "f"}
	for _, test := range []struct {
		name, typ string
		in        Properties
		property  string // of the problem; none with reason empty
		reason    string
	}{
		{"all that is run", typeAPI, api, "", ""},
		{"what makes no difference here", typeAPI, api.with(Properties{"description": "d", "tags": map[string]any{}, "__defaults": []any{}}), "", ""},
		{"a property that is null", typeAPI, api.with(Properties{"corsConfiguration": nil}), "", ""},
		{"a property that is not run", typeAPI, api.with(Properties{"corsConfiguration": map[string]any{}}), "corsConfiguration", "does not run the property corsConfiguration of " + typeAPI},
		{"the same, not known yet", typeAPI, api.with(Properties{"corsConfiguration": Unknown}), "corsConfiguration", "corsConfiguration"},
		{"an HTTP API", typeAPI, api.with(Properties{"protocolType": "HTTP"}), "", `protocolType is "HTTP"`},
		{"a protocol that is not known yet", typeAPI, api.with(Properties{"protocolType": Unknown}), "", ""},
		{"a stage without automatic deployment", typeStage, Properties{"apiId": "a", "name": "s"}, "", "autoDeploy is off"},
		{"an integration with HTTP", typeIntegration, Properties{"apiId": "a", "integrationType": "HTTP"}, "", `integrationType is "HTTP"`},
		{"a route with an authorizer", typeRoute, route.with(Properties{"authorizationType": "AWS_IAM"}), "", `authorizationType is "AWS_IAM"`},
		{"a route without", typeRoute, route.with(Properties{"authorizationType": "NONE"}), "", ""},
		{"another route response", typeRouteResponse, Properties{"apiId": "a", "routeId": "r", "routeResponseKey": "x"}, "", `routeResponseKey is "x"`},
		{"a managed runtime", typeFunction, functionInputs("f", "1").with(Properties{"runtime": "nodejs22.x"}), "", `runtime is "nodejs22.x"`},
		{"code that is no file", typeFunction, functionInputs("f", "1").with(Properties{"code": map[string]any{"hash": "h"}}), "", "give it as a FileArchive"},
		{"logs kept for a week", typeLogGroup, Properties{"name": "l", "retentionInDays": 7.0}, "", ""},
		{"logs kept for ever", typeLogGroup, Properties{"name": "l", "retentionInDays": 0.0}, "", ""},
		{"logs kept for eight days", typeLogGroup, Properties{"name": "l", "retentionInDays": 8.0}, "", "retentionInDays is 8"},
		{"a function's name with a slash", typeFunction, functionInputs("../f", "1"), "name", `name is "../f": it has one or more of the characters A-Za-z0-9_-`},
		{"a function's name that is too long", typeFunction, functionInputs(strings.Repeat("f", 65), "1"), "name", "65 characters long: it has at most 64"},
		{"a name that is not known yet", typeFunction, functionInputs(Unknown, "1"), "", ""},
		{"a role's name with a space", typeRole, Properties{"name": "a b", "assumeRolePolicy": trust(lambdaService)}, "name", `name is "a b"`},
		{"a log group's name", typeLogGroup, Properties{"name": "/aws/lambda/f.g#h_i"}, "", ""},
		{"a function without a handler", typeFunction, functionInputs("f", "1").with(Properties{"handler": nil}), "", "handler is missing"},
		{"a log in JSON", typeFunction, functionInputs("f", "1").with(Properties{"loggingConfig": map[string]any{"logFormat": "JSON"}}), "", `logFormat is "JSON"`},
		{"an integration with a function's ARN", typeIntegration, integration.with(Properties{"integrationUri": "arn:aws:lambda:r:1:function:f"}), "", "give the function's invokeArn"},
		{"an integration that gets", typeIntegration, integration.with(Properties{"integrationMethod": "GET"}), "", `integrationMethod is "GET"`},
		{"an integration that posts", typeIntegration, integration.with(Properties{"integrationMethod": "POST"}), "", ""},
		{"an authorizer with a function's ARN", typeAuthorizer, Properties{"apiId": "a", "authorizerType": "REQUEST", "authorizerUri": "arn:aws:lambda:r:1:function:f"}, "", "give the function's invokeArn"},
		{"a route to nowhere", typeRoute, route.with(Properties{"target": nil}), "", `target is ""`},
		{"a mapping of a stream", typeMapping, mapping, "", ""},
		{"a mapping of a table", typeMapping, mapping.with(Properties{"eventSourceArn": "arn:aws:dynamodb:r:000000000000:table/t"}), "", "give a table's streamArn"},
		{"a mapping with another response type", typeMapping, mapping.with(Properties{"functionResponseTypes": []any{"Foo"}}), "", `functionResponseTypes has "Foo"`},
		{"a FIFO queue", typeQueue, Properties{"name": "q", "fifoQueue": true}, "fifoQueue", "fifoQueue"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			problems, err := c.Check(test.typ, test.in)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case test.reason == "" && problems != nil:
				t.Errorf("refused: %v", problems)
			case test.reason != "" && (len(problems) != 1 || problems[0].Property != test.property || !strings.Contains(problems[0].Reason, test.reason)):
				t.Errorf("problems: %+v, want one of %q that says %q", problems, test.property, test.reason)
			}
		})
	}
}

func TestEveryTypeHasItsPlaceInTheOrder(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(kinds())), slices.Sorted(slices.Values(order))); diff != "" {
		t.Errorf("order (-types +order):\n%s", diff)
	}
}

func TestDiffUpdatesOrReplacesByProperty(t *testing.T) {
	t.Parallel()
	c := &Cloud{kinds: kinds()}
	function := functionInputs("f", "1")
	for _, test := range []struct {
		name, typ string
		old       Properties
		changes   Properties
		want      Change
	}{
		{"an update", typeFunction, function, Properties{"timeout": 5.0}, Change{Properties: []string{"timeout"}}},
		{"a property that is new", typeFunction, function, Properties{"description": "d"}, Change{Properties: []string{"description"}}},
		{"code with another digest", typeFunction, function, Properties{"code": map[string]any{"hash": "other", "path": "p"}}, Change{Properties: []string{"code"}}},
		{"a name", typeFunction, function, Properties{"name": "g"}, Change{Properties: []string{"name"}, Replaces: []string{"name"}}},
		{
			"both", typeTable, tableInputs(nil),
			Properties{"hashKey": "id", "streamEnabled": true},
			Change{Properties: []string{"hashKey", "streamEnabled"}, Replaces: []string{"hashKey"}},
		},
		{"something not known yet", typeFunction, function, Properties{"environment": Unknown}, Change{Properties: []string{"environment"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Diff(test.typ, "id", test.old, test.old, test.old.with(test.changes))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffFindsNothingWhereNothingChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	function := r.put(typeFunction, "f", functionInputs("f", "1").with(Properties{"__defaults": []any{"name"}}))
	elsewhere := function.Inputs.with(Properties{
		"code":       map[string]any{"hash": "digest-of-1", "path": "/another/place/of/the/same.zip"},
		"__defaults": []any{},
	})
	change, err := r.Diff(typeFunction, function.ID, function.Inputs, function.Outputs, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Change{}, change); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
}

// TestDiffFindsWhatABrokenDeploymentHasChanged updates a function, of which the
// stack's state learns nothing.
func TestDiffFindsWhatABrokenDeploymentHasChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	deployed := r.put(typeFunction, "f", functionInputs("f", "1"))
	r.update(deployed, Properties{"reservedConcurrentExecutions": 1.0, "timeout": nil})
	if diff := cmp.Diff(Change{Properties: []string{"reservedConcurrentExecutions", "timeout"}}, r.diff(deployed)); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	r.update(deployed, nil)
	if diff := cmp.Diff(Change{}, r.diff(deployed)); diff != "" {
		t.Errorf("after the update (-want +got):\n%s", diff)
	}
}

func TestAnInputThatIsGoneIsNoOutput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.put(typeQueue, "q", Properties{"name": "q", "policy": "p"})
	after := r.update(before, Properties{"policy": nil})
	want := Properties{"name": "q", "url": before.Outputs["url"], "arn": "arn:aws:sqs:us-east-1:000000000000:q"}
	if diff := cmp.Diff(want, after.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestANameThatIsTakenIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.put(typeQueue, "first", Properties{"name": "q"})
	_, err := r.Put(t.Context(), declared(typeQueue, "second", Properties{"name": "q"}))
	if err == nil || !strings.Contains(err.Error(), first.URN) {
		t.Errorf("%v, want a refusal that names %s", err, first.URN)
	}
	if again := r.put(typeQueue, "first", Properties{"name": "q"}); again.ID != first.ID {
		t.Errorf("the same declaration, of which a broken deployment told nobody: %s, want %s", again.ID, first.ID)
	}
}

func TestAPartThatTheGatewayRefusesIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("refused")
	_, err := r.Put(t.Context(), declared(typeRoute, "twice", s.route.Inputs))
	if err == nil || !strings.Contains(err.Error(), `"$default" is declared twice`) {
		t.Fatalf("%v, want a refusal", err)
	}
	elsewhere := s.route.Inputs.with(Properties{"routeKey": "elsewhere", "target": "integrations/nope"})
	if _, err := r.Put(t.Context(), declared(typeRoute, "elsewhere", elsewhere)); err == nil || !strings.Contains(err.Error(), `unable to find integration "nope"`) {
		t.Errorf("a route to what is not there: %v", err)
	}
	r.update(s.integration, Properties{"timeoutMilliseconds": 5000.0}) // of the same API
	if _, err := r.tryUpdate(s.route, Properties{"routeKey": "$other"}); err == nil {
		t.Error("a route key that AWS does not know is taken")
	}
	if got := r.ask(s.url(), `{"action":"say"}`); got != "version 1" {
		t.Errorf("answer %q: the route has not stayed as it was", got)
	}
	if got := len(r.notes.list(typeRoute, nil)); got != 1 {
		t.Errorf("%d routes are noted, want 1", got)
	}
}

func TestAnAPIThatIsRefusedLeavesNoAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.Put(t.Context(), declared(typeAPI, "bad", Properties{"name": "bad", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request."}))
	if err == nil {
		t.Fatal("not refused")
	}
	if len(r.listeners) != 0 || !r.notes.empty() {
		t.Errorf("left behind: %v", r.listeners)
	}
	for name := range r.notes.page.Ports {
		if strings.HasPrefix(name, "api ") {
			t.Errorf("the port of %s is still noted", name)
		}
	}
}

func TestKeepDeletesWhatNoStackHoldsUsersBeforeWhatTheyUse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kept := r.serve("kept")
	s := r.serve("left")
	table := r.put(typeTable, "left", tableInputs(Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"}))
	protected := r.put(typeTable, "protected", tableInputs(Properties{deletionProtection: true}))
	r.put(typeMapping, "left", Properties{
		"eventSourceArn": table.Outputs["streamArn"], "functionName": s.function.ID, "startingPosition": "LATEST",
	})
	r.put(typeAlarm, "left", Properties{"name": "left"})
	held := map[string]bool{}
	for _, resource := range kept.parts() {
		held[resource.ID] = true
	}
	if err := r.Keep(t.Context(), func(_, id string) bool { return held[id] }); err != nil {
		t.Fatal(err)
	}
	var deleted []string
	for _, line := range r.logged.with("deleting a resource") {
		_, line, _ = strings.Cut(line, "type=")
		typ, _, _ := strings.Cut(line, " ")
		deleted = append(deleted, typ)
	}
	want := []string{
		typeAlarm, typeMapping, typeRouteResponse, typeRoute, typeIntegration, typeStage, typeAPI, typePermission, typeFunction, typeTable,
	}
	if diff := cmp.Diff(want, deleted); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if r.Get(typeTable, protected.ID) == nil {
		t.Error("a table with deletion protection is gone")
	}
	if got := r.ask(kept.url(), `{"action":"say"}`); got != "version 1" {
		t.Errorf("what was to be kept answers %q", got)
	}
}

func TestOverviewTellsWhatRunsAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("seen")
	table := r.put(typeTable, "t", tableInputs(Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"}))
	r.put(typeMapping, "m", Properties{
		"eventSourceArn": table.Outputs["streamArn"], "functionName": s.function.Outputs["arn"], "startingPosition": "LATEST",
	})
	r.put(typeQueue, "q", Properties{"name": "letters"})
	r.put(typeDashboard, "d", Properties{"dashboardName": "board"})
	r.put(typeAlarm, "a", Properties{"name": "alarm"})
	want := Overview{
		Region:    DefaultRegion,
		APIs:      []API{{Name: "seen", Stage: "local", Endpoint: s.url()}},
		Functions: []Function{{Name: "seen", LogGroup: "/aws/lambda/seen", Triggers: []string{"$default", "stream"}}},
		Tables:    []Table{{Name: table.ID, StreamARN: table.Outputs.text("streamArn")}},
		Mappings:  []Mapping{{Function: "seen", StreamARN: table.Outputs.text("streamArn")}},
		Queues:    []Queue{{Name: "letters"}},
		Idle: []Idle{
			{typeAlarm, "alarm", "there are no metrics on this machine"}, {typeDashboard, "board", "there are no metrics on this machine"},
		},
	}
	if diff := cmp.Diff(want, r.Overview(), cmpopts.IgnoreFields(Mapping{}, "Status")); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
}
