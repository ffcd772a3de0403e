package token

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v3/jwa"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/issuer"
)

// Each algorithm that is taken tells the same of who has the token.
func TestGoodTokensTellWhoHasThem(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v := p.verifier()
	claims := p.claims(nil)
	want := chat.Identity{
		User: "u-1", Name: "Ada Lovelace", Channels: []string{"private:team-*", "private:news=read"},
		Moderates: []string{"support-*"}, ExpiresAt: time.Unix(claims["exp"].(int64), 0).UTC(),
	}
	for name, token := range map[string]string{
		"RS256":          sign(t, jwa.RS256(), keys.rsa, fields{"kid": "r", "typ": "JWT"}, claims),
		"ES256":          sign(t, jwa.ES256(), keys.ec, fields{"kid": "e", "typ": "at+jwt"}, claims),
		"EdDSA":          sign(t, jwa.EdDSA(), keys.ed, fields{"kid": "d", "typ": "application/at+JWT"}, claims),
		"without kid":    sign(t, jwa.ES256(), keys.ec, nil, claims),
		"several in aud": sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"exp": claims["exp"], "aud": []string{"mail", "chat-admin"}})),
	} {
		got, err := v.Verify(t.Context(), token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if n := p.times("/keys"); n != 1 {
		t.Errorf("the keys were asked for %d times, want once for all", n)
	}
}

// What anybody could send who has no key of the issuer, or a token for another
// use, is refused, and for its reason.
func TestAttacksAreRefused(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	p.publish(
		jwkOf(t, &keys.rsa.PublicKey, "r"), jwkOf(t, &keys.ec.PublicKey, "e"), jwkOf(t, keys.ed.Public(), "d"),
		jwkOf(t, &keys.otherRSA.PublicKey, "ps", "alg", "PS256"), jwkOf(t, &keys.otherEC.PublicKey, "enc", "use", "enc"),
		jwkOf(t, &keys.p384.PublicKey, "p384"), jwkOf(t, []byte("a secret of 32 bytes that is out"), "oct"),
	)
	good := p.claims(nil)
	der, err := x509.MarshalPKIXPublicKey(&keys.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jwkOf(t, &keys.rsa.PublicKey, "r"))
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte, kid string) string {
		signed := part(t, fields{"alg": "HS256", "kid": kid}) + "." + part(t, good)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	valid := sign(t, jwa.RS256(), keys.rsa, fields{"kid": "r"}, good)
	parts := strings.Split(valid, ".")
	other := strings.Split(sign(t, jwa.RS256(), keys.rsa, fields{"kid": "r"}, p.claims(fields{"sub": "u-2"})), ".")
	es := func(header fields, others fields) string {
		return sign(t, jwa.ES256(), keys.ec, header, p.claims(others))
	}
	now := time.Now().Unix()
	for name, test := range map[string]struct {
		token string
		want  Refusal
	}{
		"nothing":                       {"", Malformed},
		"no token":                      {"hello", Malformed},
		"two parts":                     {parts[0] + "." + parts[1], Malformed},
		"four parts":                    {valid + ".x", Malformed},
		"five parts, encrypted":         {part(t, fields{"alg": "dir", "enc": "A256GCM"}) + "..a.b.c", Malformed},
		"JSON serialization":            {`{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`, Malformed},
		"too long":                      {valid + strings.Repeat("A", maxToken), Malformed},
		"a header that is no object":    {part(t, "x") + "." + parts[1] + "." + parts[2], Malformed},
		"alg none":                      {part(t, fields{"alg": "none"}) + "." + parts[1] + ".", BadAlgorithm},
		"alg None":                      {part(t, fields{"alg": "None"}) + "." + parts[1] + "." + parts[2], Malformed},
		"no alg":                        {part(t, fields{"kid": "r"}) + "." + parts[1] + "." + parts[2], BadAlgorithm},
		"HS256 with the public key PEM": {hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "r"), BadAlgorithm},
		"HS256 with the public key DER": {hs256(der, "r"), BadAlgorithm},
		"HS256 with the public JWK":     {hs256(public, "r"), BadAlgorithm},
		"HS256 with a published secret": {hs256([]byte("a secret of 32 bytes that is out"), "oct"), BadAlgorithm},
		"RS512":                         {sign(t, jwa.RS512(), keys.rsa, fields{"kid": "r"}, good), BadAlgorithm},
		"PS256":                         {sign(t, jwa.PS256(), keys.rsa, fields{"kid": "r"}, good), BadAlgorithm},
		"ES384":                         {sign(t, jwa.ES384(), keys.p384, fields{"kid": "p384"}, good), BadAlgorithm},
		"a key of another algorithm":    {sign(t, jwa.RS256(), keys.otherRSA, fields{"kid": "ps"}, good), UnknownKey},
		"a key for encryption":          {sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "enc"}, good), UnknownKey},
		"RS256 and the kid of ES256":    {sign(t, jwa.RS256(), keys.rsa, fields{"kid": "e"}, good), UnknownKey},
		"a key that is not published":   {sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "mine"}, good), UnknownKey},
		"another key by a known kid":    {sign(t, jwa.ES256(), keys.otherEC, fields{"kid": "e"}, good), BadSignature},
		"another key without kid":       {sign(t, jwa.ES256(), keys.otherEC, nil, good), BadSignature},
		"a key that it brings along":    {sign(t, jwa.ES256(), keys.otherEC, fields{"jwk": jwkOf(t, &keys.otherEC.PublicKey, "")}, good), BadSignature},
		"an address of keys":            {sign(t, jwa.ES256(), keys.otherEC, fields{"jku": p.URL + "/theirs"}, good), BadSignature},
		"another's claims":              {parts[0] + "." + other[1] + "." + parts[2], BadSignature},
		"no signature":                  {parts[0] + "." + parts[1] + ".", Malformed},
		"a zero signature":              {part(t, fields{"alg": "ES256", "kid": "e"}) + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)), BadSignature},
		"an extension that is critical": {rawES256(t, fields{"alg": "ES256", "kid": "e", "crit": []string{"exp"}, "exp": 1}, good), Malformed},
		"a payload that is not encoded": {rawES256(t, fields{"alg": "ES256", "kid": "e", "b64": false}, good), Malformed},
		"a logout token":                {es(fields{"typ": "logout+jwt"}, nil), WrongType},
		"a DPoP proof":                  {es(fields{"typ": "dpop+jwt"}, nil), WrongType},
		"another issuer":                {es(nil, fields{"iss": "https://login.example"}), BadIssuer},
		"the issuer with a slash":       {es(nil, fields{"iss": p.URL + "/"}), BadIssuer},
		"no issuer":                     {es(nil, fields{"iss": nil}), BadIssuer},
		"issuers":                       {es(nil, fields{"iss": []string{p.URL}}), Malformed},
		"for another":                   {es(nil, fields{"aud": "mail"}), BadAudience},
		"for a part of the name":        {es(nil, fields{"aud": "cha"}), BadAudience},
		"for nobody":                    {es(nil, fields{"aud": nil}), BadAudience},
		"for an empty list":             {es(nil, fields{"aud": []string{}}), BadAudience},
		"expired":                       {es(nil, fields{"iat": now - 900, "exp": now - 31}), Expired},
		"no end":                        {es(nil, fields{"exp": nil}), BadClaim},
		"an end that is null":           {sign(t, jwa.ES256(), keys.ec, nil, `{"iss":"`+p.URL+`","aud":"chat","sub":"u","exp":null}`), Malformed},
		"an end that is no time":        {es(nil, fields{"exp": "soon"}), Malformed},
		"an end that is out of range":   {sign(t, jwa.ES256(), keys.ec, nil, `{"iss":"`+p.URL+`","aud":"chat","sub":"u","exp":1e400}`), Malformed},
		"an end in 100,000 years":       {es(nil, fields{"exp": int64(4e12)}), BadClaim},
		"not yet valid":                 {es(nil, fields{"nbf": now + 90}), NotYetValid},
		"issued in the future":          {es(nil, fields{"iat": now + 90}), NotYetValid},
		"no user":                       {es(nil, fields{"sub": nil}), BadClaim},
		"an empty user":                 {es(nil, fields{"sub": ""}), BadClaim},
		"a user with a line break":      {es(nil, fields{"sub": "a\nb"}), BadClaim},
		"a user of 129 characters":      {es(nil, fields{"sub": strings.Repeat("ü", 129)}), BadClaim},
		"a user that is a number":       {es(nil, fields{"sub": 7}), Malformed},
		"a name that is a list":         {es(nil, fields{"name": []string{"Ada"}}), BadClaim},
		"channels that are a text":      {es(nil, fields{"chat_channels": "private:*"}), BadClaim},
		"channels with a number":        {es(nil, fields{"chat_channels": []any{"a", 1}}), BadClaim},
		"an empty pattern":              {es(nil, fields{"chat_channels": []any{""}}), BadClaim},
		"moderates as a text":           {es(nil, fields{"chat_moderates": "true"}), BadClaim},
		"moderates an object":           {es(nil, fields{"chat_moderates": fields{"a": true}}), BadClaim},
		"claims that are a list":        {sign(t, jwa.ES256(), keys.ec, nil, `[]`), Malformed},
		"claims that are not JSON":      {sign(t, jwa.ES256(), keys.ec, nil, `{"iss":`), Malformed},
		"claims that are not UTF-8":     {sign(t, jwa.ES256(), keys.ec, nil, "{\"iss\":\""+p.URL+"\",\"aud\":\"chat\",\"sub\":\"u\xff\",\"exp\":9999999999}"), Malformed},
		"claims nested deeply":          {sign(t, jwa.ES256(), keys.ec, nil, `{"x":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`}`), BadIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := p.verifier()
			got, err := v.Verify(t.Context(), test.token)
			var refusal Refusal
			if !errors.As(err, &refusal) || refusal != test.want {
				t.Errorf("%+v, %v, want %v", got, err, test.want)
			}
			if diff := cmp.Diff(chat.Identity{}, got); diff != "" {
				t.Errorf("a refused token tells %s", diff)
			}
		})
	}
}

// rawES256 signs a header that no library would.
func rawES256(t *testing.T, header, claims fields) string {
	t.Helper()
	signed := part(t, header) + "." + part(t, claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := keysOf().ec.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// The issuer's clock may be half a minute from ours, and no more.
func TestClocksMayDiffer(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	now := time.Now()
	token := sign(t, jwa.EdDSA(), keys.ed, fields{"kid": "d"}, p.claims(fields{"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Unix() + 60}))
	for _, test := range []struct {
		after time.Duration
		want  error
	}{{-31 * time.Second, NotYetValid}, {-29 * time.Second, nil}, {89 * time.Second, nil}, {91 * time.Second, Expired}} {
		v := p.verifier()
		v.now = func() time.Time { return now.Add(test.after) }
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, test.want) {
			t.Errorf("after %v: %v, want %v", test.after, err, test.want)
		}
	}
}

// Issuers name their claims as they like.
func TestClaimsHaveTheNamesOfTheSettings(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	v := p.verifier()
	v.settings.Claims = issuer.Claims{User: "email", Name: "cognito:username", Channels: "https://chat.example/in", Moderates: "admin"}
	claims := p.claims(fields{"email": "ada@example.com", "cognito:username": "ada", "https://chat.example/in": []string{"private:*"}, "admin": true, "sub": nil})
	got, err := v.Verify(t.Context(), sign(t, jwa.ES256(), keys.ec, nil, claims))
	want := chat.Identity{
		User: "ada@example.com", Name: "ada", Channels: []string{"private:*"}, Moderates: []string{"*"},
		ExpiresAt: time.Unix(claims["exp"].(int64), 0).UTC(),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, others := range map[string]fields{
		"false":  {"email": "ada", "admin": false, "https://chat.example/in": nil},
		"null":   {"email": "ada", "cognito:username": json.RawMessage("null"), "admin": json.RawMessage("null")},
		"absent": {"email": "ada"},
	} {
		got, err := v.Verify(t.Context(), sign(t, jwa.ES256(), keys.ec, nil, p.claims(others)))
		if err != nil || got.User != "ada" || got.Name != "" || got.Channels != nil || got.Moderates != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Nothing of a token is in an error or in the log, whatever is wrong with it.
func TestNothingOfATokenIsTold(t *testing.T) {
	t.Parallel()
	p, keys := startProvider(t), keysOf()
	const secret = "zanzibar"
	for _, token := range []string{
		secret, secret + "." + secret + "." + secret,
		sign(t, jwa.ES256(), keys.otherEC, fields{"kid": secret}, p.claims(nil)),
		sign(t, jwa.ES256(), keys.ec, fields{"typ": secret}, p.claims(nil)),
		sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"iss": secret})),
		sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"aud": secret})),
		sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"exp": secret})),
		sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"sub": secret + "\n"})),
		sign(t, jwa.ES256(), keys.ec, nil, p.claims(fields{"chat_channels": secret})),
		sign(t, jwa.ES256(), keys.ec, nil, `{"`+secret),
	} {
		v := p.verifier()
		_, err := v.Verify(t.Context(), token)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), token) {
			t.Errorf("error %v", err)
		}
		p.set(func() { p.status = 500 })
		v = p.verifier()
		if _, err = v.Verify(t.Context(), token); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
		p.set(func() { p.status = 200 })
	}
	if strings.Contains(p.logs.String(), secret) {
		t.Errorf("in the log: %s", p.logs)
	}
}

