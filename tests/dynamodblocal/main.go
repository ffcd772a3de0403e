// Command dynamodblocal runs another command, such as a test, on Amazon's
// DynamoDB Local instead of Dynoxide:
//
//	go run ./tests/dynamodblocal go test ./tests
//
// It starts DynamoDB Local in memory, names it to the command in
// CHATSTACK_DYNAMODB_ENDPOINT and stops it when the command ends. A command that
// succeeds must have deleted the tables that it made: those that are left are
// listed, and count as a failure.
//
// DynamoDB Local listens on every interface of the machine. So it runs in a
// network namespace of its own, out of reach, and a relay that shares that
// namespace hands it the connections of a listener that was opened outside, on
// loopback alone:
//
//	command → 127.0.0.1:PORT ─┐ a file descriptor of
//	                          relay → 127.0.0.1:8000 → DynamoDB Local
//	                          └────── network and process namespace ──────┘
//
// The relay is the first process of a process namespace too: with it ends, by
// the kernel's hand, whatever runs in there.
//
// Where there is no Java, or where namespaces cannot be made, the command is not
// run, and the reason is said.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/internal/toolchain"
	"example.com/chatstack/local/dynamo"
)

// startTimeout bounds how long DynamoDB Local may take to answer.
const startTimeout = time.Minute

func main() {
	if os.Args[0] == relayName {
		fmt.Fprintln(os.Stderr, relay(os.Args[1], os.Args[2]))
		os.Exit(1)
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: dynamodblocal COMMAND [ARGUMENT ...]")
		os.Exit(2)
	}
	err := runApart(context.Background(), os.Args[1:])
	var unavailable *unavailableError
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &unavailable):
		fmt.Printf("skipped on DynamoDB Local, since %v: %s\n", err, strings.Join(os.Args[1:], " "))
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode()) // the command has said why
	default:
		fmt.Fprintln(os.Stderr, "DynamoDB Local:", err)
		os.Exit(1)
	}
}

// An unavailableError says what this machine lacks to run DynamoDB Local.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return e.reason }

func runApart(ctx context.Context, command []string) error {
	e, err := start(ctx)
	if err != nil {
		return err
	}
	defer e.stop()
	return e.run(ctx, command)
}

// An engine is a running DynamoDB Local.
type engine struct {
	endpoint string
	client   *dynamodb.Client
	relay    *exec.Cmd
	life     io.Closer     // the relay lives until this is closed
	done     chan struct{} // closed when the relay has ended
	said     transcript
}

func start(ctx context.Context) (*engine, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, &unavailableError{"there is no java on PATH (apt-get install openjdk-17-jre-headless brings it)"}
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	tools := toolchain.Toolchain{Dir: toolchain.Find(here), Step: func(doing string) func() {
		fmt.Println("·", doing)
		return func() {}
	}}
	dir, err := tools.DynamoDBLocal(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	inherited, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer inherited.Close()

	e := &engine{endpoint: "http://" + listener.Addr().String(), done: make(chan struct{})}
	if err := e.startRelay(java, dir, inherited); err != nil {
		return nil, err
	}
	go func() {
		defer close(e.done)
		e.relay.Wait()
	}()
	e.client = dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &e.endpoint, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("chatstack", "chatstack", ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: startTimeout},
	})
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		_, err := e.client.ListTables(ctx, &dynamodb.ListTablesInput{})
		if err == nil {
			return e, nil
		}
		if e.ended() || time.Now().After(deadline) {
			e.stop()
			return nil, errors.Join(err, e.failure())
		}
	}
}

// startRelay starts the relay in namespaces of its own. A user namespace lets
// those make the others who are not root; where there is none, root goes without.
func (e *engine) startRelay(java, dir string, listener *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, namespaces := range namespaces() {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		e.relay = &exec.Cmd{
			Path: self, Args: []string{relayName, java, dir},
			Stdin: read, Stdout: &e.said, Stderr: &e.said,
			ExtraFiles: []*os.File{listener}, SysProcAttr: namespaces,
		}
		err = e.relay.Start()
		read.Close()
		if err == nil {
			e.life = write
			return nil
		}
		write.Close()
		if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EACCES) {
			return err
		}
	}
	return &unavailableError{"no network namespace can be made here, without which it would listen on every interface"}
}

// run runs a command on the engine, and looks for tables that it leaves.
func (e *engine) run(ctx context.Context, command []string) error {
	fmt.Println("on Amazon's DynamoDB Local:", strings.Join(command, " "))
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), dynamo.EndpointVar+"="+e.endpoint)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	interrupts := make(chan os.Signal, 1) // they reach the command too, which decides
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	if err := cmd.Run(); err != nil {
		if e.ended() {
			err = errors.Join(err, e.failure())
		}
		return err
	}
	left, err := e.client.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return err
	}
	if len(left.TableNames) > 0 {
		return fmt.Errorf("the command has left these tables: %s", strings.Join(left.TableNames, ", "))
	}
	return nil
}

func (e *engine) stop() {
	e.life.Close()
	<-e.done
}

func (e *engine) ended() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// failure says what DynamoDB Local printed.
func (e *engine) failure() error { return fmt.Errorf("it printed:\n%s", e.said.String()) }

// relayName tells the relay, a second process of this program, what it is.
const relayName = "dynamodblocal-relay"

// relayListener is where the relay finds the listener that was opened outside.
const relayListener = 3

// enginePort is where DynamoDB Local listens, in a namespace of its own.
const enginePort = "8000"

// relay runs DynamoDB Local and hands it connections, until its standard input
// ends or DynamoDB Local does.
func relay(java, dir string) error {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring up loopback: %w", err)
	}
	syscall.CloseOnExec(relayListener)
	// The compiler that is quick to start suits a run of a minute or two.
	engine := exec.Command(java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Djava.library.path="+filepath.Join(dir, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(dir, "DynamoDBLocal.jar"), "-inMemory", "-sharedDb", "-port", enginePort)
	engine.Dir = dir
	engine.Stdout, engine.Stderr = os.Stdout, os.Stderr
	if err := engine.Start(); err != nil {
		return err
	}
	file := os.NewFile(relayListener, "listener")
	listener, err := net.FileListener(file)
	if err != nil {
		return err
	}
	file.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(conn)
		}
	}()
	return fmt.Errorf("DynamoDB Local ended: %v", engine.Wait())
}

// forward joins a connection with one to DynamoDB Local. While that does not
// listen yet, the connection ends at once.
func forward(outside net.Conn) {
	defer outside.Close()
	inside, err := net.Dial("tcp", "127.0.0.1:"+enginePort)
	if err != nil {
		return
	}
	defer inside.Close()
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		io.Copy(to, from)
		to.(*net.TCPConn).CloseWrite()
	}
	both.Go(func() { pass(inside, outside) })
	both.Go(func() { pass(outside, inside) })
	both.Wait()
}

// A transcript is what was printed.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
