// This program deploys what the conformance suite asks its questions of: APIs
// whose functions behave as they are told, and tables whose streams feed
// functions that fail when they are told. It is deployed to AWS and to the local
// cloud alike, and holds nothing that costs while nobody asks.
package main

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"example.com/chatstack/components"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		s := &subject{ctx: ctx, platform: components.Platform(config.New(ctx, "conformance").Get("platform"))}
		for _, declare := range []func() error{s.declareRecord, s.declareAPIs, s.declareFeeds, s.declareSchedule} {
			if err := declare(); err != nil {
				return err
			}
		}
		return nil
	})
}

// A subject is all that is deployed.
type subject struct {
	ctx      *pulumi.Context
	platform components.Platform
	record   *components.ChatTable // what the functions saw
}

// declareRecord declares the table in which the functions note what they got.
func (s *subject) declareRecord() (err error) {
	s.record, err = components.NewChatTable(s.ctx, "record", &components.ChatTableArgs{AWSOwnedKey: true})
	if err != nil {
		return err
	}
	s.ctx.Export("record", s.record.Name)
	s.ctx.Export("recordStream", s.record.StreamARN)
	return nil
}

// declareSchedule declares a rule that is due seldom, since it costs when it is.
func (s *subject) declareSchedule() error {
	scheduled, err := s.probe("scheduled", components.GoFunctionArgs{Environment: pulumi.StringMap{"PROBE": pulumi.String("scheduled")}})
	if err != nil {
		return err
	}
	schedule, err := components.NewSchedule(s.ctx, "scheduled", &components.ScheduleArgs{Function: scheduled, Every: time.Hour})
	if err != nil {
		return err
	}
	s.ctx.Export("scheduledRule", schedule.RuleARN)
	return nil
}

// probe declares a function that does as it is told. Every one may note what it
// saw, and nothing else but for the statements.
func (s *subject) probe(name string, args components.GoFunctionArgs) (*components.GoFunction, error) {
	environment := pulumi.StringMap{"RECORD_TABLE": s.record.Name, "PROBE_NAME": pulumi.String(name)}
	for key, value := range args.Environment {
		environment[key] = value
	}
	args.Package, args.Platform, args.Environment = "./probe", s.platform, environment
	args.LogRetentionDays = 1
	args.Statements = append(args.Statements, components.PolicyStatement{
		Actions:   []string{"dynamodb:PutItem"},
		Resources: []pulumi.StringInput{s.record.ARN},
	})
	return components.NewGoFunction(s.ctx, name, &args)
}
