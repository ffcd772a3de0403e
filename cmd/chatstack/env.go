package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/chatstack/local/control"
)

// envCommand prints what AWS clients need.
type envCommand struct{}

func (*envCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return err
	}
	models, err := p.writeEndpointRules(status)
	if err != nil {
		return err
	}
	return writeEnv(os.Stdout, status, models)
}

// writeEnv writes the settings for a shell. models is the folder of the endpoint
// rules.
func writeEnv(out io.Writer, status *control.Status, models string) error {
	var lines []string
	export := func(name, value string) { lines = append(lines, "export "+name+"="+quote(value)) }
	client := status.Client
	export("AWS_REGION", client.Region)
	export("AWS_DEFAULT_REGION", client.Region)
	export("AWS_ACCESS_KEY_ID", client.AccessKeyID)
	export("AWS_SECRET_ACCESS_KEY", client.SecretAccessKey)
	export("AWS_ENDPOINT_URL_DYNAMODB", client.Endpoint)
	export("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", client.Endpoint)
	export("AWS_DATA_PATH", models)
	// A profile or a token of a real account must not go along.
	lines = append(lines, "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
	if endpoint := managementEndpoint(status); endpoint != "" {
		export(managementVar, endpoint)
	} else {
		lines = append(lines, fmt.Sprintf("unset %s # %s", managementVar, noOneStage(status)))
	}
	if len(status.Tables) == 1 {
		export("TABLE_NAME", status.Tables[0].Name)
	} else {
		lines = append(lines, fmt.Sprintf("unset TABLE_NAME # there are %d tables: see chatstack outputs", len(status.Tables)))
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

const managementVar = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"

// managementEndpoint is where @connections of the only stage is; empty where there
// are several stages or none.
func managementEndpoint(status *control.Status) string {
	if len(status.APIs) != 1 {
		return ""
	}
	return "http" + strings.TrimPrefix(status.APIs[0].Endpoint, "ws")
}

// noOneStage says why there is no management endpoint.
func noOneStage(status *control.Status) string {
	return fmt.Sprintf("there are %d WebSocket API stages: see chatstack status", len(status.APIs))
}

// quote makes a value safe for a shell.
func quote(value string) string {
	if !strings.ContainsAny(value, " \t\n'\"\\$`!*?[]{}()<>|&;#~") {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// writeEndpointRules writes, for versions of the aws command that do not know
// AWS_ENDPOINT_URL_… (before 2.13, which Debian 12 has), the rules by which they
// find their endpoints, and returns the folder for AWS_DATA_PATH.
func (p *project) writeEndpointRules(status *control.Status) (string, error) {
	table := endpointRule(status.Client.Endpoint)
	management := jsonObject{"type": "error", "conditions": []jsonObject{}, "error": noOneStage(status) + ". Give --endpoint-url"}
	if endpoint := managementEndpoint(status); endpoint != "" {
		management = endpointRule(endpoint)
	}
	for service, rule := range map[string]jsonObject{
		"dynamodb/2012-08-10":                table,
		"dynamodbstreams/2012-08-10":         table,
		"apigatewaymanagementapi/2018-11-29": management,
	} {
		text, err := json.Marshal(ruleSet(rule))
		if err != nil {
			return "", err
		}
		dir := p.path("aws", filepath.FromSlash(service))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, "endpoint-rule-set-1.json"), text, 0o644); err != nil {
			return "", err
		}
	}
	return p.path("aws"), nil
}

// A jsonObject is a rule by which SDKs find an endpoint, or a part of one.
type jsonObject map[string]any

// endpointRule leads to a URL, which is text or a reference to a parameter.
func endpointRule(url any, conditions ...jsonObject) jsonObject {
	return jsonObject{
		"type": "endpoint", "conditions": append([]jsonObject{}, conditions...),
		"endpoint": jsonObject{"url": url, "properties": jsonObject{}, "headers": jsonObject{}},
	}
}

// ruleSet has clients go by otherwise, unless they are given an --endpoint-url.
func ruleSet(otherwise jsonObject) jsonObject {
	parameter := func(builtIn, typ string) jsonObject {
		return jsonObject{"builtIn": builtIn, "type": typ, "required": false, "documentation": builtIn}
	}
	given := jsonObject{"ref": "Endpoint"}
	return jsonObject{
		"version": "1.0",
		"parameters": jsonObject{
			"Region":       parameter("AWS::Region", "String"),
			"UseDualStack": parameter("AWS::UseDualStack", "Boolean"),
			"UseFIPS":      parameter("AWS::UseFIPS", "Boolean"),
			"Endpoint":     parameter("SDK::Endpoint", "String"),
		},
		"rules": []jsonObject{
			endpointRule(given, jsonObject{"fn": "isSet", "argv": []jsonObject{given}}),
			otherwise,
		},
	}
}
