package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// received is what was received from each queue so far: a message is received by
// one case and may be another's.
var received struct {
	sync.Mutex
	bodies map[string][]string
}

// receive reads a queue on AWS, and keeps what it had. It speaks SQS's JSON
// protocol by itself, for one call of one service.
func (s *subject) receive(c *check, queue string) []string {
	c.Helper()
	received.Lock()
	defer received.Unlock()
	if received.bodies == nil {
		received.bodies = map[string][]string{}
	}
	var page struct {
		Messages []struct{ Body, ReceiptHandle string }
	}
	s.sqs(c, "ReceiveMessage", object{"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}, &page)
	for _, m := range page.Messages {
		received.bodies[queue] = append(received.bodies[queue], m.Body)
		s.sqs(c, "DeleteMessage", object{"QueueUrl": queue, "ReceiptHandle": m.ReceiptHandle}, nil)
	}
	return received.bodies[queue]
}

func (s *subject) sqs(c *check, action string, in, out any) {
	c.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, "https://sqs."+s.cfg.Region+".amazonaws.com/", bytes.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	keys, err := s.cfg.Credentials.Retrieve(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(c.Context(), keys, req, hex.EncodeToString(sum[:]), "sqs", s.cfg.Region, time.Now()); err != nil {
		c.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.Fatalf("%s: %s %s (%v)", action, resp.Status, answer, err)
	}
	if out != nil && len(answer) > 0 {
		if err := json.Unmarshal(answer, out); err != nil {
			c.Fatalf("%s: %v", action, err)
		}
	}
}
