package iam_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/iam"
)

const region = "eu-north-1"

// The credentials that the authority of these tests knows.
var (
	session = aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "session/secret+", SessionToken: "token=="}
	owner   = aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "owner"}
)

func guarded() *iam.Authority {
	a := iam.New(account)
	a.SetRegion(region)
	known := anne
	known.SecretAccessKey, known.SessionToken = session.SecretAccessKey, session.SessionToken
	a.PutPrincipal(session.AccessKeyID, known)
	a.PutPrincipal(owner.AccessKeyID, iam.Principal{ARN: "arn:aws:iam::" + account + ":root", SecretAccessKey: owner.SecretAccessKey})
	return a
}

// A gate authenticates what it is sent, and notes who sent it to where.
type gate struct {
	service string
	seen    []string // the paths as they were sent
	errs    []error
}

func (g *gate) serve(t *testing.T) *httptest.Server {
	t.Helper()
	a := guarded()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = a.Authenticate(r, body, g.service)
		}
		g.seen, g.errs = append(g.seen, r.URL.EscapedPath()), append(g.errs, err)
		if g.service == "dynamodb" {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		}
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	return server
}

func (g *gate) check(t *testing.T, paths ...string) {
	t.Helper()
	for i, err := range g.errs {
		if err != nil {
			t.Errorf("%s: %v", g.seen[i], err)
		}
	}
	if diff := cmp.Diff(paths, g.seen); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func config(server *httptest.Server, path string, c aws.Credentials) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(server.URL + path), HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func TestTheGoSDKsCallsOfTablesAndStreamsAreAuthentic(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]aws.Credentials{"of a session": session, "of the owner": owner} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &gate{service: "dynamodb"}
			server := g.serve(t)
			_, err := dynamodb.NewFromConfig(config(server, "", c)).PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("chat"), Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "ä\n"}},
			})
			if err != nil {
				t.Error(err)
			}
			if _, err := dynamodbstreams.NewFromConfig(config(server, "", c)).ListStreams(t.Context(), nil); err != nil {
				t.Error(err)
			}
			g.check(t, "/", "/")
		})
	}
}

// TestTheGoSDKsCallsOfConnectionsAreAuthentic has ids with all that connection
// ids hold.
func TestTheGoSDKsCallsOfConnectionsAreAuthentic(t *testing.T) {
	t.Parallel()
	g := &gate{service: "execute-api"}
	client := apigatewaymanagementapi.NewFromConfig(config(g.serve(t), "/prod", session))
	for _, id := range []string{"e_d2EewNLPECIGw=", "L0SM9cOFvHcCIhw=", "a-b_c=="} {
		_, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(`{"a":"ä"}`)})
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := client.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: aws.String("a=")}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: aws.String("a=")}); err != nil {
		t.Error(err)
	}
	g.check(t, "/prod/@connections/e_d2EewNLPECIGw%3D", "/prod/@connections/L0SM9cOFvHcCIhw%3D", "/prod/@connections/a-b_c%3D%3D",
		"/prod/@connections/a%3D", "/prod/@connections/a%3D")
}

// TestTheAWSCommandsCallsAreAuthentic asks botocore, which nobody here wrote.
func TestTheAWSCommandsCallsAreAuthentic(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the aws command is not installed")
	}
	run := func(server *httptest.Server, args ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, command, args...)
		cmd.Env = append(os.Environ(),
			"AWS_ACCESS_KEY_ID="+session.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+session.SecretAccessKey, "AWS_SESSION_TOKEN="+session.SessionToken,
			"AWS_REGION="+region, "AWS_DEFAULT_REGION="+region, "AWS_ENDPOINT_URL="+server.URL, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
			"AWS_CONFIG_FILE="+t.TempDir()+"/none", "AWS_SHARED_CREDENTIALS_FILE="+t.TempDir()+"/none")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	g := &gate{service: "dynamodb"}
	server := g.serve(t)
	run(server, "dynamodb", "list-tables", "--endpoint-url", server.URL)
	g.check(t, "/")

	g = &gate{service: "execute-api"}
	server = g.serve(t)
	run(server, "apigatewaymanagementapi", "delete-connection", "--connection-id", "a-b_c=", "--endpoint-url", server.URL+"/prod")
	g.check(t, "/prod/@connections/a-b_c%3D")
}