// Whatever comes as a token or as its claims, the verifier answers.
func FuzzVerify(f *testing.F) {
	p, keys := startProvider(f), keysOf()
	v := p.verifier()
	valid := sign(f, jwa.ES256(), keys.ec, nil, p.claims(nil))
	claims, err := json.Marshal(p.claims(nil))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		valid, "", "..", "a.b.c", strings.Repeat(".", 100), "\xff.\xff.\xff", valid[:len(valid)-1],
		string(claims), `{}`, `null`, `[]`, `{"exp":-1}`, `{"exp":1e999}`, `{"aud":{}}`, `{"iss":"\ud800"}`, strings.Repeat("[", 9000),
		strings.Replace(string(claims), `"u-1"`, `"\ud800"`, 1), strings.Replace(string(claims), `["support-*"]`, `{"a":[true]}`, 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if identity, err := v.Verify(t.Context(), text); err == nil && identity.User != "u-1" {
			t.Errorf("%q is taken for %+v", text, identity)
		}
		identity, err := v.Verify(t.Context(), sign(t, jwa.ES256(), keys.ec, nil, text))
		var refusal Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Errorf("claims %q: %v", text, err)
		}
		if err == nil {
			if chat.CheckUser(identity.User) != nil || identity.ExpiresAt.Before(time.Now().Add(-skew)) {
				t.Errorf("claims %q are taken for %+v", text, identity)
			}
			if _, err := chat.ParseIdentity(identity.AuthorizerContext()); err != nil {
				t.Errorf("claims %q: the chat does not take %+v: %v", text, identity, err)
			}
		}
	})
}
