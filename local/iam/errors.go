package iam

import (
	"fmt"
	"net/http"
	"strings"
)

// A PolicyError reports a policy that is not accepted.
type PolicyError struct {
	// Malformed is true for what AWS refuses too, and false for what only the
	// local cloud does not run.
	Malformed bool

	// Where names the statement, by its Sid or its place; empty for the whole
	// document.
	Where string

	// Message is a sentence for a person.
	Message string
}

func (e *PolicyError) Error() string {
	text := e.ErrorCode() + ": " + e.Message
	if e.Where != "" {
		text = e.ErrorCode() + ": " + e.Where + ": " + e.Message
	}
	return text
}

// ErrorCode returns AWS's MalformedPolicyDocument, or NotRunLocally.
func (e *PolicyError) ErrorCode() string {
	if e.Malformed {
		return "MalformedPolicyDocument"
	}
	return "NotRunLocally"
}

// A DeniedError reports that a principal may not do something.
type DeniedError struct {
	Principal string // ARN
	Action    string
	Resource  string
	Explicit  bool // a statement denies it; else none allows it
}

// Error returns AWS's sentence. It holds all that the missing statement needs.
func (e *DeniedError) Error() string {
	sentence := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", e.Principal, e.Action, e.Resource)
	if e.Explicit {
		return sentence + " with an explicit deny in an identity-based policy"
	}
	return sentence + " because no identity-based policy allows the " + e.Action + " action"
}

// ErrorCode returns AccessDeniedException.
func (e *DeniedError) ErrorCode() string { return "AccessDeniedException" }

// StatusCode returns the HTTP status that the action's service answers with:
// 400 from DynamoDB and SQS, whose protocol is JSON, 403 from others.
func (e *DeniedError) StatusCode() int {
	service, _, _ := strings.Cut(e.Action, ":")
	return refusalStatus(service)
}

// A SignatureError reports a request whose sender is not known.
type SignatureError struct {
	Code    string // "InvalidSignatureException", …
	Message string // AWS's sentence
	Status  int    // HTTP status
}

func (e *SignatureError) Error() string { return e.Message }

// ErrorCode returns the code that AWS names the error by.
func (e *SignatureError) ErrorCode() string { return e.Code }

// StatusCode returns the HTTP status that the service answers with.
func (e *SignatureError) StatusCode() int { return e.Status }

func refusalStatus(service string) int {
	switch service {
	case "dynamodb", "sqs":
		return http.StatusBadRequest
	default:
		return http.StatusForbidden
	}
}
