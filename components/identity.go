package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
	"example.com/chatstack/internal/issuer"
	"example.com/chatstack/internal/lambdaenv"
)

// An IdentityMode is how a stage knows who somebody is.
type IdentityMode string

const (
	// Anonymous lets everybody connect, and knows nobody.
	Anonymous IdentityMode = "anonymous"
	// JWT lets those connect who have a token of an OpenID Connect issuer.
	JWT IdentityMode = "jwt"
	// Custom has a function of the program's own decide.
	Custom IdentityMode = "custom"
)

// IdentityArgs say who may connect and how the chat knows who that is. The zero
// value lets everybody connect and knows nobody.
type IdentityArgs struct {
	// Mode is Anonymous, which empty means, JWT or Custom.
	Mode IdentityMode `json:"mode"`

	// Issuer is, with JWT, who signs the tokens: its https URL exactly as tokens
	// name it in iss. http is for an issuer on this very machine.
	Issuer string `json:"issuer"`
	// Audience is, with JWT, whom tokens may be for: aud must have one of it. At
	// least one; it is what keeps out the tokens for the issuer's other services.
	Audience []string `json:"audience"`
	// JWKSURL is, with JWT, where the issuer's keys are. Empty means where its
	// /.well-known/openid-configuration says.
	JWKSURL string `json:"jwksUrl"`
	// Claims say, with JWT, what is where in a token.
	Claims ClaimNames `json:"claims"`

	// Function is, with Custom, the authorizer. Its zero values are those of the
	// stack. It gets API Gateway's event for a "Lambda authorizer" of type REQUEST
	// and lets a client connect by a policy that allows execute-api:Invoke on the
	// event's methodArn; the error "Unauthorized" refuses it with 401, a policy that
	// denies with 403. Its result has at most 8 KB.
	//
	// It needs to give no more than principalId, the user: 1 to 128 characters
	// without control characters, the same at each connect. What it may tell
	// besides is in the context, as texts: user (in place of principalId), name,
	// channels and moderates (JSON arrays: ["private:team-*","private:news=read"]),
	// expiresAt (seconds since 1970), at which the connection ends. A Go function
	// makes it with chat.Identity.AuthorizerContext. It must never log the token.
	Function GoFunctionArgs `json:"-"`
	// IdentitySources are, with Custom, what a request must have, else it gets 401
	// without the function being asked; see [AuthorizerArgs]. Default: none.
	IdentitySources []string `json:"identitySources"`
}

// ClaimNames are the names of the claims in a token.
type ClaimNames struct {
	// User is the claim with the user's id: 1 to 128 characters. Empty means sub.
	User string `json:"user"`
	// Name is the claim with the name that others see. Empty means name.
	Name string `json:"name"`
	// Channels is the claim with the list of grants for private channels, as
	// private:team-* or private:news=read. Empty means chat_channels.
	Channels string `json:"channels"`
	// Moderates is the claim with the list of channels that the user moderates, *
	// standing for any characters, or true for everything. Empty means
	// chat_moderates.
	Moderates string `json:"moderates"`
}

// mode is the mode, and never empty.
func (a IdentityArgs) mode() IdentityMode {
	if a.Mode == "" {
		return Anonymous
	}
	return a.Mode
}

// jwtJSON is what the authorizer reads as JWT.
func (a IdentityArgs) jwtJSON() string {
	text, _ := json.Marshal(issuer.Settings{ // texts cannot fail
		URL: a.Issuer, Audience: a.Audience, JWKSURL: a.JWKSURL, Claims: issuer.Claims(a.Claims).WithDefaults(),
	})
	return string(text)
}

// isOnThisMachine reports whether the issuer is one of a laptop.
func (a IdentityArgs) isOnThisMachine() bool { return issuer.IsLoopback(a.Issuer) }

