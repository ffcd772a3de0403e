package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// envCommand prints what AWS clients need.
type envCommand struct{}

func (*envCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.running(ctx)
	if err != nil {
		return err
	}
	if cloud == nil {
		return fmt.Errorf("the local cloud does not run: start it with `%s`", p.how("up"))
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return err
	}
	client := status.Client
	models, err := p.writeEndpointRules(client.Endpoint)
	if err != nil {
		return err
	}
	for _, line := range [][2]string{
		{"AWS_REGION", client.Region},
		{"AWS_DEFAULT_REGION", client.Region},
		{"AWS_ACCESS_KEY_ID", client.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", client.SecretAccessKey},
		{"AWS_ENDPOINT_URL_DYNAMODB", client.Endpoint},
		{"AWS_ENDPOINT_URL_DYNAMODB_STREAMS", client.Endpoint},
		{"AWS_DATA_PATH", models},
	} {
		fmt.Fprintf(os.Stdout, "export %s=%s\n", line[0], quote(line[1]))
	}
	// A profile or a token of a real account must not go along.
	fmt.Fprintln(os.Stdout, "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
	if len(status.Tables) == 1 {
		fmt.Fprintf(os.Stdout, "export TABLE_NAME=%s\n", quote(status.Tables[0].Name))
	} else {
		fmt.Fprintf(os.Stdout, "unset TABLE_NAME # there are %d tables: see chatstack outputs\n", len(status.Tables))
	}
	return nil
}

// quote makes a value safe for a shell.
func quote(value string) string {
	if !strings.ContainsAny(value, " \t\n'\"\\$`!*?[]{}()<>|&;#~") {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// writeEndpointRules writes, for versions of the aws command that do not know
// AWS_ENDPOINT_URL_DYNAMODB (before 2.13, which Debian 12 has), the rules by
// which they find their endpoint, and returns the folder for AWS_DATA_PATH.
func (p *project) writeEndpointRules(endpoint string) (string, error) {
	type object = map[string]any
	parameter := func(builtIn, typ string) object {
		return object{"builtIn": builtIn, "type": typ, "required": false, "documentation": builtIn}
	}
	rules, err := json.Marshal(object{
		"version": "1.0",
		"parameters": object{
			"Region":       parameter("AWS::Region", "String"),
			"UseDualStack": parameter("AWS::UseDualStack", "Boolean"),
			"UseFIPS":      parameter("AWS::UseFIPS", "Boolean"),
			"Endpoint":     parameter("SDK::Endpoint", "String"),
		},
		"rules": []object{{
			"type": "endpoint", "conditions": []object{},
			"endpoint": object{"url": endpoint, "properties": object{}, "headers": object{}},
		}},
	})
	if err != nil {
		return "", err
	}
	for _, service := range []string{"dynamodb", "dynamodbstreams"} {
		dir := p.path("aws", service, "2012-08-10")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, "endpoint-rule-set-1.json"), rules, 0o644); err != nil {
			return "", err
		}
	}
	return p.path("aws"), nil
}
