package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"example.com/chatstack/local/eventsource"
)

const typeQueue = "aws:sqs/queue:Queue"

// queueKinds are the queues that dead letters go to. They are files: nothing
// receives from them here.
func queueKinds() map[string]*kind {
	return map[string]*kind{
		typeQueue: {
			runs: []string{"name"},
			ignores: []string{
				"messageRetentionSeconds", "sqsManagedSseEnabled", "kmsMasterKeyId", "kmsDataKeyReusePeriodSeconds",
				"visibilityTimeoutSeconds", "receiveWaitTimeSeconds", "maxMessageSize", "policy",
			},
			replaces: []string{"name"},
			named:    "name", nameMax: 80, nameChars: "A-Za-z0-9_-",
			declare: func(c *Cloud, r *Resource) error {
				name := r.Inputs.text("name")
				r.ID = "https://sqs." + c.Region() + ".amazonaws.com/" + AccountID + "/" + name
				r.Outputs["url"] = r.ID
				r.Outputs["arn"] = c.arn("sqs", name)
				return nil
			},
			remove: func(_ context.Context, c *Cloud, r *Resource) error {
				return c.letters.delete(r.Outputs.text("arn"))
			},
		},
	}
}

// deadLetters keeps what event source mappings gave up: a file a queue, a
// line a message, exactly as the queue would have got it.
type deadLetters struct {
	dir string
	mu  sync.Mutex
}

// sendMessage is the action that a function's role must allow on the queue.
const sendMessage = "sqs:SendMessage"

// destinations send what mappings give up, as the roles of their functions.
type destinations struct{ c *Cloud }

func (d destinations) Send(_ context.Context, m eventsource.Mapping, body []byte) error {
	if err := d.c.identities.authorize(m.FunctionName, sendMessage, m.OnFailureARN); err != nil {
		return err
	}
	return d.c.letters.send(m.OnFailureARN, body)
}

// send appends a message to a queue.
func (d *deadLetters) send(queueARN string, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("send to %s: %w", queueARN, err)
	}
	file, err := os.OpenFile(d.path(queueARN), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("send to %s: %w", queueARN, err)
	}
	_, err = file.Write(append(bytes.ReplaceAll(body, []byte("\n"), nil), '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("send to %s: %w", queueARN, err)
	}
	return nil
}

// list returns the messages of a queue, the oldest first.
func (d *deadLetters) list(queueARN string) ([]json.RawMessage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, err := os.ReadFile(d.path(queueARN))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var messages []json.RawMessage
	for line := range bytes.Lines(data) {
		messages = append(messages, json.RawMessage(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return messages, nil
}

// count returns how many messages a queue holds.
func (d *deadLetters) count(queueARN string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, err := os.ReadFile(d.path(queueARN))
	if err != nil {
		return 0
	}
	return bytes.Count(data, []byte("\n"))
}

func (d *deadLetters) delete(queueARN string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Remove(d.path(queueARN)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *deadLetters) path(queueARN string) string {
	return filepath.Join(d.dir, queueARN[strings.LastIndex(queueARN, ":")+1:]+".jsonl")
}