// A forged request is a good one that was changed in one way.
type forged struct {
	method, target, body string
	credentials          aws.Credentials
	service, region      string
	at                   time.Time
	before, after        func(r *http.Request) // it is signed
}

// good is a request to a service by the session.
func good(service string) forged {
	return forged{
		method: http.MethodPost, target: "/", body: "{}", credentials: session,
		service: service, region: region, at: time.Now(),
	}
}

// sign writes the request as a server reads it.
func (f forged) sign(t testing.TB) *http.Request {
	t.Helper()
	r := httptest.NewRequest(f.method, f.target, strings.NewReader(f.body))
	if f.before != nil {
		f.before(r)
	}
	sum := sha256.Sum256([]byte(f.body))
	if err := v4.NewSigner().SignHTTP(t.Context(), f.credentials, r, hex.EncodeToString(sum[:]), f.service, f.region, f.at); err != nil {
		t.Fatal(err)
	}
	if f.after != nil {
		f.after(r)
	}
	return r
}

func authenticate(t testing.TB, f forged, service string) (iam.Principal, error) {
	t.Helper()
	return guarded().Authenticate(f.sign(t), []byte(f.body), service)
}

func TestWhoSignsIsKnown(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *forged){
		"a plain request":               func(f *forged) {},
		"an empty body":                 func(f *forged) { f.body = "" },
		"a path with a raw =":           func(f *forged) { f.target = "/prod/@connections/a-b_c=" },
		"a path with %3D":               func(f *forged) { f.target = "/prod/@connections/a-b_c%3D" },
		"a path with %40":               func(f *forged) { f.target = "/prod/%40connections/a-b_c%3D" },
		"a path with %40 and a raw =":   func(f *forged) { f.target = "/prod/%40connections/a-b_c=" },
		"a path with letters and space": func(f *forged) { f.target = "/pröd/a%20b/%C3%A4" },
		"a query":                       func(f *forged) { f.target = "/?b=2&a=%20x&a=+y&a-b=1&empty&ä=ö" },
		"spaces in a header":            func(f *forged) { f.before = func(r *http.Request) { r.Header.Set("X-Amz-Meta", "  a   b  ") } },
		"two values of a header":        func(f *forged) { f.before = func(r *http.Request) { r.Header["X-Amz-Meta"] = []string{"a", "b "} } },
		"a header that is not signed":   func(f *forged) { f.after = func(r *http.Request) { r.Header.Set("X-Forwarded-For", "a") } },
		"almost five minutes ago":       func(f *forged) { f.at = time.Now().Add(-4*time.Minute - 50*time.Second) },
		"in almost five minutes":        func(f *forged) { f.at = time.Now().Add(4*time.Minute + 50*time.Second) },
		"no spaces in the header": func(f *forged) {
			f.after = func(r *http.Request) {
				r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
			}
		},
		"the hash of the payload in a header": func(f *forged) {
			f.before = func(r *http.Request) {
				sum := sha256.Sum256([]byte("{}"))
				r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good("execute-api")
			change(&f)
			p, err := authenticate(t, f, "execute-api")
			if err != nil || p.ARN != anne.ARN || p.Role != anne.Role {
				t.Errorf("%s by %v", p.ARN, err)
			}
		})
	}
}

func TestEveryHeaderThatIsSignedCounts(t *testing.T) {
	t.Parallel()
	f := good("dynamodb")
	f.before = func(r *http.Request) { r.Header.Set("X-Custom", "1") }
	r := f.sign(t)
	if _, err := guarded().Authenticate(r, []byte(f.body), "dynamodb"); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Custom", "2")
	if _, err := guarded().Authenticate(r, []byte(f.body), "dynamodb"); err == nil {
		t.Error("a signed header may change")
	}
}

