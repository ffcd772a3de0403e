package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/lestrrat-go/jwx/v3/jwt"

	"example.com/chatstack/chat"
)

// identity reads who somebody is from the payload of a token whose signature is
// right.
func (v *Verifier) identity(payload []byte) (chat.Identity, error) {
	claims := jwt.New()
	// What is not UTF-8 would be read as another text, and users be mixed up.
	if !utf8.Valid(payload) || json.Unmarshal(payload, claims) != nil {
		return chat.Identity{}, Malformed
	}
	if err := v.validate(claims); err != nil {
		return chat.Identity{}, err
	}
	var i chat.Identity
	names := v.settings.Claims
	if err := errors.Join(
		read(claims, names.User, &i.User),
		read(claims, names.Name, &i.Name),
		readList(claims, names.Channels, &i.Channels, false),
		readList(claims, names.Moderates, &i.Moderates, true),
	); err != nil {
		return chat.Identity{}, err
	}
	if chat.CheckUser(i.User) != nil {
		return chat.Identity{}, badClaim(names.User)
	}
	i.ExpiresAt, _ = claims.Expiration()
	if _, err := chat.ParseIdentity(i.AuthorizerContext()); err != nil {
		return chat.Identity{}, badClaim(jwt.ExpirationKey) // which is left to be wrong
	}
	return i, nil
}

// validate checks the claims that every token has. The time of its end, exp, is
// required.
func (v *Verifier) validate(claims jwt.Token) error {
	err := jwt.Validate(claims,
		jwt.WithIssuer(v.settings.URL), jwt.WithRequiredClaim(jwt.ExpirationKey),
		jwt.WithAcceptableSkew(skew), jwt.WithClock(jwt.ClockFunc(v.now)))
	switch {
	case err == nil:
	case errors.Is(err, jwt.InvalidIssuerError()):
		return BadIssuer
	case errors.Is(err, jwt.TokenExpiredError()):
		return Expired
	case errors.Is(err, jwt.TokenNotYetValidError()), errors.Is(err, jwt.InvalidIssuedAtError()):
		return NotYetValid
	default:
		return badClaim(jwt.ExpirationKey)
	}
	audience, _ := claims.Audience()
	if !slices.ContainsFunc(audience, func(one string) bool { return slices.Contains(v.settings.Audience, one) }) {
		return BadAudience
	}
	return nil
}

// badClaim names the claim, which is no secret, and not what is in it.
func badClaim(name string) error { return fmt.Errorf("%w %s", BadClaim, name) }

// read reads a claim that may not be there.
func read[T any](claims jwt.Token, name string, into *T) error {
	var value any
	if !claims.Has(name) || claims.Get(name, &value) != nil || value == nil {
		return nil
	}
	read, ok := value.(T)
	if !ok {
		return badClaim(name)
	}
	*into = read
	return nil
}

// readList reads a claim that is a list of texts. Where it may be a truth, true
// means everything.
func readList(claims jwt.Token, name string, into *[]string, orTruth bool) error {
	var everything bool
	if orTruth && read(claims, name, &everything) == nil {
		if everything {
			*into = []string{"*"}
		}
		return nil
	}
	var list []any
	if err := read(claims, name, &list); err != nil {
		return err
	}
	for _, value := range list {
		text, ok := value.(string)
		if !ok || text == "" {
			return badClaim(name)
		}
		*into = append(*into, text)
	}
	return nil
}
