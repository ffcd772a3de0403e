// This program declares what the local cloud does not run: what it declares is
// named by its configuration.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		var err error
		switch config.Get(ctx, "declare") {
		case "type":
			_, err = sqs.NewQueuePolicy(ctx, "policy", &sqs.QueuePolicyArgs{
				QueueUrl: pulumi.String("queue"), Policy: pulumi.String("{}"),
			})
		case "property":
			_, err = sqs.NewQueue(ctx, "queue", &sqs.QueueArgs{FifoQueue: pulumi.Bool(true)})
		case "part":
			_, err = apigatewayv2.NewApi(ctx, "api", &apigatewayv2.ApiArgs{ProtocolType: pulumi.String("HTTP")})
		}
		return err
	})
}
