package conformance

import (
	"slices"
	"strings"
	"testing"
)

// A section is one of the reference's, with a word for each of its rows.
type section struct {
	name, title string
	rows        []string
}

// reference is what the reference of AWS's behaviour holds. A row that is added
// there is added here, and the tests ask for its case.
var reference = []section{
	{"A1", "The three predefined routes", words("pending optional disconnect default keys deploy")},
	{"A2", "Route selection expressions", words("parts nested missing text exact notjson selected forged")},
	{"A3", "What the client sees on the upgrade", words("2xx copied crash malformed late unauthorized denied broken throttled plain stage body")},
	{"A4", "The authorizer of $connect", words("request event context identity")},
	{"A5", "Frames that the service itself sends", words("forbidden error late model throttle one-way status null")},
	{"A6", "Route responses", words("two-way body connect order timeout runs-on")},
	{"A7", "Sec-WebSocket-Protocol", words("chosen silent bare browsers")},
	{"A8", "Events", words("headers query body context base64 never stageVariables connect-headers store " +
		"routeKey messageId disconnectStatusCode authorizer eventType extendedRequestId requestTime messageDirection " +
		"disconnectReason stage connectedAt requestTimeEpoch identity requestId domainName connectionId apiId account go")},
	{"A9", "Inbound and outbound frames", words("binary size outbound deflate")},
	{"A10", "Closing and close codes", words("silent code idle life too-large binary delete vanish maintenance late deleted")},
	{"A11", "Idle connections and pings", words("idle pings control reserved")},
	{"B1", "@connections: the wire", words("methods encoding signed get")},
	{"B2", "@connections: status codes", words("post get delete gone malformed forbidden large throttled connecting old")},
	{"B3", "@connections: errors as the SDK sees them", words("header retry")},
	{"B4", "@connections: endpoint and authorization", words("endpoint override trap action frame activity")},
	{"C1", "Quotas", words("connections concurrent authorizers authorizer-size routes integrations timeout stages frame message " +
		"duration idle url requests access-log stage-name")},
	{"C2", "Prices", words("prices")},
	{"D1", "The Runtime API", words("next response error init-error headers requests error-headers error-body reuse finished " +
		"deadline concurrency null sigterm sigkill")},
	{"D2", "Errors of the Runtime API", words("id state large exit timeout")},
	{"D3", "A function's environment", words("variables xray paths execution reserved bootstrap")},
	{"D4", "Environments, limits, kinds of invocation", words("init one frozen reset tmp payload limits report async sync")},
	{"D5", "EventBridge's scheduled rules", words("event rate cron permission")},
	{"E1", "What a function on a stream gets", words("record date arn ttl binary view images size no-change")},
	{"E2", "An event source mapping's settings", words("BatchSize MaximumBatchingWindowInSeconds ParallelizationFactor " +
		"MaximumRecordAgeInSeconds MaximumRetryAttempts BisectBatchOnFunctionError TumblingWindowInSeconds StartingPosition " +
		"FunctionResponseTypes close six-mb sqs-text polls latest state")},
	{"E3", "Failures", words("blocked throttles bisect age lowest success failure error bisect-partial counter ignored")},
	{"E4", "On-failure destinations", words("kinds permission body condition contents")},
	{"E5", "Filters", words("five handled syntax wrapper numeric exists event idioms")},
	{"E6", "Order and duplicates", words("order parents duplicates mixed tumbling")},
	{"F", "DynamoDB", words("partition on-demand ttl ttl-record transact token batch size page index condition streams shards view local")},
	{"G", "IAM", words("logs table transact deny stream queue push invoke authorizer mapping uri logging missing")},
}

// checklist are the lines of the reference's checklist, by the words that claims
// are for.
var checklist = []struct{ word, line string }{
	{"upgrade", "101 only after $connect (and authorizer) finish; other statuses copied; crash 502"},
	{"connecting", "@connections during $connect: 410 with its header"},
	{"ids", "Connection ids with =, sometimes - and _; %40 and %3D accepted"},
	{"frames", "Forbidden, Internal server error and Endpoint request timed out, byte for byte"},
	{"events", "MESSAGE without headers and query string; DISCONNECT with the four headers, code and reason"},
	{"limits", "32 KB a frame and 128 KB a message: 1009; binary 1003; idle and two hours 1001"},
	{"concurrent", "Messages of one connection are handled at once"},
	{"environments", "One invocation a process; used again; new after a crash or a timeout; SIGKILL unless SIGTERM was asked for"},
	{"stream-event", "DynamoDB events rename the keys of userIdentity and add eventSourceARN"},
	{"failures", "Partial batches: lowest id, inclusive, counter reset; bisect; age; the queue's message"},
	{"strict", "Signatures with the service execute-api are required (403)"},
}

func words(s string) []string { return strings.Fields(s) }

// TestEveryRowHasItsClaim holds the list to the reference: every row has a case or
// a reason why there is none, and no claim is for a row that is not there.
func TestEveryRowHasItsClaim(t *testing.T) {
	t.Parallel()
	claimed := map[string]bool{}
	for _, c := range claims() {
		if len(c.rows) == 0 || c.says == "" || c.how == "" {
			t.Errorf("claim %q of %q lacks a part", c.says, c.rows)
		}
		if (c.run == nil) != (c.without != "") {
			t.Errorf("claim %q has both or neither of a case and a reason for none", c.says)
		}
		for _, row := range strings.Fields(c.rows) {
			claimed[row] = true
		}
	}
	for _, s := range reference {
		for _, row := range s.rows {
			if !claimed[s.name+"."+row] {
				t.Errorf("no claim is for %s.%s", s.name, row)
			}
			delete(claimed, s.name+"."+row)
		}
	}
	for row := range claimed {
		t.Errorf("there is no row %s", row)
	}
}

func TestEveryLineOfTheChecklistHasACase(t *testing.T) {
	t.Parallel()
	cases := map[string]int{}
	for _, c := range claims() {
		for _, word := range c.check {
			if !slices.ContainsFunc(checklist, func(l struct{ word, line string }) bool { return l.word == word }) {
				t.Errorf("claim %q is for %q, which is no line of the checklist", c.says, word)
			}
			if c.run != nil && c.differs == "" && c.local == "" {
				cases[word]++
			}
		}
	}
	for _, l := range checklist {
		if cases[l.word] == 0 {
			t.Errorf("no case is for %q", l.line)
		}
	}
}

func TestClaimsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range claims() {
		if seen[caseName(c)] {
			t.Errorf("there are two claims %q", caseName(c))
		}
		seen[caseName(c)] = true
	}
}