func TestSignaturesThatAreNotRightAreRefusedInAWSsWords(t *testing.T) {
	t.Parallel()
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const unrecognized = "The security token included in the request is invalid."
	set := func(name, value string) func(f *forged) {
		return func(f *forged) { f.after = func(r *http.Request) { r.Header.Set(name, value) } }
	}
	replace := func(old, with string) func(f *forged) {
		return func(f *forged) {
			f.after = func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
			}
		}
	}
	for name, test := range map[string]struct {
		change     func(f *forged)
		code, says string
	}{
		"no signature":                   {func(f *forged) { f.after = func(r *http.Request) { r.Header.Del("Authorization") } }, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"another scheme":                 {set("Authorization", "Bearer x"), "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'Bearer'."},
		"no parameters":                  {set("Authorization", "AWS4-HMAC-SHA256"), "IncompleteSignatureException", "requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		"a scope that is too short":      {replace("/aws4_request", ""), "IncompleteSignatureException", "5 slash-delimited elements"},
		"no date":                        {func(f *forged) { f.after = func(r *http.Request) { r.Header.Del("X-Amz-Date") } }, "IncompleteSignatureException", "existence of either a 'X-Amz-Date' or a 'Date' header"},
		"a date that is none":            {set("X-Amz-Date", "yesterday"), "IncompleteSignatureException", "existence of either a 'X-Amz-Date' or a 'Date' header"},
		"version 4A":                     {set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=x"), "IncompleteSignatureException", "does not run signature version 4A"},
		"a presigned URL":                {func(f *forged) { f.target = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x" }, "IncompleteSignatureException", "does not run presigned URLs"},
		"an unknown access key":          {func(f *forged) { f.credentials.AccessKeyID = "ASIANOBODY" }, "UnrecognizedClientException", unrecognized},
		"no session token":               {func(f *forged) { f.credentials.SessionToken = "" }, "UnrecognizedClientException", unrecognized},
		"another session token":          {func(f *forged) { f.credentials.SessionToken = "other" }, "UnrecognizedClientException", unrecognized},
		"a token of a key that has none": {func(f *forged) { f.credentials = owner; f.credentials.SessionToken = "x" }, "UnrecognizedClientException", unrecognized},
		"another secret":                 {func(f *forged) { f.credentials.SecretAccessKey = "guess" }, "InvalidSignatureException", mismatch},
		"another body":                   {func(f *forged) { f.after = func(*http.Request) { /* the body below is another */ } }, "InvalidSignatureException", mismatch},
		"another method":                 {func(f *forged) { f.after = func(r *http.Request) { r.Method = http.MethodDelete } }, "InvalidSignatureException", mismatch},
		"another host":                   {func(f *forged) { f.after = func(r *http.Request) { r.Host = "other" } }, "InvalidSignatureException", mismatch},
		"another path": {func(f *forged) {
			f.after = func(r *http.Request) { r.URL = &url.URL{Path: "/other"} }
		}, "InvalidSignatureException", mismatch},
		"another query":        {func(f *forged) { f.after = func(r *http.Request) { r.URL.RawQuery = "a=b" } }, "InvalidSignatureException", mismatch},
		"another signature":    {replace("Signature=", "Signature=0"), "InvalidSignatureException", mismatch},
		"a signed header less": {replace("x-amz-date;", ""), "InvalidSignatureException", mismatch},
		"no signed host":       {replace("host;", ""), "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader'"},
		"another service":      {func(f *forged) { f.service = "s3" }, "InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'."},
		"another region":       {func(f *forged) { f.region = "us-east-1" }, "InvalidSignatureException", "Credential should be scoped to a valid region, not 'us-east-1'."},
		"another terminator":   {replace("aws4_request", "aws5_request"), "InvalidSignatureException", "valid terminator: 'aws4_request'"},
		"another day":          {func(f *forged) { f.after = func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") } }, "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"},
		"five minutes ago":     {func(f *forged) { f.at = time.Now().Add(-5*time.Minute - 5*time.Second) }, "InvalidSignatureException", "- 5 min.)"},
		"in five minutes":      {func(f *forged) { f.at = time.Now().Add(5*time.Minute + 5*time.Second) }, "InvalidSignatureException", "+ 5 min.)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good("execute-api")
			test.change(&f)
			body := f.body
			if name == "another body" {
				body = "[]"
			}
			p, err := guarded().Authenticate(f.sign(t), []byte(body), "execute-api")
			var refused *iam.SignatureError
			if !errors.As(err, &refused) || refused.ErrorCode() != test.code || !strings.Contains(err.Error(), test.says) || refused.StatusCode() != 403 {
				t.Errorf("%#v, want %s with %q", err, test.code, test.says)
			}
			if p != (iam.Principal{}) {
				t.Errorf("known as %s", p.ARN)
			}
		})
	}
}

// TestAPayloadThatIsNotSignedDoesNotMatch: what S3 takes, no other service does.
func TestAPayloadThatIsNotSignedDoesNotMatch(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	if err := v4.NewSigner().SignHTTP(t.Context(), session, r, "UNSIGNED-PAYLOAD", "dynamodb", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err := guarded().Authenticate(r, []byte("{}"), "dynamodb")
	var refused *iam.SignatureError
	if !errors.As(err, &refused) || refused.Code != "InvalidSignatureException" {
		t.Errorf("%v, want InvalidSignatureException", err)
	}
}

func TestDynamoDBRefusesWithStatus400(t *testing.T) {
	t.Parallel()
	_, err := guarded().Authenticate(httptest.NewRequest(http.MethodPost, "/", nil), nil, "dynamodb")
	var refused *iam.SignatureError
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Message != "Request is missing Authentication Token" {
		t.Errorf("%#v", err)
	}
}

func TestACredentialThatIsTakenBackIsUnknown(t *testing.T) {
	t.Parallel()
	a := guarded()
	f := good("dynamodb")
	a.DeletePrincipal(session.AccessKeyID)
	_, err := a.Authenticate(f.sign(t), []byte(f.body), "dynamodb")
	var refused *iam.SignatureError
	if !errors.As(err, &refused) || refused.Code != "UnrecognizedClientException" {
		t.Errorf("%v, want UnrecognizedClientException", err)
	}
}

func TestAnyRegionIsRightWhereNoneIsSet(t *testing.T) {
	t.Parallel()
	a := guarded()
	a.SetRegion("")
	f := good("dynamodb")
	f.region = "ap-south-1"
	if _, err := a.Authenticate(f.sign(t), []byte(f.body), "dynamodb"); err != nil {
		t.Error(err)
	}
}

// FuzzAuthenticate looks for what crashes it, and for anyone who gets in.
func FuzzAuthenticate(f *testing.F) {
	r := good("dynamodb").sign(f)
	f.Add(r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), "token==", "/a", "b=c", []byte("{}"))
	f.Add("AWS4-HMAC-SHA256 Credential=////,Signature=,SignedHeaders=;;host;", "20260101T000000Z", "", "/%", "X-Amz-Signature", []byte(nil))
	f.Add("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a", "Thu, 01 Jan 2026 00:00:00 GMT", "", "/", "", []byte("x"))
	a := guarded()
	f.Fuzz(func(t *testing.T, authorization, date, token, path, query string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.URL.Path, r.URL.RawQuery = path, query
		for name, value := range map[string]string{"Authorization": authorization, "X-Amz-Date": date, "X-Amz-Security-Token": token} {
			r.Header.Set(name, value)
		}
		p, err := a.Authenticate(r, body, "dynamodb")
		var refused *iam.SignatureError
		if !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" || p != (iam.Principal{}) {
			t.Errorf("%v by %q", p, authorization)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	a := guarded()
	f := good("dynamodb")
	r := f.sign(b)
	body := []byte(f.body)
	for b.Loop() {
		if _, err := a.Authenticate(r, body, "dynamodb"); err != nil {
			b.Fatal(err)
		}
	}
}
