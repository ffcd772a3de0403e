// Package token verifies what clients connect with: JSON Web Tokens that an
// OpenID Connect issuer signs. It stands behind the authorizer's function, and
// makes a [chat.Identity] of a token, or refuses it for a [Refusal].
package token

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/issuer"
)

// A Refusal is why a token is not taken. Errors that wrap it hold nothing of
// the token.
type Refusal string

func (r Refusal) Error() string { return "the token is refused: " + string(r) }

// The refusals.
const (
	Malformed    Refusal = "malformed"
	WrongType    Refusal = "type" // a token for another use, by its typ
	BadAlgorithm Refusal = "algorithm"
	UnknownKey   Refusal = "unknown_key"
	BadSignature Refusal = "signature"
	BadIssuer    Refusal = "issuer"
	BadAudience  Refusal = "audience"
	Expired      Refusal = "expired"
	NotYetValid  Refusal = "not_yet_valid"
	BadClaim     Refusal = "claim" // one that is missing or of another type
)

const (
	// maxToken is the longest token, in bytes. API Gateway takes some 10 KB of
	// headers.
	maxToken = 8 << 10
	// skew is how far the issuer's clock may be from ours.
	skew = 30 * time.Second
)

// A Verifier verifies the tokens of one issuer.
type Verifier struct {
	settings issuer.Settings
	keys     *keys
	now      func() time.Time
}

// New makes a verifier. It asks the issuer for nothing before the first token.
func New(settings issuer.Settings, client *http.Client, log *slog.Logger) *Verifier {
	settings.Claims = settings.Claims.WithDefaults()
	return &Verifier{settings: settings, keys: newKeys(settings, client, log), now: time.Now}
}

// Verify tells who has a token. An error that wraps no [Refusal] says that the
// issuer's keys cannot be had.
func (v *Verifier) Verify(ctx context.Context, token string) (chat.Identity, error) {
	if len(token) > maxToken {
		return chat.Identity{}, Malformed
	}
	alg, kid, err := readHeader(token)
	if err != nil {
		return chat.Identity{}, err
	}
	var payload []byte
	refusal := UnknownKey
	err = v.keys.try(ctx, func(keys []key) (settled bool) {
		refusal = UnknownKey
		for _, key := range keys {
			if !key.fits(alg, kid) {
				continue
			}
			if payload, err = jws.Verify([]byte(token), jws.WithCompact(), jws.WithKey(alg, key.public)); err == nil {
				refusal = ""
				return true
			}
			refusal = BadSignature
		}
		// A token that names its key has been told all that there is to know.
		return kid != "" && refusal == BadSignature
	})
	switch {
	case refusal == "":
		return v.identity(payload)
	case refusal == BadSignature || err == nil:
		return chat.Identity{}, refusal
	}
	return chat.Identity{}, fmt.Errorf("the keys of %s cannot be had: %w", v.settings.URL, err)
}

// algorithms are those of signatures that are taken: of keys in two parts, of
// which nobody but the issuer has the private one.
var algorithms = map[string]jwa.SignatureAlgorithm{
	"RS256": jwa.RS256(), "ES256": jwa.ES256(), "EdDSA": jwa.EdDSA(),
}

// readHeader reads what a token says of its signature.
func readHeader(token string) (alg jwa.SignatureAlgorithm, kid string, err error) {
	message, err := jws.Parse([]byte(token), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return alg, "", Malformed
	}
	header := message.Signatures()[0].ProtectedHeaders()
	if _, critical := header.Critical(); critical || header.Has("b64") {
		return alg, "", Malformed // extensions, of which none is known here
	}
	// A logout token, say, is of the same issuer and for the same audience.
	typ, _ := header.Type()
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "at+jwt":
	default:
		return alg, "", WrongType
	}
	named, _ := header.Algorithm()
	alg, ok := algorithms[named.String()]
	if !ok {
		return alg, "", BadAlgorithm
	}
	kid, _ = header.KeyID()
	return alg, kid, nil
}
