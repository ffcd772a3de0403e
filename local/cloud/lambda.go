package cloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/chatstack/local/lambda"
)

const typeFunction = "aws:lambda/function:Function"

func functionKinds() map[string]*kind {
	return map[string]*kind{
		typeFunction: {
			runs: []string{
				"name", "code", "role", "runtime", "handler", "architectures", "memorySize", "timeout",
				"environment", "loggingConfig", "reservedConcurrentExecutions",
			},
			ignores:  []string{"description", "sourceCodeHash", "packageType", "publish", "skipDestroy"},
			replaces: []string{"name", "packageType"},
			named:    "name", nameMax: 64, nameChars: "A-Za-z0-9_-",
			check:   checkFunction,
			declare: declareFunction,
			apply:   applyFunction,
			remove:  removeFunction,
			settle:  dropOldCode,
		},
	}
}

func checkFunction(in Properties) error {
	switch runtime := in.text("runtime"); runtime {
	case "provided.al2023", "provided.al2":
	default:
		return fmt.Errorf("runtime is %q: the local cloud runs provided.al2023 and provided.al2 only, functions with a bootstrap of their own", runtime)
	}
	if _, given := in["code"]; given && in.sub("code").text("path") == "" {
		return errors.New("code is no zip file on this machine: give it as a FileArchive")
	}
	if in.text("handler") == "" {
		return errors.New("handler is missing: Runtime and Handler are mandatory parameters for functions created with deployment packages")
	}
	if format := in.sub("loggingConfig").text("logFormat"); format != "" && format != "Text" {
		return fmt.Errorf("logFormat is %q: the local cloud writes Text", format)
	}
	return nil
}

func declareFunction(c *Cloud, r *Resource) error {
	name := r.Inputs.text("name")
	arn := c.arn("lambda", "function:"+name)
	r.ID = name
	r.Outputs["arn"] = arn
	r.Outputs["qualifiedArn"] = arn + ":$LATEST"
	r.Outputs["version"] = "$LATEST"
	r.Outputs["invokeArn"] = "arn:aws:apigateway:" + c.Region() + ":lambda:path/2015-03-31/functions/" + arn + "/invocations"
	return nil
}

func applyFunction(_ context.Context, c *Cloud, r *Resource) error {
	role, err := c.roleOf(r.Inputs.text("role"))
	if err != nil {
		return fmt.Errorf("function %s: %w", r.ID, err)
	}
	bootstrap, err := c.unpack(r)
	if err != nil {
		return fmt.Errorf("function %s: %w", r.ID, err)
	}
	own := c.identities.assume(r.ID, role)
	return c.lambda.Put(lambda.Config{
		Name: r.ID, ARN: r.Outputs.text("arn"), Bootstrap: bootstrap, Handler: r.Inputs.text("handler"),
		MemoryMB:            r.Inputs.number("memorySize", 128),
		Timeout:             time.Duration(r.Inputs.number("timeout", 3)) * time.Second,
		ReservedConcurrency: r.Inputs.number("reservedConcurrentExecutions", -1),
		LogGroup:            logGroup(r),
		Environment:         r.Inputs.sub("environment").sub("variables").textMap(),
		Service:             c.serviceEnvironment(own),
	})
}

// logGroup is where a function's lines go: its own group where it names none.
func logGroup(r *Resource) string {
	if group := r.Inputs.sub("loggingConfig").text("logGroup"); group != "" {
		return group
	}
	return "/aws/lambda/" + r.ID
}

// serviceEnvironment is what the local cloud adds to a function's environment
// for the AWS SDK: the Region, credentials of its own, and where the table is.
// Calls to services that are not run here go to an address that says so.
func (c *Cloud) serviceEnvironment(own identity) map[string]string {
	client := c.Client()
	return map[string]string{
		"AWS_REGION":                        client.Region,
		"AWS_DEFAULT_REGION":                client.Region,
		"AWS_ACCESS_KEY_ID":                 own.accessKeyID,
		"AWS_SECRET_ACCESS_KEY":             own.principal.SecretAccessKey,
		"AWS_SESSION_TOKEN":                 own.principal.SessionToken,
		"AWS_EC2_METADATA_DISABLED":         "true",
		"AWS_ENDPOINT_URL":                  c.elsewhere.URL(),
		"AWS_ENDPOINT_URL_DYNAMODB":         client.Endpoint,
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": client.Endpoint,
	}
}

func removeFunction(_ context.Context, c *Cloud, r *Resource) error {
	c.lambda.Delete(r.ID)
	c.identities.forget(r.ID)
	return os.RemoveAll(c.path("functions", r.ID))
}

// permitted lets the gateway invoke functions, where a permission says so.
type permitted struct{ c *Cloud }

func (p permitted) Invoke(ctx context.Context, arn, source string, payload []byte) ([]byte, string, error) {
	function := functionName(arn)
	if err := p.c.mayInvoke(apiGateway, function, source); err != nil {
		return nil, "", err
	}
	return direct{p.c.lambda}.Invoke(ctx, function, payload)
}

// direct lets event source mappings invoke functions, which takes no permission.
type direct struct{ functions *lambda.Service }

func (d direct) Invoke(ctx context.Context, name string, payload []byte) ([]byte, string, error) {
	out, err := d.functions.Invoke(ctx, name, payload)
	return out.Payload, out.FunctionError, err
}

// functionName takes the name out of a function's ARN; a name stays as it is.
func functionName(arn string) string {
	if _, rest, found := strings.Cut(arn, ":function:"); found {
		name, _, _ := strings.Cut(rest, ":")
		return name
	}
	return arn
}