func (a ChatStackArgs) validateIdentity() error {
	i := a.Identity
	var mistakes []error
	bad := func(argument string, value any, allowed string) {
		mistakes = append(mistakes, badArgument("Identity."+argument, value, allowed))
	}
	switch i.mode() {
	case Anonymous, Custom:
		if i.Issuer != "" || i.Audience != nil || i.JWKSURL != "" || i.Claims != (ClaimNames{}) {
			bad("Mode", string(i.Mode), `"jwt" where Issuer, Audience, JWKSURL or Claims are set`)
		}
	case JWT:
		if !issuer.IsSecure(i.Issuer) {
			bad("Issuer", i.Issuer, "the https URL of who signs the tokens, as they name it in iss; "+
				"only on a stage of the chatstack command it may be left out, which has an issuer of its own")
		}
		if i.JWKSURL != "" && !issuer.IsSecure(i.JWKSURL) {
			bad("JWKSURL", i.JWKSURL, "an https URL, or nothing to find the keys by the issuer's /.well-known/openid-configuration")
		}
		if len(i.Audience) == 0 || slices.Contains(i.Audience, "") {
			bad("Audience", i.Audience, "one or more of what tokens have in aud when they are for this chat, none of them empty")
		}
		if n := lambdaenv.Size(map[string]string{"JWT": i.jwtJSON()}); n > lambdaenv.MaxSize {
			bad("Audience", measure(fmt.Sprintf("%d bytes long with the other settings", n)), "what fits into a function's environment of 4096 bytes")
		}
	default:
		bad("Mode", string(i.Mode), `"anonymous", "jwt" or "custom"`)
	}
	if i.mode() == Custom {
		f := a.completed(i.Function)
		err := f.validate()
		if err == nil {
			err = validateTimeout("Timeout", f.Timeout, maxIntegrationTimeout)
		}
		mistakes = append(mistakes, nested("Identity.Function", err), nested("Identity", validateIdentitySources(i.IdentitySources)))
	} else if i.Function.Package != "" || i.IdentitySources != nil {
		bad("Mode", string(i.Mode), `"custom" where Function or IdentitySources are set`)
	}
	return errors.Join(append(mistakes, a.validateOrigins())...)
}

// origin is the form in which a browser sends one.
var origin = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$`)

func (a ChatStackArgs) validateOrigins() error {
	var mistakes []error
	for i, text := range a.AllowedOrigins {
		u, err := url.Parse(text)
		defaultPort := err == nil && (u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80")
		if err != nil || !origin.MatchString(text) || defaultPort {
			mistakes = append(mistakes, badArgument(fmt.Sprintf("AllowedOrigins[%d]", i), text,
				"an origin as browsers send it: https://chat.example.com or http://localhost:8080, without a path, a wildcard or the scheme's own port"))
		}
	}
	return errors.Join(mistakes...)
}

// originsJSON is what the connection function reads as ALLOWED_ORIGINS.
func (a ChatStackArgs) originsJSON() string {
	if len(a.AllowedOrigins) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(a.AllowedOrigins) // a slice of strings cannot fail
	return string(text)
}

// authorizerArgs are the settings of the function that decides who may connect;
// false if everybody may.
func (a ChatStackArgs) authorizerArgs() (GoFunctionArgs, bool) {
	switch a.Identity.mode() {
	case JWT:
		f := a.functionArgs(chatPackage("authorizer"))
		f.Environment = pulumi.StringMap{"JWT": pulumi.String(a.Identity.jwtJSON())}
		return f.withDefaults(), true
	case Custom:
		return a.completed(a.Identity.Function), true
	}
	return GoFunctionArgs{}, false
}

// declareAuthorizer declares the function that decides who may connect, and
// returns it as the $connect route takes it; nil if everybody may connect.
func (s *ChatStack) declareAuthorizer(ctx *pulumi.Context, args ChatStackArgs, artifacts map[string]gobuild.Artifact) (*AuthorizerArgs, error) {
	settings, ok := args.authorizerArgs()
	if !ok {
		return nil, nil
	}
	name := s.functionName("authorizer")
	function, err := newGoFunction(ctx, name, settings, artifacts[name], pulumi.Parent(s))
	if err != nil {
		return nil, err
	}
	s.Functions["authorizer"] = function
	sources := args.Identity.IdentitySources
	if args.Identity.mode() == JWT {
		sources = []string{"route.request.header.Sec-WebSocket-Protocol"}
	}
	return &AuthorizerArgs{Function: function, IdentitySources: sources}, nil
}

// warnOfOrigins tells who deploys that any page may connect with the token of
// somebody who is signed in. A laptop's stage has no such pages.
func (s *ChatStack) warnOfOrigins(ctx *pulumi.Context, args ChatStackArgs) error {
	if args.Identity.mode() == Anonymous || len(args.AllowedOrigins) > 0 || args.Identity.isOnThisMachine() {
		return nil
	}
	return ctx.Log.Warn("any web page may connect to this chat: set AllowedOrigins (chatstack:allowedOrigins) to the origins of your pages, "+
		`as ["https://chat.example.com"]`, &pulumi.LogArgs{Resource: s})
}
