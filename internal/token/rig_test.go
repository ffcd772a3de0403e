package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"go.uber.org/goleak"

	"example.com/chatstack/internal/issuer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A provider is an issuer under the test's control.
type provider struct {
	*httptest.Server
	logs *strings.Builder

	mu      sync.Mutex
	keys    []any             // of its JWKS, as JSON is made of them
	answers map[string]string // by path, in place of its own
	status  int               // in place of 200
	asked   map[string]int    // how often, by path
}

// keysOf are one private key of each kind. They are made once, as RSA takes its
// time.
var keysOf = sync.OnceValue(func() (made struct {
	rsa, otherRSA *rsa.PrivateKey
	ec, otherEC   *ecdsa.PrivateKey
	p384          *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
},
) {
	made.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	made.otherRSA, _ = rsa.GenerateKey(rand.Reader, 2048)
	made.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	made.otherEC, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	made.p384, _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, made.ed, _ = ed25519.GenerateKey(rand.Reader)
	return made
})

func startProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{logs: &strings.Builder{}, answers: map[string]string{}, asked: map[string]int{}, status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked[r.URL.Path]++
		answer, other := p.answers[r.URL.Path]
		switch {
		case other:
		case r.URL.Path == "/.well-known/openid-configuration":
			text, _ := json.Marshal(map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
			answer = string(text)
		default:
			text, _ := json.Marshal(map[string]any{"keys": p.keys})
			answer = string(text)
		}
		w.Header().Set("Location", "/keys")
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(p.Close)
	keys := keysOf()
	p.publish(jwkOf(t, &keys.rsa.PublicKey, "r"), jwkOf(t, &keys.ec.PublicKey, "e"), jwkOf(t, keys.ed.Public(), "d"))
	return p
}

// set changes the provider.
func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *provider) publish(keys ...jwk.Key) {
	p.set(func() {
		p.keys = nil
		for _, key := range keys {
			p.keys = append(p.keys, key)
		}
	})
}

func (p *provider) times(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *provider) verifier() *Verifier {
	return New(issuer.Settings{URL: p.URL, Audience: []string{"chat", "chat-admin"}}, p.Client(), slog.New(slog.NewTextHandler(p.logs, nil)))
}

func jwkOf(t testing.TB, raw any, id string, fields ...string) jwk.Key {
	t.Helper()
	key, err := jwk.Import(raw)
	if err != nil {
		t.Fatal(err)
	}
	if id != "" {
		fields = append(fields, jwk.KeyIDKey, id)
	}
	for i := 0; i < len(fields); i += 2 {
		if err := key.Set(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return key
}

// A fields is a JSON object.
type fields map[string]any

// claims are those of a good token, with others in their place; nil takes one
// away.
func (p *provider) claims(others fields) fields {
	now := time.Now().Unix()
	all := fields{
		"iss": p.URL, "aud": "chat", "sub": "u-1", "name": "Ada Lovelace", "iat": now, "exp": now + 600,
		"chat_channels": []string{"private:team-*", "private:news=read"}, "chat_moderates": []string{"support-*"},
	}
	for name, value := range others {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// sign makes a token with whatever header is given beside alg.
func sign(t testing.TB, alg jwa.SignatureAlgorithm, key crypto.PrivateKey, header fields, claims any) string {
	t.Helper()
	headers := jws.NewHeaders()
	for name, value := range header {
		if err := headers.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	payload, isText := claims.(string)
	if !isText {
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		payload = string(text)
	}
	token, err := jws.Sign([]byte(payload), jws.WithKey(alg, key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// part writes one of the parts of a token.
func part(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
