package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// An event is what a function gets. Its fields, and those of the types below,
// stand in the order in which AWS sends them, and are absent where AWS sends
// none. aws-lambda-go's struct for them cannot be used: it adds empty keys that
// AWS does not send.
type event struct {
	Headers                         parameters[string] `json:"headers,omitempty"`
	MultiValueHeaders               values             `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           parameters[string] `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters values             `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  parameters[string] `json:"stageVariables,omitempty"`
	RequestContext                  requestContext     `json:"requestContext"`
	Body                            *string            `json:"body,omitempty"`
	IsBase64Encoded                 bool               `json:"isBase64Encoded"`
}

type requestContext struct {
	RouteKey             string          `json:"routeKey"`
	MessageID            string          `json:"messageId,omitempty"`
	DisconnectStatusCode int             `json:"disconnectStatusCode,omitempty"`
	Authorizer           parameters[any] `json:"authorizer,omitempty"`
	EventType            string          `json:"eventType"`
	ExtendedRequestID    string          `json:"extendedRequestId"`
	RequestTime          string          `json:"requestTime"`
	MessageDirection     string          `json:"messageDirection"`
	DisconnectReason     *string         `json:"disconnectReason,omitempty"`
	Stage                string          `json:"stage"`
	ConnectedAt          int64           `json:"connectedAt"`
	RequestTimeEpoch     int64           `json:"requestTimeEpoch"`
	Identity             identity        `json:"identity"`
	RequestID            string          `json:"requestId"`
	DomainName           string          `json:"domainName"`
	ConnectionID         string          `json:"connectionId"`
	APIID                string          `json:"apiId"`
}

type identity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// requestTimeFormat is that of the Apache common log, always in UTC.
const requestTimeFormat = "02/Jan/2006:15:04:05 -0700"

// connectEvent is the event of an upgrade request, the only one that carries
// the client's headers and query string.
func (c *connection) connectEvent(request upgradeRequest) event {
	e := c.newEvent("CONNECT", connectRoute, request.requestID, c.connectedAt)
	e.Headers, e.MultiValueHeaders = lastOf(request.headers), request.headers
	e.QueryStringParameters, e.MultiValueQueryStringParameters = lastOf(request.query), request.query
	return e
}

func (c *connection) messageEvent(routeKey string, requestID, messageID rawID, at time.Time, message []byte) event {
	e := c.newEvent("MESSAGE", routeKey, requestID, at)
	e.RequestContext.MessageID = messageID.String()
	body := string(message)
	e.Body = &body
	return e
}

func (c *connection) disconnectEvent(requestID rawID, at time.Time, status closeStatus) event {
	e := c.newEvent("DISCONNECT", disconnectRoute, requestID, at)
	e.RequestContext.DisconnectStatusCode = int(status.code)
	e.RequestContext.DisconnectReason = &status.reason
	headers := values{
		"Host":            {c.domainName},
		"x-api-key":       {""},
		"X-Forwarded-For": {""},
		"x-restapi":       {""},
	}
	e.Headers, e.MultiValueHeaders = lastOf(headers), headers
	return e
}

func (c *connection) newEvent(eventType, routeKey string, requestID rawID, at time.Time) event {
	return event{
		StageVariables: c.endpoint.deployment.Load().stages[c.stage].variables,
		RequestContext: requestContext{
			RouteKey:          routeKey,
			Authorizer:        c.authorizerContext(eventType),
			EventType:         eventType,
			ExtendedRequestID: requestID.String(),
			RequestTime:       at.UTC().Format(requestTimeFormat),
			MessageDirection:  "IN",
			Stage:             c.stage,
			ConnectedAt:       c.connectedAt.UnixMilli(),
			RequestTimeEpoch:  at.UnixMilli(),
			Identity:          c.identity,
			RequestID:         requestID.String(),
			DomainName:        c.domainName,
			ConnectionID:      c.id.String(),
			APIID:             c.endpoint.apiID,
		},
	}
}

func (e event) encode() []byte { return encodeJSON(e) }

// encodeJSON encodes value as AWS does: <, > and & stay as they are.
func encodeJSON(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		// Only types of this package and decoded JSON come here.
		panic(fmt.Sprintf("gateway: encode %T: %v", value, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
