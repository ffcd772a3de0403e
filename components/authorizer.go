package components

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// AuthorizerArgs have a function decide who may connect, before the $connect
// route runs. It gets a request event (API Gateway's "Lambda authorizer", type
// REQUEST) and returns a policy that allows or denies execute-api:Invoke; what
// it returns as context is in the events of the connection from then on, as
// requestContext.authorizer. The result has at most 8 KB.
type AuthorizerArgs struct {
	// Function is the authorizer. Its timeout is at most 29 s.
	Function *GoFunction
	// IdentitySources are what a request must have:
	// route.request.header.NAME or route.request.querystring.NAME. One that lacks
	// any of them, or has it empty, gets 401 without the function being asked.
	// Default: none, and the function is always asked.
	IdentitySources []string
}

var identitySource = regexp.MustCompile(`^route\.request\.(header|querystring)\.[A-Za-z0-9._$-]+$`)

// validate reports every setting that AWS refuses.
func (a AuthorizerArgs) validate() error {
	return errors.Join(validateFunction(a.Function), validateIdentitySources(a.IdentitySources))
}

func validateIdentitySources(sources []string) error {
	var mistakes []error
	for i, source := range sources {
		if !identitySource.MatchString(source) {
			mistakes = append(mistakes, badArgument(fmt.Sprintf("IdentitySources[%d]", i), source,
				"route.request.header.NAME or route.request.querystring.NAME"))
		}
	}
	return errors.Join(mistakes...)
}

// declareAuthorizer declares the authorizer of the $connect route, and that the
// API may invoke its function.
func (a *WebSocketAPI) declareAuthorizer(ctx *pulumi.Context, args AuthorizerArgs, opts []pulumi.ResourceOption) (*apigatewayv2.Authorizer, *lambda.Permission, error) {
	name := a.name + "-authorizer"
	authorizer, err := apigatewayv2.NewAuthorizer(ctx, name, &apigatewayv2.AuthorizerArgs{
		ApiId:           a.API.ID(),
		AuthorizerType:  pulumi.String("REQUEST"),
		AuthorizerUri:   args.Function.InvokeARN,
		IdentitySources: pulumi.ToStringArray(args.IdentitySources),
	}, opts...)
	if err != nil {
		return nil, nil, err
	}
	permission, err := permitInvocation(ctx, name, args.Function, pulumi.Sprintf("%s/authorizers/%s", a.API.ExecutionArn, authorizer.ID()), opts)
	return authorizer, permission, err
}
