package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// A reply is what the Runtime API answered to a call.
type reply struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// serveRuntime speaks the Runtime API by itself, and tells in the body of each
// answer what it saw of it: the headers of the invocation, and the replies to
// the calls since the invocation before.
func serveRuntime(api string) error {
	base := "http://" + api + "/2018-06-01/runtime/"
	var before map[string]reply
	for {
		next, err := http.Get(base + "invocation/next")
		if err != nil {
			return err
		}
		payload, err := io.ReadAll(next.Body)
		next.Body.Close()
		if err != nil {
			return err
		}
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			return err
		}
		o := ordersOf(e)
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		now := map[string]reply{}
		invocation := base + "invocation/" + id
		var failed error
		call := func(name, url string, headers http.Header, body string) {
			if failed != nil {
				return
			}
			var r reply
			if r, failed = post(url, headers, body); failed == nil {
				now[name] = r
			}
		}
		answered := func(before map[string]reply) string {
			headers := map[string]string{}
			for name := range next.Header {
				headers[name] = next.Header.Get(name)
			}
			body, _ := json.Marshal(map[string]any{ // texts and numbers can be encoded
				"pid": os.Getpid(), "status": next.StatusCode, "headers": headers, "before": before, "at": time.Now().UnixMilli(),
			})
			response, _ := json.Marshal(map[string]any{"statusCode": http.StatusOK, "body": string(body)})
			return string(response)
		}
		switch o.Do {
		case "wrong-id":
			call("wrong-id", base+"invocation/11111111-2222-3333-4444-555555555555/response", nil, "{}")
		case "too-large":
			call("too-large", invocation+"/response", nil, strings.Repeat("x", 6<<20+101))
			before = now
			continue
		case "error":
			headers := http.Header{"Lambda-Runtime-Function-Xray-Error-Cause": {strings.Repeat("x", 1<<20-1)}}
			call("error", invocation+"/error", headers, `{"errorMessage":"ordered","errorType":"errorString"}`)
			before = now
			continue
		}
		call("response", invocation+"/response", nil, answered(before))
		if o.Do == "twice" {
			call("twice", invocation+"/response", nil, "{}")
		}
		if failed != nil {
			return fmt.Errorf("runtime API: %w", failed)
		}
		before = now
	}
}

func post(url string, headers http.Header, body string) (reply, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return reply{}, err
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(answer)}, err
}
