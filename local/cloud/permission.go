package cloud

import (
	"fmt"

	"example.com/chatstack/local/iam"
)

const typePermission = "aws:lambda/permission:Permission"

// The principals by which services invoke functions.
const (
	apiGateway  = "apigateway.amazonaws.com"
	eventBridge = "events.amazonaws.com"
)

// invokers are what the services are called.
var invokers = map[string]string{apiGateway: "API Gateway", eventBridge: "EventBridge"}

// permissionKinds are the statements of functions' resource policies. They let
// API Gateway or EventBridge invoke a function; event source mappings need none,
// since they read with the function's own role.
func permissionKinds() map[string]*kind {
	inputs := []string{"action", "function", "principal", "sourceArn", "sourceAccount", "statementId"}
	return map[string]*kind{
		typePermission: {
			runs: inputs, replaces: inputs,
			named: "statementId", nameMax: 100, nameChars: "A-Za-z0-9_-",
			declare: func(_ *Cloud, r *Resource) error {
				// Statements of two functions may have one id.
				r.ID = functionName(r.Inputs.text("function")) + "/" + r.Inputs.text("statementId")
				return nil
			},
		},
	}
}

// mayInvoke returns an error, for the log, if no permission lets a service invoke
// a function for the route, authorizer or rule that source names.
func (c *Cloud) mayInvoke(service, function, source string) error {
	statements := c.notes.list(typePermission, func(r *Resource) bool {
		return functionName(r.Inputs.text("function")) == function
	})
	for _, r := range statements {
		if permits(r.Inputs, service, source) {
			return nil
		}
	}
	return fmt.Errorf("%s is not permitted to invoke function %s: declare a Lambda permission with action lambda:InvokeFunction, principal %s and sourceArn %s",
		invokers[service], function, service, source)
}

// permits reports whether a permission covers an invocation by a service.
func permits(permission Properties, service, source string) bool {
	action, principal := permission.text("action"), permission.text("principal")
	if action != "lambda:InvokeFunction" && action != "lambda:*" || principal != service && principal != "*" {
		return false
	}
	if account := permission.text("sourceAccount"); account != "" && account != AccountID {
		return false
	}
	pattern := permission.text("sourceArn")
	return pattern == "" || iam.MatchARN(pattern, source)
}
