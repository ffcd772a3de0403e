package cloud

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describe is what the test function needs to be allowed for the frame "table".
const (
	describe      = `{"Effect": "Allow", "Action": "dynamodb:DescribeTable", "Resource": "*"}`
	writeLogs     = `{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}`
	describeFrame = `{"action":"table"}`
)

// serveAs serves an API whose function has a role of its own.
func (r *rig) serveAs(name string, statements ...string) (served, *Resource) {
	r.t.Helper()
	s := r.serve(name)
	_, policy := r.role(name, statements...)
	table := r.put(typeTable, name, tableInputs(nil))
	s.function = r.update(s.function, Properties{
		"role":        roleARN(name),
		"environment": map[string]any{"variables": map[string]any{"TABLE_NAME": table.ID}},
	})
	return s, policy
}

func TestAFunctionMayDoWhatItsRoleAllowsAndNoMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, policy := r.serveAs("narrow", writeLogs)

	got := r.ask(s.url(), describeFrame)
	want := "User: arn:aws:sts::000000000000:assumed-role/narrow/narrow is not authorized to perform: dynamodb:DescribeTable on resource: arn:aws:dynamodb:us-east-1:000000000000:table/cloud-"
	if !strings.Contains(got, "AccessDeniedException") || !strings.Contains(got, want) {
		t.Errorf("the function is told %q, want %q", got, want)
	}
	policy = r.update(policy, Properties{"policy": policyOf(writeLogs, describe)})
	if got := r.ask(s.url(), describeFrame); got != "version 1" {
		t.Errorf("with the statement that was missing, it is told %q", got)
	}
	r.delete(policy)
	if got := r.ask(s.url(), describeFrame); !strings.Contains(got, "AccessDeniedException") {
		t.Errorf("without any policy, it is told %q", got)
	}
}

func TestPoliciesCountInWhateverWayARoleHasThem(t *testing.T) {
	t.Parallel()
	inline := func(r *rig, role *Resource) {
		r.update(role, Properties{"inlinePolicies": []any{map[string]any{"name": "inline", "policy": policyOf(describe)}}})
	}
	managed := func(r *rig, role *Resource) {
		r.update(role, Properties{"managedPolicyArns": []any{awsManaged + "AmazonDynamoDBFullAccess"}})
	}
	attached := func(r *rig, role *Resource) {
		policy := r.put(typePolicy, "own", Properties{"name": "own", "policy": policyOf(writeLogs)})
		r.put(typePolicyAttachment, "own", Properties{"role": role.ID, "policyArn": policy.Outputs["arn"]})
		r.update(policy, Properties{"policy": policyOf(describe)})
	}
	for name, give := range map[string]func(*rig, *Resource){"inline": inline, "managed by AWS": managed, "attached": attached} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s, _ := r.serveAs("f", writeLogs)
			give(r, r.Get(typeRole, "f"))
			if got := r.ask(s.url(), describeFrame); got != "version 1" {
				t.Errorf("the function is told %q", got)
			}
			r.restart()
			if got := r.ask(s.url(), describeFrame); got != "version 1" {
				t.Errorf("after a restart, the function is told %q", got)
			}
		})
	}
}

func TestAFunctionNeedsARoleThatLambdaCanAssume(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := functionInputs("f", "1").with(Properties{"role": roleARN("other")})
	_, err := r.Put(t.Context(), declared(typeFunction, "f", in))
	if err == nil || !strings.Contains(err.Error(), "there is no role "+roleARN("other")) {
		t.Errorf("without its role: %v", err)
	}
	r.put(typeRole, "other", Properties{"name": "other", "assumeRolePolicy": trust("ec2.amazonaws.com")})
	_, err = r.Put(t.Context(), declared(typeFunction, "f", in))
	if err == nil || !strings.Contains(err.Error(), "cannot be assumed by Lambda") {
		t.Errorf("with the role of another service: %v", err)
	}
}

func TestAPIGatewayInvokesOnlyWithAPermission(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("permitted")
	say := func() string { return r.ask(s.url(), `{"action":"say"}`) }
	stage := s.stage.Outputs.text("executionArn")
	for _, test := range []struct {
		name    string
		changes Properties
		want    bool
	}{
		{"of the route", nil, true},
		{"of every route", Properties{"sourceArn": stage + "/*"}, true},
		{"of every stage", Properties{"sourceArn": s.api.Outputs.text("executionArn") + "/*/$default"}, true},
		{"without a source", Properties{"sourceArn": nil}, true},
		{"of another route", Properties{"sourceArn": stage + "/$connect"}, false},
		{"with a method, as REST APIs have", Properties{"sourceArn": stage + "/POST/$default"}, false},
		{"of another account", Properties{"sourceAccount": "123456789012"}, false},
		{"of another service", Properties{"principal": "events.amazonaws.com"}, false},
		{"of another action", Properties{"action": "lambda:GetFunction"}, false},
	} {
		r.delete(s.permission)
		in := permissionInputs(s.function, stage+"/$default").with(test.changes)
		s.permission = r.put(typePermission, "p", in)
		if got := say(); (got == "version 1") != test.want {
			t.Errorf("permission %s: %q", test.name, got)
		}
	}
	r.delete(s.permission)
	if got := say(); !strings.Contains(got, `"message": "Internal server error"`) {
		t.Errorf("without a permission: %q", got)
	}
	if found := r.logged.with("sourceArn " + stage + "/$default"); len(found) == 0 {
		t.Error("nobody is told which permission is missing")
	}
}

