// Command knock is an authorizer as a team may have one: it lets in who knows the
// word, as whoever they say they are, and gives no more than that.
package main

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(authorize) }

func authorize(_ context.Context, request events.APIGatewayWebsocketProxyRequest) (out events.APIGatewayCustomAuthorizerResponse, err error) {
	for name, offers := range request.Headers {
		if !strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			continue
		}
		for offer := range strings.SplitSeq(offers, ",") {
			if user, ok := strings.CutPrefix(strings.TrimSpace(offer), "bearer.sesame-"); ok {
				out.PrincipalID = user
			}
		}
	}
	if out.PrincipalID == "" {
		return out, errors.New("Unauthorized")
	}
	out.PolicyDocument = events.APIGatewayCustomAuthorizerPolicy{
		Version:   "2012-10-17",
		Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{"*"}}},
	}
	return out, nil
}
