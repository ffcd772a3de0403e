package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"example.com/chatstack/internal/issuer"
)

// How long keys are good for.
const (
	// fresh is how long keys are used without asking whether they have changed.
	fresh = time.Hour
	// stale is how long they are used when the issuer does not answer.
	stale = 24 * time.Hour
	// pause is how soon the issuer is asked again, whatever tokens come: for
	// tokens with a key that is not known, and after a failure.
	pause = 5 * time.Second
)

// What an issuer may take.
const (
	answerTimeout = 4 * time.Second // for both of its answers
	maxAnswer     = 256 << 10       // bytes
	maxKeys       = 100
)

// A key is a public key of the issuer.
type key struct {
	id     string
	alg    string // empty for any that fits
	public any
}

// fits reports whether a signature of this algorithm may be of the key, by the
// type of the key and not by what the token says.
func (k key) fits(alg jwa.SignatureAlgorithm, kid string) bool {
	if kid != "" && kid != k.id || k.alg != "" && k.alg != alg.String() {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return alg == jwa.RS256()
	case *ecdsa.PublicKey:
		return alg == jwa.ES256() && public.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == jwa.EdDSA()
	}
	return false
}

// keys are those of an issuer, kept in the process. They are asked for when a
// token needs them and at no other time: a function is frozen in between.
type keys struct {
	settings issuer.Settings
	client   *http.Client
	log      *slog.Logger
	now      func() time.Time

	turn    chan struct{} // holds a token for who may use the fields below
	known   []key
	fetched time.Time // when known was
	tried   time.Time // when they were asked for last
	failure error     // of that time
}

func newKeys(settings issuer.Settings, client *http.Client, log *slog.Logger) *keys {
	withoutRedirects := *client
	withoutRedirects.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	k := &keys{settings: settings, client: &withoutRedirects, log: log, turn: make(chan struct{}, 1)}
	// The wall clock: the other one may stand still while a function is frozen.
	k.now = func() time.Time { return time.Now().Round(0) }
	k.turn <- struct{}{}
	return k
}

// try hands the keys to use, and once more if it does not settle the matter and
// there may be others by now. The error says why there are no others to be had.
func (k *keys) try(ctx context.Context, use func([]key) (settled bool)) error {
	select {
	case <-k.turn:
		defer func() { k.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// A clock that was set back makes nothing fresh again.
	age := k.now().Sub(k.fetched)
	asked := false
	if k.known == nil || age < 0 || age >= fresh {
		asked = k.fetch(ctx)
	}
	if k.known != nil && k.now().Sub(k.fetched) >= stale {
		k.known = nil
	}
	if k.known != nil && use(k.known) {
		return nil
	}
	if !asked && k.fetch(ctx) && k.failure == nil {
		use(k.known)
	}
	return k.failure
}

// fetch asks the issuer for its keys, unless it was asked just now. Keys that are
// known stay if it fails. It reports whether it has asked.
func (k *keys) fetch(ctx context.Context) bool {
	now := k.now()
	if since := now.Sub(k.tried); since >= 0 && since < pause {
		return false
	}
	k.tried = now
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	known, err := k.ask(ctx)
	k.failure = err
	if err != nil {
		k.log.WarnContext(ctx, "issuer's keys not fetched", "issuer", k.settings.URL, "known", len(k.known), "error", err)
		return true
	}
	k.known, k.fetched = known, now
	return true
}

func (k *keys) ask(ctx context.Context) ([]key, error) {
	address := k.settings.JWKSURL
	if address == "" {
		var err error
		if address, err = k.discover(ctx); err != nil {
			return nil, err
		}
	}
	text, err := k.get(ctx, address)
	if err != nil {
		return nil, err
	}
	set, err := jwk.Parse(text, jwk.WithIgnoreParseError(true), jwk.WithMaxKeys(maxKeys))
	if err != nil {
		return nil, fmt.Errorf("%s has no set of keys", address)
	}
	var usable []key
	for i := range set.Len() {
		one, _ := set.Key(i)
		if public, ok := publicKey(one); ok {
			usable = append(usable, public)
		}
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("%s has no key for RS256, ES256 or EdDSA", address)
	}
	return usable, nil
}

// publicKey gives a key that is for signatures, and public. A private one that
// somebody publishes by mistake is no key to trust.
func publicKey(one jwk.Key) (key, bool) {
	if use, given := one.KeyUsage(); given && use != "sig" {
		return key{}, false
	}
	if operations, given := one.KeyOps(); given && !slices.Contains(operations, jwk.KeyOpVerify) {
		return key{}, false
	}
	k := key{}
	k.id, _ = one.KeyID()
	if alg, given := one.Algorithm(); given {
		k.alg = alg.String()
	}
	if err := jwk.Export(one, &k.public); err != nil {
		return key{}, false
	}
	switch k.public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return k, true
	}
	return key{}, false
}

// discover asks the issuer where its keys are.
func (k *keys) discover(ctx context.Context) (string, error) {
	address := strings.TrimSuffix(k.settings.URL, "/") + "/.well-known/openid-configuration"
	text, err := k.get(ctx, address)
	if err != nil {
		return "", err
	}
	var configuration struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if json.Unmarshal(text, &configuration) != nil {
		return "", fmt.Errorf("%s is no JSON object", address)
	}
	if configuration.Issuer != k.settings.URL {
		return "", fmt.Errorf("%s is of the issuer %q", address, configuration.Issuer)
	}
	if !issuer.IsSecure(configuration.JWKSURI) {
		return "", fmt.Errorf("%s has no https URL in jwks_uri", address)
	}
	return configuration.JWKSURI, nil
}

func (k *keys) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(text) > maxAnswer {
		return nil, errors.New(address + " answers with more than 256 KB")
	}
	return text, nil
}
