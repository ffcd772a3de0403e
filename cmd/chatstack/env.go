package main

import (
	"context"
	"fmt"
	"os"
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
	for _, line := range [][2]string{
		{"AWS_REGION", client.Region},
		{"AWS_DEFAULT_REGION", client.Region},
		{"AWS_ACCESS_KEY_ID", client.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", client.SecretAccessKey},
		{"AWS_ENDPOINT_URL_DYNAMODB", client.Endpoint},
		{"AWS_ENDPOINT_URL_DYNAMODB_STREAMS", client.Endpoint},
	} {
		fmt.Fprintf(os.Stdout, "export %s=%s\n", line[0], line[1])
	}
	// A profile or a token of a real account must not go along.
	fmt.Fprintln(os.Stdout, "unset AWS_PROFILE AWS_SESSION_TOKEN")
	if len(status.Tables) == 1 {
		fmt.Fprintf(os.Stdout, "export TABLE_NAME=%s\n", status.Tables[0].Name)
	}
	return nil
}
