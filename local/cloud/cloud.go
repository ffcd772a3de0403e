// Package cloud is the local cloud itself: it notes the AWS resources that
// were declared and keeps running what they declare.
//
// The noted resources are the only truth. Creating, updating or deleting one
// notes the change and runs what it touches; starting the cloud again runs
// all that is noted. One file an AWS service says how its resources run.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/local/clock"
	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/eventsource"
	"example.com/chatstack/local/fault"
	"example.com/chatstack/local/gateway"
	"example.com/chatstack/local/iam"
	"example.com/chatstack/local/lambda"
	"example.com/chatstack/local/logs"
	"example.com/chatstack/local/schedule"
)

// Options say where a cloud lives and what it runs on.
type Options struct {
	// Dir holds all that the cloud remembers: the noted resources, the table's
	// data, function code, logs, checkpoints, dead letters. It is created.
	Dir string

	// Engine is the table engine; an empty Database gets a file in Dir.
	Engine dynamo.EngineOptions

	Log *slog.Logger // nil means slog.Default
}

// A Cloud runs the noted resources until it is closed.
type Cloud struct {
	dir   string
	log   *slog.Logger
	clock *clock.Clock
	kinds map[string]*kind
	notes *notes

	authority  *iam.Authority
	identities *identities
	faults     *fault.Faults

	engine     *dynamo.Engine
	tableFront *dynamo.Front
	transport  *http.Transport // of the clients that follow
	table      *dynamodb.Client
	sweeper    *dynamo.Sweeper
	front      *listener // serves tableFront
	elsewhere  *listener // answers for the services that are not run
	logs       *logs.Store
	roleLogs   *roleLogs
	lambda     *lambda.Service
	gateway    *gateway.Gateway
	poller     *eventsource.Poller
	schedule   *schedule.Scheduler
	letters    *deadLetters

	stop context.CancelFunc // ends the background work
	work sync.WaitGroup
	dead chan struct{} // closed when the table engine ends by itself

	// changes lets one change be made at a time, and guards what follows. It is
	// held for as long as a change takes; what is noted can be read meanwhile.
	changes   sync.Mutex
	listeners map[string]*listener // by API id
}

