package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// managedPolicies are those of AWS's own policies that functions of a chat are
// given, with what they allow.
var managedPolicies = map[string]string{
	awsManaged + "AdministratorAccess": allowEverywhere("*"),
	awsManaged + "service-role/AWSLambdaBasicExecutionRole": allowEverywhere(
		"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
	awsManaged + "service-role/AWSLambdaDynamoDBExecutionRole": allowEverywhere(
		"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
		"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
	awsManaged + "AmazonDynamoDBFullAccess":         allowEverywhere("dynamodb:*"),
	awsManaged + "AmazonAPIGatewayInvokeFullAccess": allowEverywhere("execute-api:Invoke", "execute-api:ManageConnections"),
	awsManaged + "AWSXRayDaemonWriteAccess":         allowEverywhere("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
}

const awsManaged = "arn:aws:iam::aws:policy/"

func allowEverywhere(actions ...string) string {
	document, _ := json.Marshal(map[string]any{ // plain texts cannot fail
		"Version":   "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}},
	})
	return string(document)
}

func checkManaged(arn string) error {
	if !strings.HasPrefix(arn, awsManaged) {
		return nil // one of the account's own
	}
	if _, known := managedPolicies[arn]; !known {
		return fmt.Errorf("the local cloud does not know what %s allows: it knows %s. Write the policy out", arn,
			strings.Join(slices.Sorted(maps.Keys(managedPolicies)), ", "))
	}
	return nil
}
