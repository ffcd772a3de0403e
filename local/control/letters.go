package control

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/chatstack/local/cloud"
)

// A Letter is a message in a dead-letter queue: what an event source mapping gave
// up.
type Letter struct {
	ID     string    `json:"id"`    // the message's requestContext.requestId
	Queue  string    `json:"queue"` // name
	SentAt time.Time `json:"sentAt"`

	// What the message says of the records and why they were given up.
	Function    string `json:"function"` // name
	Condition   string `json:"condition"`
	InvokeCount int    `json:"invokeCount"`
	BatchSize   int    `json:"batchSize"`

	// Body is the message itself, exactly as the queue got it.
	Body json.RawMessage `json:"body"`

	// Records are those that the message speaks of, read from the stream again; those
	// that are there no more are missing.
	Records []json.RawMessage `json:"records"`
}

// letter takes out of a message what people look for.
func letter(l cloud.Letter) Letter {
	var message struct {
		RequestContext struct {
			RequestID              string `json:"requestId"`
			FunctionARN            string `json:"functionArn"`
			Condition              string `json:"condition"`
			ApproximateInvokeCount int    `json:"approximateInvokeCount"`
		} `json:"requestContext"`
		Batch struct {
			BatchSize int `json:"batchSize"`
		} `json:"DDBStreamBatchInfo"`
	}
	_ = json.Unmarshal(l.Body, &message) // of another's message, nothing is known
	about := message.RequestContext
	out := Letter{
		ID: about.RequestID, Queue: l.Queue, SentAt: l.SentAt,
		Function:  about.FunctionARN[strings.LastIndexByte(about.FunctionARN, ':')+1:],
		Condition: about.Condition, InvokeCount: about.ApproximateInvokeCount,
		BatchSize: message.Batch.BatchSize, Body: l.Body, Records: l.Records,
	}
	if out.Records == nil {
		out.Records = []json.RawMessage{}
	}
	return out
}

// letters asks the cloud for its dead letters, the newest first.
func (s *Server) letters(w http.ResponseWriter, r *http.Request) {
	found, err := s.Cloud.DeadLetters(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := make([]Letter, len(found))
	for i, l := range found {
		list[i] = letter(l)
	}
	slices.SortStableFunc(list, func(x, y Letter) int { return y.SentAt.Compare(x.SentAt) })
	answer(w, http.StatusOK, list)
}

func (s *Server) clearLetters(w http.ResponseWriter, _ *http.Request) {
	if err := s.Cloud.ClearDeadLetters(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// DeadLetters asks the cloud for what its event source mappings gave up, the
// newest first.
func (a Address) DeadLetters(ctx context.Context) ([]Letter, error) {
	var list []Letter
	err := a.call(ctx, http.MethodGet, "dlq", nil, &list)
	return list, err
}

// ClearDeadLetters empties the cloud's queues.
func (a Address) ClearDeadLetters(ctx context.Context) error {
	return a.call(ctx, http.MethodDelete, "dlq", nil, nil)
}