// Open starts the cloud in opts.Dir, with all that is noted there running.
func Open(ctx context.Context, opts Options) (*Cloud, error) {
	c := &Cloud{
		dir: opts.Dir, log: opts.Log, clock: &clock.Clock{}, kinds: kinds(),
		authority: iam.New(AccountID), faults: fault.New(),
		dead: make(chan struct{}), listeners: map[string]*listener{},
	}
	c.identities = newIdentities(c.authority)
	c.authority.PutPrincipal(accessKeyID, iam.Principal{ARN: "arn:aws:iam::" + AccountID + ":root", SecretAccessKey: secretAccessKey})
	if c.log == nil {
		c.log = slog.Default()
	}
	// Temporary files of functions that were killed with the cloud go.
	err := os.RemoveAll(c.path("tmp"))
	for _, dir := range []string{c.dir, c.path("functions"), c.path("tmp")} {
		err = errors.Join(err, os.MkdirAll(dir, 0o755))
	}
	if err != nil {
		return nil, fmt.Errorf("prepare the local cloud's folder: %w", err)
	}
	if c.notes, err = readNotes(c.path("resources.json")); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	c.stop = stop
	err = c.start(ctx, background, opts.Engine)
	if err == nil {
		c.dropUnfinished(ctx)
		err = c.runAll(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// start brings up the services that resources run on.
func (c *Cloud) start(ctx, background context.Context, engine dynamo.EngineOptions) error {
	if engine.Database == "" {
		engine.Database = c.path("table.db")
	}
	var err error
	if c.engine, err = dynamo.Start(ctx, engine); err != nil {
		return err
	}
	if c.tableFront, err = dynamo.NewFront(dynamo.FrontOptions{
		Engine: c.engine.Endpoint(), Region: c.Region(), Account: AccountID,
		Authority: c.authority, Fault: c.faults.Table, Clock: c.clock, Expiries: c.path("expiries.json"), Log: c.log,
	}); err != nil {
		return err
	}
	if c.front, err = c.listen("dynamodb", c.tableFront); err != nil {
		return err
	}
	if c.elsewhere, err = c.listen("elsewhere", http.HandlerFunc(notRunHere)); err != nil {
		return err
	}
	c.transport = &http.Transport{MaxIdleConnsPerHost: 16}
	c.settleRegion()
	c.sweeper = c.tableFront.NewSweeper()

	c.logs = &logs.Store{Dir: c.path("logs"), Trouble: c.log}
	c.roleLogs = &roleLogs{c: c, muted: map[string]bool{}}
	c.letters = &deadLetters{dir: c.path("queues")}
	c.lambda = lambda.New(lambda.Options{
		Logs: c.roleLogs, Log: c.log, Clock: c.clock, KillFault: c.faults.Kill, Dir: c.path("tmp"),
	})
	c.gateway = gateway.New(gateway.Options{
		Invoker: permitted{c}, Log: c.log, Clock: c.clock, Authorize: c.manageConnections,
		PostFault: c.faults.Post, LoseDisconnect: c.faults.LoseDisconnect,
	})
	checkpoints, err := eventsource.NewFileCheckpoints(c.path("checkpoints"))
	if err != nil {
		return err
	}
	c.poller = eventsource.New(eventsource.Options{
		StreamsFor: c.streamsFor, PartitionKey: c.partitionKey, Invoker: direct{c.lambda}, Checkpoints: checkpoints,
		DeadLetters: destinations{c}, Log: c.log, Clock: c.clock,
		DuplicateFault: func(m eventsource.Mapping) bool { return c.faults.Duplicate(m.FunctionName) },
	})
	c.schedule = schedule.New(schedule.Options{Fire: c.fire, Clock: c.clock})
	c.work.Go(func() { c.sweeper.Run(background) })
	c.work.Go(func() {
		select {
		case <-c.engine.Done():
			if background.Err() == nil {
				c.log.Error("the table engine has ended; the local cloud stops, `chatstack up` starts it again")
				close(c.dead)
			}
		case <-background.Done():
		}
	})
	return nil
}

// Faults are the bad days that are made on purpose.
func (c *Cloud) Faults() *fault.Faults { return c.faults }

// clientConfig is that of clients of the table and its streams.
func (c *Cloud) clientConfig(signer aws.CredentialsProvider) aws.Config {
	return aws.Config{
		Region:       c.Region(), // of their signatures
		BaseEndpoint: aws.String(c.front.URL()),
		Credentials:  signer,
		HTTPClient:   &http.Client{Transport: c.transport},
	}
}

// settleRegion has requests be signed for the Region that is noted, also those of
// the cloud's own.
func (c *Cloud) settleRegion() {
	c.authority.SetRegion(c.Region())
	c.tableFront.SetRegion(c.Region())
	c.table = dynamodb.NewFromConfig(c.clientConfig(owner))
}

// Failed is closed when the cloud cannot go on by itself.
func (c *Cloud) Failed() <-chan struct{} { return c.dead }

// Close stops everything that runs and waits for it. What is noted stays.
func (c *Cloud) Close() {
	c.stop()
	if c.gateway != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		c.gateway.Close(ctx)
		cancel()
	}
	c.changes.Lock()
	defer c.changes.Unlock()
	for _, l := range c.listeners {
		l.Close()
	}
	if c.schedule != nil {
		c.schedule.Close()
	}
	if c.poller != nil {
		c.poller.Close()
	}
	if c.lambda != nil {
		c.lambda.Close()
	}
	for _, l := range []*listener{c.front, c.elsewhere} {
		if l != nil {
			l.Close()
		}
	}
	c.work.Wait()
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
	if c.tableFront != nil {
		c.tableFront.Close()
	}
	if c.engine != nil {
		c.engine.Close()
	}
	if c.logs != nil {
		c.logs.Close()
	}
}

// path returns a path below the cloud's folder.
func (c *Cloud) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}
