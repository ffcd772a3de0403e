package cloud

import (
	"context"
	"fmt"
	"slices"
)

const (
	typeLogGroup  = "aws:cloudwatch/logGroup:LogGroup"
	typeAlarm     = "aws:cloudwatch/metricAlarm:MetricAlarm"
	typeDashboard = "aws:cloudwatch/dashboard:Dashboard"
)

func logKinds() map[string]*kind {
	const noMetrics = "there are no metrics on this machine"
	return map[string]*kind{
		typeLogGroup: {
			runs:     []string{"name"},
			ignores:  []string{"retentionInDays", "kmsKeyId", "logGroupClass", "skipDestroy"},
			replaces: []string{"name"},
			named:    "name", nameMax: 512, nameChars: "A-Za-z0-9._/#-",
			check: checkLogGroup,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("name")
				r.Outputs["arn"] = c.arn("logs", "log-group:"+r.ID)
				return nil
			},
			remove: func(_ context.Context, c *Cloud, r *Resource) error { return c.logs.Delete(r.ID) },
		},
		typeAlarm:     noted("name", "cloudwatch", "alarm:", noMetrics),
		typeDashboard: noted("dashboardName", "cloudwatch", "dashboard/", noMetrics),
	}
}

// retentions are for how many days CloudWatch Logs keeps a group, as it is asked
// to; 0 is for ever (PutRetentionPolicy in the CloudWatch Logs API Reference).
var retentions = []int{
	0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

func checkLogGroup(in Properties) error {
	if days := in.number("retentionInDays", 0); !slices.Contains(retentions, days) {
		return fmt.Errorf("retentionInDays is %d: CloudWatch Logs knows %v", days, retentions)
	}
	return nil
}

// noted is a type that is kept in the stack's state and does nothing here.
func noted(name, service, prefix, why string) *kind {
	return &kind{
		named: name, nameMax: 255, idle: why,
		declare: func(c *Cloud, r *Resource) error {
			r.ID = r.Inputs.text(name)
			r.Outputs["arn"] = c.arn(service, prefix+r.ID)
			return nil
		},
	}
}
