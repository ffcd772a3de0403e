package token

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"example.com/chatstack/internal/issuer"
)

// ask says how verifying a token ends: "" if it is taken, the refusal, or
// "keys" if they cannot be had.
func ask(t *testing.T, v *Verifier, token string) string {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	var refusal Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return string(refusal)
	}
	return "keys"
}

// A clock is set by a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// withClock makes a verifier whose keys age by a clock of the test's; tokens do
// not.
func (p *provider) withClock() (*Verifier, *clock) {
	v, c := p.verifier(), &clock{now: time.Now()}
	v.keys.now = c.read
	return v, c
}

// A key that the issuer begins to use is found at once; one that it withdraws is
// good for an hour.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v, clock := p.withClock()
	before := sign(t, jwa.ES256(), keys.ec, fields{"kid": "e"}, p.claims(nil))
	after := sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "e2"}, p.claims(nil))
	expect := func(when, token, want string, fetches int) {
		t.Helper()
		if got := ask(t, v, token); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
		if n := p.times("/keys"); n != fetches {
			t.Errorf("%s: the keys were asked for %d times, want %d", when, n, fetches)
		}
	}
	expect("at first", before, "", 1)
	expect("before it is published", after, "unknown_key", 1)
	p.publish(jwkOf(t, &keys.otherEC.PublicKey, "e2"))
	expect("just after it was asked for", after, "unknown_key", 1)
	clock.pass(pause)
	expect("a known key needs no question", before, "", 1)
	expect("once it is published", after, "", 2)
	expect("the key that was withdrawn", before, "unknown_key", 2)

	p.publish(jwkOf(t, &keys.ec.PublicKey, ""))
	clock.pass(pause)
	expect("a key without an id is for tokens without one", before, "unknown_key", 3)
	expect("which find it", sign(t, jwa.ES256(), keys.ec, nil, p.claims(nil)), "", 3)
	p.publish(jwkOf(t, &keys.otherEC.PublicKey, ""))
	clock.pass(pause)
	expect("and its successor", sign(t, jwa.ES256(), keys.otherEC, nil, p.claims(nil)), "", 4)
	clock.pass(fresh)
	expect("after an hour they are asked for again", sign(t, jwa.ES256(), keys.otherEC, nil, p.claims(nil)), "", 5)
}

// Tokens with made-up keys do not make the function a hammer on the issuer.
func TestUnknownKeysAskSeldom(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v, clock := p.withClock()
	for range 40 {
		if got := ask(t, v, sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "made up"}, p.claims(nil))); got != "unknown_key" {
			t.Fatalf("%q", got)
		}
		clock.pass(time.Second)
	}
	if n := p.times("/keys"); n != 8 {
		t.Errorf("the keys were asked for %d times in 40 s, want every %v", n, pause)
	}
}

