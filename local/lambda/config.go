package lambda

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/chatstack/internal/lambdaenv"
)

// Limits of AWS Lambda: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	// MaxTimeout is the longest that an invocation may take.
	MaxTimeout = 900 * time.Second
	// MaxPayload is the size of an event, in bytes.
	MaxPayload = 6 << 20
	// maxResponse is the size of a response, in bytes; the 100 are AWS's own.
	maxResponse = 6<<20 + 100

	minMemoryMB, maxMemoryMB = 128, 10240
)

// NoReservedConcurrency as a Config's ReservedConcurrency lets a function use what
// the service has.
const NoReservedConcurrency = -1

// Config is a function. It is not changed once given to Put, and must not be by
// the caller.
type Config struct {
	// Name of the function, unique in the service.
	Name string
	// ARN is what the function sees as its own.
	ARN string
	// Bootstrap is the absolute path of the executable, built for this machine.
	Bootstrap string
	// Handler is told to the function; empty means "bootstrap".
	Handler string
	// MemoryMB is the most memory that a process may have in use, in units of
	// 2^20 bytes; 0 means 128. 128 to 10,240. Where the system does not tell
	// (see the package's documentation) it is only told to the function.
	MemoryMB int
	// Timeout of an invocation; 0 means 3 s. At most MaxTimeout.
	Timeout time.Duration
	// Environment are the function's own variables. Lambda's reserved names
	// are refused.
	Environment map[string]string
	// Service are variables that the service adds, such as AWS_REGION, the
	// function's credentials and AWS_ENDPOINT_URL_DYNAMODB. They win over the
	// function's own.
	Service map[string]string
	// LogGroup that the log lines go to; empty means /aws/lambda/NAME.
	LogGroup string
	// ReservedConcurrency is how many invocations may run at once, whatever
	// other functions do. 0 lets none run, as in AWS; NoReservedConcurrency
	// leaves it to Options.Concurrency, of which reservations must leave 100.
	ReservedConcurrency int
}

// withDefaults returns the configuration with its own copies of what it holds, and
// the defaults filled in.
func (c Config) withDefaults() *Config {
	if c.Handler == "" {
		c.Handler = "bootstrap"
	}
	if c.MemoryMB == 0 {
		c.MemoryMB = minMemoryMB
	}
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.LogGroup == "" {
		c.LogGroup = "/aws/lambda/" + c.Name
	}
	c.Environment = maps.Clone(c.Environment)
	c.Service = maps.Clone(c.Service)
	return &c
}

// check says what AWS, or this machine, would not take.
func (c *Config) check() error {
	if c.Name == "" {
		return errors.New("a function needs a name")
	}
	err := errors.Join(
		c.checkRanges(),
		checkVariables(c.Environment),
		checkBootstrap(c.Bootstrap, thisMachine()),
	)
	if err != nil {
		return fmt.Errorf("function %s: %w", c.Name, err)
	}
	return nil
}

func (c *Config) checkRanges() error {
	switch {
	case c.MemoryMB < minMemoryMB || c.MemoryMB > maxMemoryMB:
		return fmt.Errorf("memory of %d MB: it must be %d to %d", c.MemoryMB, minMemoryMB, maxMemoryMB)
	case c.Timeout < 0 || c.Timeout > MaxTimeout:
		return fmt.Errorf("timeout of %v: it must be at most %v", c.Timeout, MaxTimeout)
	case c.ReservedConcurrency < NoReservedConcurrency:
		return fmt.Errorf("reserved concurrency of %d: it must be 0 or more, or %d for none", c.ReservedConcurrency, NoReservedConcurrency)
	}
	return nil
}

// checkBootstrap says why an executable will not run on this machine.
func checkBootstrap(path string, here platform) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("bootstrap %q: the path must be absolute", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("bootstrap %s: not a file", path)
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("bootstrap %s: not executable: its mode is %04o, and in the zip it should be 0755", path, info.Mode().Perm())
	}
	return checkPlatform(path, here)
}

// checkVariables says why Lambda would not take a function's own variables.
func checkVariables(own map[string]string) error {
	var refused []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if lambdaenv.IsReserved(name) {
			refused = append(refused, name)
			continue
		}
		if !lambdaenv.IsName(name) {
			return fmt.Errorf("environment variable %q: a name has two or more letters, digits or underscores and begins with a letter", name)
		}
	}
	if refused != nil {
		return fmt.Errorf("environment variables with names reserved by Lambda: %s", strings.Join(refused, ", "))
	}
	if size := lambdaenv.Size(own); size > lambdaenv.MaxSize {
		return fmt.Errorf("environment variables of %d bytes: they must be at most %d together, written as JSON", size, lambdaenv.MaxSize)
	}
	return nil
}
