package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// An event is what a route's function gets, as far as the probe looks at it.
type event struct {
	Headers               map[string]string
	QueryStringParameters map[string]string
	Body                  string
	RequestContext        struct{ RouteKey, EventType, ConnectionID, RequestID string }
}

// Orders tell the probe what to do: the query string's values at $connect, the
// body's fields in a message.
type orders struct {
	Case   string `json:"case"`   // what notes are kept under, besides the connection
	Do     string `json:"do"`     // one of the words below; empty: answer 200
	MS     int    `json:"ms"`     // how long to take first
	Status int    `json:"status"` // to answer
	Body   string `json:"body"`   // to answer
	Size   int    `json:"size"`   // of the body to answer, if it is made up
	To     string `json:"to"`     // a connection
	Name   string `json:"name"`   // of a file, a variable, a subprotocol, or a call
	Quiet  bool   `json:"quiet"`  // do not note the event
}

func ordersOf(e event) orders {
	var o orders
	if e.RequestContext.EventType == "MESSAGE" {
		_ = json.Unmarshal([]byte(e.Body), &o) // a body that is none holds no orders
		return o
	}
	query := e.QueryStringParameters
	o = orders{Case: query["case"], Do: query["do"], Body: query["body"], To: query["to"], Name: query["name"]}
	o.MS, _ = strconv.Atoi(query["ms"])
	o.Status, _ = strconv.Atoi(query["status"])
	for name, value := range e.Headers {
		if strings.EqualFold(name, "X-Case") {
			o.Case = value
		}
	}
	return o
}

// An answer is what the probe tells of itself in the body of a route response.
type answer struct {
	ConnectionID string   `json:"connectionId"`
	RouteKey     string   `json:"routeKey"`
	PID          int      `json:"pid"`
	Served       int      `json:"served"`    // by this process, this one included
	Active       int32    `json:"active"`    // at once in this process, this one included
	Remaining    int64    `json:"remaining"` // ms to the deadline
	Began        int64    `json:"began"`     // of the process, epoch ms
	At           int64    `json:"at"`        // of this answer, epoch ms
	Result       any      `json:"result,omitempty"`
	FunctionARN  string   `json:"functionArn"`
	Environment  []string `json:"environment,omitempty"` // NAME=value, without credentials
}

var errOrdered = errors.New("ordered to fail")

// route serves the events of a WebSocket API.
func (p *probe) route(ctx context.Context, payload json.RawMessage) (any, error) {
	p.served++
	active := atomic.AddInt32(&p.active, 1)
	defer atomic.AddInt32(&p.active, -1)
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	o := ordersOf(e)
	var result any
	if called := o.Do == "post" || o.Do == "table"; called {
		time.Sleep(time.Duration(o.MS) * time.Millisecond)
		result = p.call(ctx, e, o)
		noted, err := json.Marshal(map[string]any{"event": payload, "result": result})
		if err != nil {
			return nil, err
		}
		payload, o.MS = noted, 0
	}
	if err := p.noteEvent(ctx, e, o, payload); err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(o.MS) * time.Millisecond)
	a := answer{
		ConnectionID: e.RequestContext.ConnectionID, RouteKey: e.RequestContext.RouteKey,
		PID: os.Getpid(), Served: p.served, Active: active, Began: p.began.UnixMilli(), Result: result,
	}
	if deadline, ok := ctx.Deadline(); ok {
		a.Remaining = time.Until(deadline).Milliseconds()
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		a.FunctionARN = lc.InvokedFunctionArn
	}
	response, err := p.obey(o, &a)
	if err != nil || response != nil {
		return response, err
	}
	a.At = time.Now().UnixMilli()
	return respond(o, a)
}

func (p *probe) noteEvent(ctx context.Context, e event, o orders, payload json.RawMessage) error {
	if o.Quiet {
		return nil
	}
	keys := []string{e.RequestContext.ConnectionID}
	if o.Case != "" {
		keys = append(keys, o.Case)
	}
	for _, key := range keys {
		if err := p.note(ctx, key, payload); err != nil {
			return err
		}
	}
	return nil
}

// null is an answer of null.
var null = json.RawMessage("null")

// obey does what was ordered. It returns the whole response where that is the
// order, and else nothing.
func (p *probe) obey(o orders, a *answer) (any, error) {
	switch o.Do {
	case "error":
		return nil, errOrdered
	case "panic":
		panic("ordered to panic")
	case "exit":
		os.Exit(max(o.Status, 0))
	case "null":
		return null, nil
	case "malformed":
		return json.RawMessage(`{"hello":"world"}`), nil
	case "text":
		return json.RawMessage(`"hello"`), nil
	case "subprotocol":
		return events.APIGatewayProxyResponse{
			StatusCode: http.StatusOK, Headers: map[string]string{"Sec-WebSocket-Protocol": o.Name},
		}, nil
	case "env":
		for _, variable := range os.Environ() {
			if !strings.HasPrefix(variable, "AWS_SECRET") && !strings.HasPrefix(variable, "AWS_SESSION") {
				a.Environment = append(a.Environment, variable)
			} else {
				name, _, _ := strings.Cut(variable, "=")
				a.Environment = append(a.Environment, name+"=")
			}
		}
	case "write":
		if err := os.WriteFile(filepath.Join(os.TempDir(), filepath.Base(o.Name)), []byte("kept"), 0o600); err != nil {
			return nil, err
		}
	case "look":
		_, err := os.Stat(filepath.Join(os.TempDir(), filepath.Base(o.Name)))
		a.Result = err == nil
	case "leak":
		go func() {
			for {
				time.Sleep(10 * time.Millisecond)
				atomic.AddInt64(&p.ticks, 1)
			}
		}()
	case "leaked":
		a.Result = atomic.LoadInt64(&p.ticks)
	case "large":
		return nil, errors.New(strings.Repeat("x", o.Size))
	}
	return nil, nil
}

func respond(o orders, a answer) (any, error) {
	response := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if o.Do != "post" { // whose body is for the connection
		response.Body = o.Body
	}
	if o.Status != 0 {
		response.StatusCode = o.Status
	}
	switch {
	case o.Do == "empty":
	case o.Size > 0:
		response.Body = strings.Repeat("x", o.Size)
	case response.Body == "":
		body, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
		response.Body = string(body)
	}
	return response, nil
}
