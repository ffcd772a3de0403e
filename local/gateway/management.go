package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"
)

// maxBody is the most of a request to @connections that is read, in bytes: API
// Gateway's own quota of a payload. A message that is too large is read to its
// end all the same, because its signature covers all of it.
const maxBody = 10 << 20

// manage serves the @connections API: POST sends a message to a connection,
// GET tells of it, DELETE closes it.
func (e *endpoint) manage(w http.ResponseWriter, r *http.Request, stage, id string) {
	w.Header().Set("x-amzn-RequestId", e.ids.request().String())
	switch r.Method {
	case http.MethodPost, http.MethodGet, http.MethodDelete:
	default:
		fail(w, http.StatusForbidden, "ForbiddenException", string(forbidden))
		return
	}
	if !e.throttles.requests.Allow() {
		limited(w)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		e.payloadTooLarge(w)
		return
	case err != nil:
		fail(w, http.StatusBadRequest, "BadRequestException", "the body could not be read")
		return
	}
	if err := e.authorize(r, payload, stage); err != nil {
		refuse(w, err)
		return
	}
	if !wellFormedID(id) {
		fail(w, http.StatusBadRequest, "BadRequestException", "Invalid connectionId: "+id)
		return
	}
	if r.Method == http.MethodPost && !e.admit(w, r, payload, id) {
		return
	}
	c, open := e.connection(stage, id)
	if !open {
		gone(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
		c.managePost(w, payload)
	case http.MethodGet:
		c.manageGet(w)
	case http.MethodDelete:
		if !c.close(closedNormally) {
			gone(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// admit holds a message to the limits and gives way to a fault that was asked
// for. It reports false if it has answered.
func (e *endpoint) admit(w http.ResponseWriter, r *http.Request, payload []byte, id string) bool {
	if len(payload) > e.options.Limits.Message {
		e.payloadTooLarge(w)
		return false
	}
	if !utf8.Valid(payload) {
		fail(w, http.StatusBadRequest, "BadRequestException", "Message is not UTF-8 text")
		return false
	}
	if e.options.PostFault == nil {
		return true
	}
	switch e.options.PostFault(r.Context(), id) {
	case 0:
		return true
	case http.StatusGone:
		gone(w)
	case http.StatusTooManyRequests:
		limited(w)
	default:
		fail(w, http.StatusInternalServerError, "InternalServerErrorException", string(internalServerError))
	}
	return false
}

func (c *connection) managePost(w http.ResponseWriter, payload []byte) {
	switch err := c.send(payload); {
	case errors.Is(err, errFull):
		limited(w)
	case err != nil:
		gone(w)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// managedConnection is the body of GET. Its times are text, unlike those of
// events, which count milliseconds.
type managedConnection struct {
	ConnectedAt  string          `json:"connectedAt"`
	Identity     managedIdentity `json:"identity"`
	LastActiveAt string          `json:"lastActiveAt"`
}

type managedIdentity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

const isoTime = "2006-01-02T15:04:05.000Z"

func (c *connection) manageGet(w http.ResponseWriter) {
	info := c.info()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encodeJSON(managedConnection{
		ConnectedAt:  info.ConnectedAt.UTC().Format(isoTime),
		Identity:     managedIdentity{info.SourceIP, info.UserAgent},
		LastActiveAt: info.LastActiveAt.UTC().Format(isoTime),
	}))
}

// gone answers for a connection that is closed, or not yet open, or never was.
// Its body is empty, as on AWS: without the header, SDKs would not know it.
func gone(w http.ResponseWriter) { fail(w, http.StatusGone, "GoneException", "") }

// limited answers what came too fast, or is more than the client takes.
func limited(w http.ResponseWriter) {
	fail(w, http.StatusTooManyRequests, "LimitExceededException", "Limit exceeded")
}

func (e *endpoint) payloadTooLarge(w http.ResponseWriter) {
	fail(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", fmt.Sprintf("Message exceeds %d bytes", e.options.Limits.Message))
}

// refuse answers what authorize refuses.
func refuse(w http.ResponseWriter, err error) {
	status, code := http.StatusForbidden, "ForbiddenException"
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		code = coded.ErrorCode()
	}
	var withStatus interface{ StatusCode() int }
	if errors.As(err, &withStatus) {
		status = withStatus.StatusCode()
	}
	fail(w, status, code, err.Error())
}

// managedResource stands in the ARN that execute-api:ManageConnections is asked
// for: AWS asks for the path as its API declares it, whatever the connection. A
// policy that names one connection allows nothing.
const managedResource = "@connections/{connectionId}"

// authorize asks [Options.Authorize].
func (e *endpoint) authorize(r *http.Request, payload []byte, stage string) error {
	if e.options.Authorize == nil {
		return nil
	}
	resource := fmt.Sprintf("%s/%s/%s/%s", e.deployment.Load().arn(), stage, r.Method, managedResource)
	r.Body = io.NopCloser(bytes.NewReader(payload))
	return e.options.Authorize(r, resource)
}