// An issuer that is down keeps nobody out whose key is known, for a day; and its
// return is noticed.
func TestKnownKeysOutliveTheIssuer(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v, clock := p.withClock()
	token := sign(t, jwa.RS256(), keys.rsa, fields{"kid": "r"}, p.claims(nil))
	expect := func(when, token, want string) {
		t.Helper()
		if got := ask(t, v, token); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	p.set(func() { p.status = http.StatusServiceUnavailable })
	expect("an issuer that was never up", token, "keys")
	p.set(func() { p.status = http.StatusOK })
	expect("and was just asked", token, "keys")
	clock.pass(pause)
	expect("it comes up", token, "")
	p.set(func() { p.status = http.StatusServiceUnavailable })
	clock.pass(stale - time.Second)
	expect("it is down for long", token, "")
	expect("a token with another key is nobody's fault but the issuer's", sign(t, jwa.RS256(), keys.otherRSA, fields{"kid": "new"}, p.claims(nil)), "keys")
	clock.pass(time.Second)
	expect("it is down for too long", token, "keys")
	p.set(func() { p.status = http.StatusOK })
	clock.pass(pause)
	expect("it is back", token, "")
}

// What an issuer answers is believed as far as it makes sense.
func TestAnswersOfTheIssuer(t *testing.T) {
	t.Parallel()
	const configuration = "/.well-known/openid-configuration"
	for name, test := range map[string]struct {
		path, answer string
		status       int
		want         string // in the error; empty if the keys are had
	}{
		"as it should be":             {"", "", 200, ""},
		"a redirect":                  {"", "", 302, "302"},
		"an error":                    {"", "", 500, "500"},
		"no JSON":                     {configuration, "<html>", 200, "is no JSON object"},
		"another issuer":              {configuration, `{"issuer":"https://other.example","jwks_uri":"https://other.example/keys"}`, 200, `is of the issuer "https://other.example"`},
		"keys over plain http":        {configuration, `{"issuer":"ISSUER","jwks_uri":"http://other.example/keys"}`, 200, "has no https URL in jwks_uri"},
		"keys in a file":              {configuration, `{"issuer":"ISSUER","jwks_uri":"file:///etc/passwd"}`, 200, "has no https URL in jwks_uri"},
		"no address of keys":          {configuration, `{"issuer":"ISSUER"}`, 200, "has no https URL in jwks_uri"},
		"too much":                    {"/keys", strings.Repeat(" ", maxAnswer+1), 200, "more than 256 KB"},
		"no keys":                     {"/keys", `{"keys":[]}`, 200, "has no key for RS256, ES256 or EdDSA"},
		"no set":                      {"/keys", `[]`, 200, "has no set of keys"},
		"secrets":                     {"/keys", `{"keys":[{"kty":"oct","k":"AAAA","kid":"r"}]}`, 200, "has no key for"},
		"a private key":               {"/keys", "PRIVATE", 200, "has no key for"},
		"nested deeply":               {"/keys", strings.Repeat(`{"keys":[`, 20000), 200, "has no set of keys"},
		"a key that nobody knows too": {"/keys", "UNKNOWN", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, keys := startProvider(t), keysOf()
			text := func(raw any) string {
				key := jwkOf(t, raw, "r")
				return string(mustJSON(t, key))
			}
			answer := strings.NewReplacer(
				"ISSUER", p.URL, "PRIVATE", `{"keys":[`+text(keys.rsa)+`]}`,
				"UNKNOWN", `{"keys":[{"kty":"LATTICE","kid":"r"},{"kty":"RSA","n":"!"},`+text(&keys.rsa.PublicKey)+`]}`,
			).Replace(test.answer)
			p.set(func() {
				if p.status = test.status; test.path != "" {
					p.answers[test.path] = answer
				}
			})
			_, err := p.verifier().Verify(t.Context(), sign(t, jwa.RS256(), keys.rsa, fields{"kid": "r"}, p.claims(nil)))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// With an address of the keys, the issuer needs no configuration.
func TestKeysAreHadFromTheirAddress(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v := New(issuer.Settings{URL: "https://login.example", Audience: []string{"chat"}, JWKSURL: p.URL + "/their/keys"}, p.Client(), p.verifier().keys.log)
	if got := ask(t, v, sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"iss": "https://login.example"}))); got != "" {
		t.Error(got)
	}
	if p.times("/their/keys") != 1 || p.times("/.well-known/openid-configuration") != 0 {
		t.Errorf("asked %v", p.asked)
	}
}

// Who waits for an issuer that hangs waits no longer than it may, and no other
// waits for it then.
func TestAnIssuerThatHangs(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v := p.verifier()
	token := sign(t, jwa.ES256(), keys.ec, nil, p.claims(nil))
	p.mu.Lock() // no answer
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := v.Verify(ctx, token)
	p.mu.Unlock()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	<-v.keys.turn
	if _, err := v.Verify(ended, token); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	v.keys.turn <- struct{}{}
}

// Many at once ask the issuer once.
func TestManyTokensAtOnce(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v := p.verifier()
	good := sign(t, jwa.ES256(), keys.ec, fields{"kid": "e"}, p.claims(nil))
	bad := sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "x"}, p.claims(nil))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if got := ask(t, v, good); got != "" {
				t.Errorf("a good token: %q", got)
			}
			if got := ask(t, v, bad); got != "unknown_key" {
				t.Errorf("a bad token: %q", got)
			}
		})
	}
	group.Wait()
	if n := p.times("/keys"); n != 1 {
		t.Errorf("the keys were asked for %d times, want once", n)
	}
}
