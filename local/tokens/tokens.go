// Package tokens is an issuer of tokens on this machine, so that a stage that
// asks for tokens can be tried without a provider of any. It signs with a key of
// its own, and publishes it as an OpenID Connect issuer does.
package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/atomicfile"
	"example.com/chatstack/internal/issuer"
)

// How long a token is good for.
const (
	DefaultTTL = time.Hour
	maxTTL     = 366 * 24 * time.Hour
)

// An Issuer signs tokens.
type Issuer struct {
	private jwk.Key
	public  jwk.Set
}

// Open returns the issuer whose key is in a file, which only its owner may read.
// A new one is made where there is none.
func Open(file string) (*Issuer, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = newKey(); err == nil {
			err = atomicfile.Write(file, 0o600, text)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key for tokens: %w", err)
	}
	private, err := jwk.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no key for tokens: delete it, and a new one is made", file)
	}
	public, err := private.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("%s holds no key for tokens: delete it, and a new one is made", file)
	}
	i := &Issuer{private: private, public: jwk.NewSet()}
	return i, i.public.AddKey(public)
}

// newKey makes a key, with its hash for its id.
func newKey() ([]byte, error) {
	raw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := jwk.Import(raw)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		jwk.AssignKeyID(key, jwk.WithThumbprintHash(crypto.SHA256)),
		key.Set(jwk.AlgorithmKey, jwa.ES256()),
		key.Set(jwk.KeyUsageKey, "sig"),
	); err != nil {
		return nil, err
	}
	return json.Marshal(key)
}

// A Request asks for a token.
type Request struct {
	User string `json:"user"`
	Name string `json:"name,omitempty"`
	// Channels are the grants for private channels, Moderates the channels that the
	// user moderates: patterns, as a token has them.
	Channels  []string `json:"channels,omitempty"`
	Moderates []string `json:"moderates,omitempty"`
	// TTL is how long the token is good for, as 30m: to a year. Empty means 1h.
	TTL string `json:"ttl,omitempty"`
}

// A Token is signed. Whoever has it is the user.
type Token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Check says in a sentence what is wrong with a request, and how long its token
// is to be good for.
func (r Request) Check() (time.Duration, error) {
	if err := chat.CheckUser(r.User); err != nil {
		return 0, err
	}
	if slices.Contains(r.Channels, "") || slices.Contains(r.Moderates, "") {
		return 0, errors.New("a pattern of channels is empty: private:team-* is one")
	}
	if r.TTL == "" {
		return DefaultTTL, nil
	}
	ttl, err := time.ParseDuration(r.TTL)
	if err != nil || ttl < time.Second || ttl > maxTTL {
		return 0, fmt.Errorf("ttl is %q: a duration is a number and its unit, as 30m or 12h, from 1s to a year", r.TTL)
	}
	return ttl, nil
}

// Sign makes a token, of the issuer at a URL and for an audience.
func (i *Issuer) Sign(url string, audience []string, r Request) (Token, error) {
	ttl, err := r.Check()
	if err != nil {
		return Token{}, err
	}
	now := time.Now().Truncate(time.Second)
	claims := issuer.Claims{}.WithDefaults()
	made := jwt.NewBuilder().Issuer(url).Audience(audience).IssuedAt(now).Expiration(now.Add(ttl)).Claim(claims.User, r.User)
	if r.Name != "" {
		made.Claim(claims.Name, r.Name)
	}
	if r.Channels != nil {
		made.Claim(claims.Channels, r.Channels)
	}
	if r.Moderates != nil {
		made.Claim(claims.Moderates, r.Moderates)
	}
	token, err := made.Build()
	if err != nil {
		return Token{}, err
	}
	text, err := jwt.Sign(token, jwt.WithKey(jwa.ES256(), i.private))
	return Token{Token: string(text), ExpiresAt: now.Add(ttl).UTC()}, err
}

// KeysPath is where the issuer's keys are, below its URL.
const KeysPath = "/jwks.json"

// Keys are what signatures are verified with, to be published.
func (i *Issuer) Keys() jwk.Set { return i.public }
