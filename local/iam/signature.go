package iam

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	algorithm4A = "AWS4-ECDSA-P256-SHA256"
	terminator  = "aws4_request"
	timeFormat  = "20060102T150405Z"
	dateFormat  = "20060102"
)

// maxSkew is how far the time of a request may be off.
const maxSkew = 5 * time.Minute

// Authenticate returns who signed a request to a service ("dynamodb", which
// streams are signed for too, or "execute-api"). body is what the request
// carries; r.Body is not read. The error is a *[SignatureError].
func (a *Authority) Authenticate(r *http.Request, body []byte, service string) (Principal, error) {
	principal, err := a.authenticate(r, body, service)
	if err != nil {
		err.Status = refusalStatus(service)
		return Principal{}, err
	}
	return principal, nil
}

func (a *Authority) authenticate(r *http.Request, body []byte, service string) (Principal, *SignatureError) {
	s, signedAt, err := readSignature(r, service)
	if err != nil {
		return Principal{}, err
	}
	a.mu.RLock()
	principal, known := a.principals[s.accessKeyID]
	region := a.region
	a.mu.RUnlock()
	if !known || !hmac.Equal([]byte(principal.SessionToken), []byte(r.Header.Get("X-Amz-Security-Token"))) {
		return principal, unsigned("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	stamp := signedAt.Format(timeFormat)
	if err := s.checkScope(service, region, stamp); err != nil {
		return principal, err
	}
	if err := checkAge(signedAt, stamp); err != nil {
		return principal, err
	}
	if !hmac.Equal([]byte(s.sign(r, body, principal.SecretAccessKey, stamp)), []byte(s.signature)) {
		return principal, invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return principal, nil
}

// readSignature returns what a request says of who signed it and when, in UTC.
func readSignature(r *http.Request, service string) (authorization, time.Time, *SignatureError) {
	fail := func(code, format string, args ...any) (authorization, time.Time, *SignatureError) {
		return authorization{}, time.Time{}, unsigned(code, format, args...)
	}
	const incomplete = "IncompleteSignatureException"
	if r.URL.RawQuery != "" {
		query := r.URL.Query()
		if query.Has("X-Amz-Signature") || query.Has("X-Amz-Algorithm") {
			return fail(incomplete, "The local cloud does not run presigned URLs: sign the request with an Authorization header.")
		}
	}
	header := r.Header.Get("Authorization")
	switch {
	case header == "" && service == "dynamodb":
		return fail("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	case header == "":
		return fail("MissingAuthenticationTokenException", "Missing Authentication Token")
	case strings.HasPrefix(header, algorithm4A):
		return fail(incomplete, "The local cloud does not run signature version 4A (%s): sign the request with %s.", algorithm4A, algorithm)
	}
	s, missing := parseAuthorization(header)
	signedAt, dated := requestTime(r.Header)
	if !dated {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) > 0 {
		// AWS repeats the header after this. Signatures must not reach logs.
		return fail(incomplete, "%s", strings.Join(missing, " "))
	}
	return s, signedAt.UTC(), nil
}

// checkScope refuses a signature for another service, Region or day.
func (s authorization) checkScope(service, region, stamp string) *SignatureError {
	day := stamp[:len(dateFormat)]
	switch {
	case s.terminator != terminator:
		return invalid("Credential should be scoped with a valid terminator: '%s'. ", terminator)
	case s.service != service:
		return invalid("Credential should be scoped to correct service: '%s'. ", service)
	case region != "" && s.region != region:
		return invalid("Credential should be scoped to a valid region, not '%s'. ", s.region)
	case s.date != day:
		return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", s.date, day, stamp)
	case !slices.Contains(s.signedHeaders, "host"):
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header.")
	}
	return nil
}

// checkAge refuses a signature that is too old, or of a time to come.
func checkAge(signedAt time.Time, stamp string) *SignatureError {
	now := time.Now().UTC()
	earliest, latest := now.Add(-maxSkew), now.Add(maxSkew)
	const minutes = int(maxSkew / time.Minute)
	switch {
	case signedAt.Before(earliest.Truncate(time.Second)):
		return invalid("Signature expired: %s is now earlier than %s (%s - %d min.)", stamp, earliest.Format(timeFormat), now.Format(timeFormat), minutes)
	case signedAt.After(latest):
		return invalid("Signature not yet current: %s is still later than %s (%s + %d min.)", stamp, latest.Format(timeFormat), now.Format(timeFormat), minutes)
	}
	return nil
}

func invalid(format string, args ...any) *SignatureError {
	return unsigned("InvalidSignatureException", format, args...)
}

func unsigned(code, format string, args ...any) *SignatureError {
	return &SignatureError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// An authorization is what the Authorization header says.
type authorization struct {
	accessKeyID, date, region, service, terminator string

	signedHeaders []string // in lower case
	signature     string   // hex
}

// parseAuthorization takes the header apart:
//
//	AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX
//
// missing says what it lacks.
func parseAuthorization(header string) (s authorization, missing []string) {
	scheme, fields, _ := strings.Cut(strings.TrimSpace(header), " ")
	if scheme != algorithm {
		return s, []string{"Unsupported AWS 'algorithm': '" + scheme + "'."}
	}
	values := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		values[name] = value
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if values[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if len(missing) > 0 {
		return s, missing
	}
	// An access key may hold slashes; the scope has four parts.
	scope := strings.Split(values["Credential"], "/")
	last := len(scope) - 4
	if last < 1 {
		return s, []string{"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + values["Credential"] + "'."}
	}
	s = authorization{
		accessKeyID: strings.Join(scope[:last], "/"),
		date:        scope[last], region: scope[last+1], service: scope[last+2], terminator: scope[last+3],
		signature: values["Signature"],
	}
	s.signedHeaders = strings.Split(strings.ToLower(values["SignedHeaders"]), ";")
	return s, nil
}

// requestTime is when the request says that it was signed.
func requestTime(header http.Header) (time.Time, bool) {
	text := header.Get("X-Amz-Date")
	if text == "" {
		text = header.Get("Date")
	}
	for _, format := range []string{timeFormat, http.TimeFormat} {
		if t, err := time.Parse(format, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
