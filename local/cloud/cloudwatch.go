package cloud

import (
	"context"
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
			named:    "name", nameMax: 512,
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
