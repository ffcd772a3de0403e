package control

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"example.com/chatstack/local/iam"
)

// An Access is what a function's role allows, and what of it was used since the
// local cloud was started.
type Access struct {
	Function string  `json:"function"`
	RoleARN  string  `json:"roleArn"`
	Grants   []Grant `json:"grants"`

	// Suggested are the role's own policies by name, without what was never used. A
	// policy of which nothing is left is not among them.
	Suggested map[string]PolicyDocument `json:"suggested"`
}

// A Grant is one action pattern and one resource pattern that a policy allows
// together.
type Grant struct {
	Policy    string `json:"policy"`
	Statement string `json:"statement"` // its Sid, or its place in the policy, from "1"
	Action    string `json:"action"`
	Resource  string `json:"resource"`

	// Used is how many calls were allowed by it, and Actions how many of each kind,
	// where the pattern is for several.
	Used    int64            `json:"used"`
	Actions map[string]int64 `json:"actions"`

	// Seen is "used", "never used", "asked for" (Lambda asks for it before it makes the
	// function's event source mapping, whether it is used later or not) or "not seen
	// here" (of services whose uses the local cloud does not see, or not all).
	Seen string `json:"seen"`
}

// What a Grant was in a run.
const (
	SeenUsed   = "used"
	SeenNever  = "never used"
	SeenAsked  = "asked for"
	SeenNotRun = "not seen here"
)

// seenServices are those of which the local cloud sees every use. It sees what
// functions log, too, but not who makes their log groups; of other services it sees
// nothing.
var seenServices = []string{"dynamodb", "execute-api", "sqs", "*"}

// isSeen reports whether every use of an action pattern is seen here.
func isSeen(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return slices.Contains(seenServices, service) || strings.HasPrefix(action, notPrefix)
}

// askedFor are the actions without which Lambda makes no event source mapping of a
// DynamoDB stream, and none with a queue for its dead letters.
var askedFor = []string{
	"dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator", "dynamodb:liststreams", "sqs:sendmessage",
}

// seen tells what became of an action pattern that was used so often, by a function
// that has an event source mapping or not.
func seen(action string, used int64, mapped bool) string {
	switch {
	case used > 0:
		return SeenUsed
	case mapped && slices.Contains(askedFor, strings.ToLower(action)):
		return SeenAsked
	case isSeen(action):
		return SeenNever
	}
	return SeenNotRun
}

// notPrefix begins the one pattern that stands for a NotAction or NotResource.
const notPrefix = "all but "

// grants words what of a role was used, by a function that has an event source
// mapping or not.
func grants(usage []iam.Usage, mapped bool) []Grant {
	list := make([]Grant, len(usage))
	for i, u := range usage {
		list[i] = Grant{
			Policy: u.Policy, Statement: u.Statement, Action: u.Action, Resource: u.Resource,
			Used: u.Count, Actions: u.Actions, Seen: seen(u.Action, u.Count, mapped),
		}
	}
	return list
}

func (s *Server) access(w http.ResponseWriter, _ *http.Request) {
	mapped := map[string]bool{}
	for _, m := range s.Cloud.Overview().Mappings {
		mapped[m.Function] = true
	}
	list := []Access{}
	for _, a := range s.Cloud.Access() {
		one := Access{Function: a.Function, RoleARN: a.RoleARN, Grants: grants(a.Allowed, mapped[a.Function])}
		var err error
		if one.Suggested, err = suggest(a.Policies, one.Grants); err != nil {
			http.Error(w, fmt.Sprintf("%s: %v", a.RoleARN, err), http.StatusInternalServerError)
			return
		}
		list = append(list, one)
	}
	answer(w, http.StatusOK, list)
}

// Access asks the cloud what the functions may do, and what of it they did.
func (a Address) Access(ctx context.Context) ([]Access, error) {
	var list []Access
	err := a.call(ctx, http.MethodGet, "iam", nil, &list)
	return list, err
}
