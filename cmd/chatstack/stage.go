package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"example.com/chatstack/chat/chattable"
)

// stageFlag says in which stage's chat a command works. All that it does there, it
// does in the stage's table.
type stageFlag struct {
	Stack string `placeholder:"NAME" default:"local" help:"Pulumi stack of the stage; AWS credentials are those of the environment. Default: local, the one on this machine."`
}

// open returns the stage's table.
func (f stageFlag) open(ctx context.Context, p *project) (*chattable.Table, error) {
	if f.Stack == stage {
		return p.openLocalTable(ctx)
	}
	outputs, err := p.stackOutputs(ctx, f.Stack)
	if err != nil {
		return nil, err
	}
	name, _ := outputs["tableName"].(string)
	arn, _ := outputs["tableArn"].(string)
	parts := strings.Split(arn, ":") // arn:aws:dynamodb:REGION:ACCOUNT:table/NAME
	if name == "" || len(parts) != 6 {
		return nil, fmt.Errorf("the stack %s has no outputs tableName and tableArn: it is not deployed (`pulumi up --stack %s` does it), or its program exports neither", f.Stack, f.Stack)
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(parts[3]))
	if err == nil {
		_, err = settings.Credentials.Retrieve(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("there are no AWS credentials for the stack %s: set AWS_PROFILE, or whatever else the aws command takes: %w", f.Stack, err)
	}
	return chattable.New(dynamodb.NewFromConfig(settings), name), nil
}

// openLocalTable returns the table on this machine, with the local cloud's clock.
func (p *project) openLocalTable(ctx context.Context) (*chattable.Table, error) {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return nil, err
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return nil, err
	}
	advanced, err := cloud.Advanced(ctx)
	if err != nil {
		return nil, err
	}
	var name string
	if len(status.Tables) == 1 {
		name = status.Tables[0].Name
	} else {
		engine, err := p.openEngine(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer engine.close()
		outputs, err := engine.outputs(ctx)
		if err != nil {
			return nil, err
		}
		if name, _ = outputs["tableName"].(string); name == "" {
			return nil, errors.New("the program exports no output tableName, which would say which table is the chat's")
		}
	}
	client := status.Client
	table := chattable.New(dynamodb.New(dynamodb.Options{
		Region: client.Region, BaseEndpoint: aws.String(client.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(client.AccessKeyID, client.SecretAccessKey, ""),
	}), name)
	table.Now = func() time.Time { return time.Now().Add(advanced) }
	return table, nil
}

// stackOutputs asks Pulumi, as the environment has it, for the outputs of a stack
// that is not on this machine.
func (p *project) stackOutputs(ctx context.Context, name string) (map[string]any, error) {
	pulumi, err := p.tools.Pulumi(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, pulumi, "stack", "output", "--json", "--non-interactive", "--stack", name)
	cmd.Dir = p.dir
	out, err := cmd.Output()
	if err != nil {
		said := err.Error()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			said = strings.TrimSpace(string(exit.Stderr))
		}
		return nil, fmt.Errorf("there are no outputs of the stack %s: `pulumi stack ls` lists what there is, `pulumi login` chooses where from. Pulumi says: %s", name, said)
	}
	var outputs map[string]any
	if err := json.Unmarshal(out, &outputs); err != nil {
		return nil, fmt.Errorf("read the outputs of the stack %s: %w", name, err)
	}
	return outputs, nil
}

var deniedAction = regexp.MustCompile(`not authorized to perform: (\S+)(?: on resource: (\S+))?`)

// explain says in front of an error of AWS what to do about it.
func explain(err error) string {
	text := strings.TrimSpace(err.Error())
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return text
	}
	switch refusal.ErrorCode() {
	case "AccessDeniedException":
		action := "what this needs"
		if found := deniedAction.FindStringSubmatch(refusal.ErrorMessage()); found != nil {
			action = strings.TrimSuffix(found[1], ",")
			if found[2] != "" {
				action += " on " + found[2]
			}
		}
		return "these credentials do not permit " + action + "; docs/operations.md lists what operators need\n" + text
	case "ResourceNotFoundException":
		return "the stage's table is not there: it was destroyed, or these credentials are of another account\n" + text
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "MissingAuthenticationTokenException":
		return "AWS does not take these credentials: they have expired, or are of another account\n" + text
	}
	return text
}
