package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

// A GoFunction is a Lambda function made from a Go package, with a role that
// allows what it was given and no more, and a log group of its own.
type GoFunction struct {
	pulumi.ResourceState

	// Name is the function's name.
	Name pulumi.StringOutput `pulumi:"name"`
	// ARN is the function's ARN.
	ARN pulumi.StringOutput `pulumi:"arn"`
	// InvokeARN is the ARN by which API Gateway invokes the function.
	InvokeARN pulumi.StringOutput `pulumi:"invokeArn"`
	// LogGroupName is the name of the function's log group.
	LogGroupName pulumi.StringOutput `pulumi:"logGroupName"`

	// Function, Role and LogGroup are the parts.
	Function *lambda.Function
	Role     *iam.Role
	LogGroup *cloudwatch.LogGroup

	name    string
	timeout time.Duration
}

// NewGoFunction builds a Go main package and declares the Lambda function that
// runs it. Its name has 1 to 51 letters, digits, - and _. An unchanged package makes no difference in a deployment. One that
// does not compile, or is no main package, is an error with the compiler's
// words, at preview.
func NewGoFunction(ctx *pulumi.Context, name string, args *GoFunctionArgs, opts ...pulumi.ResourceOption) (*GoFunction, error) {
	if args == nil {
		args = &GoFunctionArgs{}
	}
	settled := args.withDefaults()
	if err := invalid("function", name, validateName(name, maxGoFunctionName), settled.validate()); err != nil {
		return nil, err
	}
	artifact, err := settled.build(ctx.Context())
	if err != nil {
		return nil, fmt.Errorf("function %q: %w", name, err)
	}
	return newGoFunction(ctx, name, settled, artifact, opts...)
}

// newGoFunction declares a function whose zip is built, with settings that
// have been validated.
func newGoFunction(ctx *pulumi.Context, name string, args GoFunctionArgs, artifact gobuild.Artifact, opts ...pulumi.ResourceOption) (*GoFunction, error) {
	f := &GoFunction{name: name, timeout: args.Timeout}
	if err := ctx.RegisterComponentResource("chatstack:index:GoFunction", name, f, opts...); err != nil {
		return nil, fmt.Errorf("function %q: %w", name, err)
	}
	if err := f.declare(ctx, args, artifact); err != nil {
		return nil, fmt.Errorf("function %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(f, pulumi.Map{
		"name": f.Name, "arn": f.ARN, "invokeArn": f.InvokeARN, "logGroupName": f.LogGroupName,
	}); err != nil {
		return nil, fmt.Errorf("function %q: %w", name, err)
	}
	return f, nil
}

// declare declares the log group, the role with its policy, and the function,
// in this order: a function that exists is allowed all that it needs.
func (f *GoFunction) declare(ctx *pulumi.Context, args GoFunctionArgs, artifact gobuild.Artifact) error {
	parent := pulumi.Parent(f)
	retention := max(args.LogRetentionDays, 0) // 0 means for ever to CloudWatch
	logs, err := cloudwatch.NewLogGroup(ctx, f.name+"-logs", &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(retention),
		Tags:            tagMap(args.Tags),
	}, parent)
	if err != nil {
		return err
	}
	role, err := iam.NewRole(ctx, f.name+"-role", &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(assumeByLambda()),
		Tags:             tagMap(args.Tags),
	}, parent)
	if err != nil {
		return err
	}
	f.Role, f.LogGroup = role, logs
	// The group exists, so the function need not be able to create one.
	writeLogs := PolicyStatement{
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s:*", logs.Arn)},
	}
	policy, err := f.newRolePolicy(ctx, f.name+"-policy", append([]PolicyStatement{writeLogs}, args.Statements...), parent)
	if err != nil {
		return err
	}
	t, err := args.Platform.target()
	if err != nil {
		return err
	}
	function, err := lambda.NewFunction(ctx, f.name, &lambda.FunctionArgs{
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String(t.architecture)},
		Code:          pulumi.NewFileArchive(artifact.Zip),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(args.Memory),
		Timeout:       pulumi.Int(int(args.Timeout / time.Second)),
		Environment:   environmentOf(args.Environment),
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("Text"), // the functions write JSON themselves
			LogGroup:  logs.Name,
		},
		Tags: tagMap(args.Tags),
	}, parent, pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return err
	}
	f.Function = function
	f.Name, f.ARN, f.InvokeARN, f.LogGroupName = function.Name, function.Arn, function.InvokeArn, logs.Name
	return nil
}

// Grant allows the function more, after it was declared: for what comes into
// being later than the function. What is to happen only once it is allowed
// depends on the returned policy. Each name may be used once, and has 1 to 120
// letters, digits, - and _.
func (f *GoFunction) Grant(ctx *pulumi.Context, name string, statements ...PolicyStatement) (*iam.RolePolicy, error) {
	if len(statements) == 0 {
		return nil, fmt.Errorf("grant %q to function %q: it has no statement", name, f.name)
	}
	if err := errors.Join(validateName(name, maxGrantName), validateStatements(statements)); err != nil {
		return nil, fmt.Errorf("grant %q to function %q: %w", name, f.name, err)
	}
	policy, err := f.newRolePolicy(ctx, name, statements, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("grant %q to function %q: %w", name, f.name, err)
	}
	return policy, nil
}

func (f *GoFunction) newRolePolicy(ctx *pulumi.Context, name string, statements []PolicyStatement, opts ...pulumi.ResourceOption) (*iam.RolePolicy, error) {
	return iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role:   f.Role.Name,
		Policy: policyDocument(statements),
	}, opts...)
}

// environmentOf gives variables to a function, and nil if there is none.
func environmentOf(environment pulumi.StringMap) lambda.FunctionEnvironmentPtrInput {
	if len(environment) == 0 {
		return nil
	}
	return &lambda.FunctionEnvironmentArgs{Variables: environment}
}

// assumeByLambda is the trust policy that lets Lambda take a role.
func assumeByLambda() string {
	type principal struct{ Service string }
	type statement struct {
		Effect    string
		Action    string
		Principal principal
	}
	text, _ := json.Marshal(struct { // plain strings cannot fail
		Version   string
		Statement []statement
	}{policyVersion, []statement{{"Allow", "sts:AssumeRole", principal{"lambda.amazonaws.com"}}}})
	return string(text)
}