func TestAPolicyThatIsNoneIsRefusedAtPreview(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for typ, in := range map[string]Properties{
		typeRolePolicy: {"name": "p", "role": "r", "policy": policyOf(`{"Effect": "Allow", "Action": "dynamodb:GetItem"}`)},
		typePolicy:     {"name": "p", "policy": "{"},
		typeRole:       {"name": "r", "assumeRolePolicy": trust(lambdaService), "inlinePolicies": []any{map[string]any{"name": "p", "policy": "{"}}},
	} {
		problems, err := r.Check(typ, in)
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Reason, "MalformedPolicyDocument") {
			t.Errorf("%s: %v, %v", typ, problems, err)
		}
	}
	problems, err := r.Check(typePolicyAttachment, Properties{"role": "r", "policyArn": awsManaged + "PowerUserAccess"})
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Reason, "does not know what arn:aws:iam::aws:policy/PowerUserAccess allows") {
		t.Errorf("an unknown policy of AWS's: %v, %v", problems, err)
	}
}

func TestAMappingNeedsARoleThatMayReadAndSend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const read = `{"Effect": "Allow", "Action": ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"], "Resource": "*"}`
	const list = `{"Effect": "Allow", "Action": "dynamodb:ListStreams", "Resource": "*"}`
	s, policy := r.serveAs("reader", writeLogs)
	table := r.put(typeTable, "streaming", tableInputs(Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"}))
	queue := r.put(typeQueue, "q", Properties{"name": "letters"})
	in := Properties{
		"eventSourceArn": table.Outputs["streamArn"], "functionName": s.function.ID, "startingPosition": "LATEST",
		"destinationConfig": map[string]any{"onFailure": map[string]any{"destinationArn": queue.Outputs["arn"]}},
	}
	refused := func(want string) {
		t.Helper()
		_, err := r.Put(t.Context(), declared(typeMapping, "m", in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused("is not authorized to perform: dynamodb:DescribeStream on resource: " + table.Outputs.text("streamArn"))
	policy = r.update(policy, Properties{"policy": policyOf(read)})
	refused("is not authorized to perform: dynamodb:ListStreams on resource: *")
	policy = r.update(policy, Properties{"policy": policyOf(read, list)})
	refused("is not authorized to perform: sqs:SendMessage on resource: " + queue.Outputs.text("arn"))
	r.update(policy, Properties{"policy": policyOf(read, list, `{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}`)})
	r.put(typeMapping, "m", in)
	in["destinationConfig"] = map[string]any{"onFailure": map[string]any{"destinationArn": "arn:aws:sns:us-east-1:000000000000:topic"}}
	refused("there is no queue arn:aws:sns:us-east-1:000000000000:topic")
}

func TestLogLinesAreLostWithoutThePermissionToWriteThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, policy := r.serveAs("mute", describe)
	muted := func() bool {
		r.ask(s.url(), `{"action":"say"}`)
		return r.Overview().Functions[0].Muted
	}
	if !muted() {
		t.Error("nobody is told that the lines are lost")
	}
	if found := r.logged.with("logs:CreateLogStream on resource: arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/mute:log-stream:"); len(found) != 1 {
		t.Errorf("told %d times what is missing, want once", len(found))
	}
	r.update(policy, Properties{"policy": policyOf(describe, writeLogs)})
	if muted() {
		t.Error("with the permission the lines are still lost")
	}
}

func TestFunctionsOfOneLogGroupWriteItEachByItsOwnRole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.role("may", writeLogs)
	r.role("not", describe)
	for _, name := range []string{"not", "may"} {
		r.put(typeFunction, name, functionInputs(name, "1").with(Properties{
			"role": roleARN(name), "loggingConfig": map[string]any{"logGroup": "shared"},
		}))
	}
	for name, muted := range map[string]bool{"may": false, "not": true} {
		if _, err := r.lambda.Invoke(t.Context(), name, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if got := r.roleLogs.isMuted(name); got != muted {
			t.Errorf("the lines of %s are lost: %t, want %t", name, got, muted)
		}
	}
}

func TestAccessTellsWhatWasAllowedAndNeverUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, _ := r.serveAs("f", writeLogs, describe, `{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}`)
	r.ask(s.url(), describeFrame)
	used := map[string]bool{}
	for _, access := range r.Access() {
		if access.Function != "f" || access.RoleARN != roleARN("f") {
			t.Errorf("access of %s by %s", access.Function, access.RoleARN)
		}
		for _, u := range access.Allowed {
			used[u.Action] = u.Count > 0
		}
	}
	want := map[string]bool{
		"logs:CreateLogStream": true, "logs:PutLogEvents": true, "dynamodb:DescribeTable": true, "dynamodb:PutItem": false,
	}
	if diff := cmp.Diff(want, used); diff != "" {
		t.Errorf("used (-want +got):\n%s", diff)
	}
}
