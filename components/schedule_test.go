package components

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// previewSchedule declares a schedule for a function called work.
func previewSchedule(args ScheduleArgs) (*cloud, error) {
	return preview(func(ctx *pulumi.Context) error {
		f, err := newFunction(ctx, "work")
		if err != nil {
			return err
		}
		args.Function = f
		_, err = NewSchedule(ctx, "tick", &args)
		return err
	})
}

func TestScheduleWithDefaults(t *testing.T) {
	t.Parallel()
	c, err := previewSchedule(ScheduleArgs{})
	if err != nil {
		t.Fatal(err)
	}
	const rule = "arn:aws:events:eu-central-1:123456789012:rule/tick-a1b2c3d"
	target := c.get(t, "EventTarget", "tick")
	for kind, want := range map[string]map[string]any{
		"EventRule":   {"scheduleExpression": "rate(1 minute)", "state": "ENABLED"},
		"EventTarget": {"rule": "tick-a1b2c3d", "arn": "arn:aws:lambda:eu-central-1:123456789012:function:work-a1b2c3d"},
		"Permission": {
			"action": "lambda:InvokeFunction", "function": "work-a1b2c3d", "principal": "events.amazonaws.com", "sourceArn": rule,
		},
	} {
		if diff := cmp.Diff(want, c.get(t, kind, "tick").Inputs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if !slices.ContainsFunc(target.DependsOn, func(urn string) bool { return strings.Contains(urn, "permission:Permission::tick") }) {
		t.Errorf("the target depends on %v, not on the permission", target.DependsOn)
	}
}

func TestScheduleWithEverySetting(t *testing.T) {
	t.Parallel()
	c, err := previewSchedule(ScheduleArgs{Every: 90 * time.Minute, Disabled: true, Tags: map[string]string{"team": "chat"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"scheduleExpression": "rate(90 minutes)", "state": "DISABLED", "tags": map[string]any{"team": "chat"}}
	if diff := cmp.Diff(want, c.get(t, "EventRule", "tick").Inputs); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
}

func TestScheduleThatAWSRefuses(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{30 * time.Second, 90 * time.Second, -time.Minute, 366 * 24 * time.Hour} {
		_, err := previewSchedule(ScheduleArgs{Every: every})
		expectError(t, err, `schedule "tick": Every is `+every.String(), "in whole minutes")
	}
	_, err := preview(func(ctx *pulumi.Context) error {
		_, err := NewSchedule(ctx, strings.Repeat("x", 57), nil)
		return err
	})
	expectError(t, err, "Function is nil", "1 to 56 letters")
}

// TestChatWithIdentityHasASchedule: what ends connections when their tokens
// expire is there with identity alone.
func TestChatWithIdentityHasASchedule(t *testing.T) {
	t.Parallel()
	anonymous := mustPreviewChat(t, &ChatStackArgs{})
	c := mustPreviewChat(t, &ChatStackArgs{Identity: anyIdentity})
	var more []string
	for _, name := range c.list() {
		if strings.Contains(name, "expiry") && !slices.Contains(anonymous.list(), name) {
			more = append(more, name)
		}
	}
	slices.Sort(more)
	want := []string{
		"EventRule chat-expiry", "EventTarget chat-expiry", "Function chat-expiry", "GoFunction chat-expiry",
		"LogGroup chat-expiry-logs", "Permission chat-expiry", "Role chat-expiry-role", "RolePolicy chat-expiry-policy", "Schedule chat-expiry",
	}
	if diff := cmp.Diff(want, more); diff != "" {
		t.Errorf("identity adds (-want +got):\n%s", diff)
	}
	const (
		table       = "arn:aws:dynamodb:eu-central-1:123456789012:table/chat-table-a1b2c3d"
		connections = "execute-api:ManageConnections arn:aws:execute-api:eu-central-1:123456789012:chat-api-a1b2c3d/dev/"
		logs        = "arn:aws:logs:eu-central-1:123456789012:log-group:chat-expiry-logs-a1b2c3d:*"
	)
	may := []string{
		"dynamodb:DeleteItem " + table, "dynamodb:GetItem " + table, "dynamodb:Query " + table, "dynamodb:Query " + table + "/index/bySubscriber",
		"dynamodb:UpdateItem " + table, connections + "DELETE/@connections/*", connections + "POST/@connections/*",
		"logs:CreateLogStream " + logs, "logs:PutLogEvents " + logs,
	}
	if diff := cmp.Diff(may, c.grants(t, "chat-expiry-role")); diff != "" {
		t.Errorf("the function may (-want +got):\n%s", diff)
	}
	in := c.get(t, "Function", "chat-expiry").Inputs
	if got := [2]any{in["memorySize"], in["timeout"]}; got != [2]any{256.0, 90.0} {
		t.Errorf("memory and timeout are %v", got)
	}
	told := map[string]any{"IDENTITY": "jwt", "TABLE_NAME": "chat-table-a1b2c3d", "MANAGEMENT_ENDPOINT": "https://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev"}
	if diff := cmp.Diff(told, c.variables(t, "chat-expiry")); diff != "" {
		t.Errorf("the function is told (-want +got):\n%s", diff)
	}
	if got := c.get(t, "EventTarget", "chat-expiry").Inputs["arn"]; got != "arn:aws:lambda:eu-central-1:123456789012:function:chat-expiry-a1b2c3d" {
		t.Errorf("the rule invokes %v", got)
	}
}
