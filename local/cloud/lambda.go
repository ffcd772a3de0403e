package cloud

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/chatstack/local/lambda"
)

const (
	typeFunction   = "aws:lambda/function:Function"
	typePermission = "aws:lambda/permission:Permission"
)

func functionKinds() map[string]*kind {
	return map[string]*kind{
		typeFunction: {
			runs: []string{
				"name", "code", "role", "runtime", "handler", "architectures", "memorySize", "timeout",
				"environment", "loggingConfig", "reservedConcurrentExecutions",
			},
			ignores:  []string{"description", "sourceCodeHash", "packageType", "publish", "skipDestroy"},
			replaces: []string{"name", "packageType"},
			named:    "name", nameMax: 64,
			check:   checkFunction,
			declare: declareFunction,
			apply:   applyFunction,
			remove:  removeFunction,
			settle:  dropOldCode,
		},
		typePermission: {
			runs:     []string{"action", "function", "principal", "sourceArn", "sourceAccount", "statementId"},
			replaces: []string{"action", "function", "principal", "sourceArn", "sourceAccount", "statementId"},
			named:    "statementId", nameMax: 100,
			declare: func(c *Cloud, r *Resource) error {
				// Statements of two functions may have one id.
				r.ID = functionName(r.Inputs.text("function")) + "/" + r.Inputs.text("statementId")
				return nil
			},
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
	bootstrap, err := c.unpack(r)
	if err != nil {
		return fmt.Errorf("function %s: %w", r.ID, err)
	}
	return c.lambda.Put(lambda.Config{
		Name: r.ID, ARN: r.Outputs.text("arn"), Bootstrap: bootstrap,
		MemoryMB:            r.Inputs.number("memorySize", 128),
		Timeout:             time.Duration(r.Inputs.number("timeout", 3)) * time.Second,
		ReservedConcurrency: r.Inputs.number("reservedConcurrentExecutions", -1),
		LogGroup:            logGroup(r),
		Environment:         r.Inputs.sub("environment").sub("variables").textMap(),
		Service:             c.serviceEnvironment(r.ID),
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
func (c *Cloud) serviceEnvironment(function string) map[string]string {
	client, own := c.Client(), c.credentialOf(function)
	return map[string]string{
		"AWS_REGION":                        client.Region,
		"AWS_DEFAULT_REGION":                client.Region,
		"AWS_ACCESS_KEY_ID":                 own.accessKeyID,
		"AWS_SECRET_ACCESS_KEY":             own.secretAccessKey,
		"AWS_SESSION_TOKEN":                 own.sessionToken,
		"AWS_EC2_METADATA_DISABLED":         "true",
		"AWS_ENDPOINT_URL":                  c.elsewhere.URL(),
		"AWS_ENDPOINT_URL_DYNAMODB":         client.Endpoint,
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": client.Endpoint,
	}
}

func removeFunction(_ context.Context, c *Cloud, r *Resource) error {
	c.lambda.Delete(r.ID)
	delete(c.credentials, r.ID)
	return os.RemoveAll(c.path("functions", r.ID))
}

// unpack takes the bootstrap out of the function's zip, once for each code.
func (c *Cloud) unpack(r *Resource) (string, error) {
	code := r.Inputs.sub("code")
	path := c.path("functions", r.ID, code.text("hash"), "bootstrap")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	archive, err := zip.OpenReader(code.text("path"))
	if err != nil {
		return "", fmt.Errorf("open its zip: %w", err)
	}
	defer archive.Close()
	for _, member := range archive.File {
		if member.Name != "bootstrap" {
			continue
		}
		if member.Mode()&0o111 == 0 {
			return "", fmt.Errorf("%s: bootstrap is not executable; Lambda would not start it", code.text("path"))
		}
		content, err := member.Open()
		if err != nil {
			return "", err
		}
		defer content.Close()
		return path, writeExecutable(path, content)
	}
	return "", fmt.Errorf("%s holds no file named bootstrap at its root, which provided.al2023 starts", code.text("path"))
}

func writeExecutable(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, content); err != nil {
		part.Close()
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// dropOldCode removes the code that a function had before, but for the latest:
// an invocation that was let in before the change may be about to start it.
func dropOldCode(c *Cloud, r *Resource) error {
	entries, err := os.ReadDir(c.path("functions", r.ID))
	if err != nil {
		return nil // the function itself was deleted
	}
	type code struct {
		path string
		at   time.Time
	}
	var old []code
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.Name() != r.Inputs.sub("code").text("hash") {
			old = append(old, code{c.path("functions", r.ID, entry.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(old, func(a, b code) int { return b.at.Compare(a.at) })
	for _, code := range old[min(1, len(old)):] {
		if err := os.RemoveAll(code.path); err != nil {
			return err
		}
	}
	return nil
}

// invokeByARN lets the gateway invoke functions.
type invokeByARN struct{ functions *lambda.Service }

func (i invokeByARN) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	return invokeByName(i).Invoke(ctx, functionName(arn), payload)
}

// invokeByName lets event source mappings invoke functions.
type invokeByName struct{ functions *lambda.Service }

func (i invokeByName) Invoke(ctx context.Context, name string, payload []byte) ([]byte, string, error) {
	out, err := i.functions.Invoke(ctx, name, payload)
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
