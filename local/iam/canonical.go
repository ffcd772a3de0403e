package iam

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// sign returns the signature that the request should have.
func (s authorization) sign(r *http.Request, body []byte, secret, stamp string) string {
	canonical := sha256.Sum256([]byte(s.canonicalRequest(r, body)))
	toSign := algorithm + "\n" + stamp + "\n" +
		s.date + "/" + s.region + "/" + s.service + "/" + s.terminator + "\n" +
		hex.EncodeToString(canonical[:])
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, s.terminator, toSign} {
		sum := hmac.New(sha256.New, key)
		sum.Write([]byte(part))
		key = sum.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// canonicalRequest writes a request in the one form that is signed.
func (s authorization) canonicalRequest(r *http.Request, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL) + "\n" + canonicalQuery(r.URL) + "\n")
	for _, name := range s.signedHeaders {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	payload := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(s.signedHeaders, ";") + "\n" + hex.EncodeToString(payload[:]))
	return b.String()
}

// canonicalPath escapes the path as it was sent once more, as for every service
// but S3.
func canonicalPath(u *url.URL) string {
	sent := u.EscapedPath()
	if sent == "" {
		return "/"
	}
	return escape(sent, "/")
}

// canonicalQuery sorts the parameters by name and value.
func canonicalQuery(u *url.URL) string {
	if u.RawQuery == "" {
		return ""
	}
	var pairs [][2]string
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, [2]string{escape(name, ""), escape(value, "")})
		}
	}
	slices.SortFunc(pairs, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	var b strings.Builder
	for i, pair := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair[0] + "=" + pair[1])
	}
	return b.String()
}

func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.FieldsFunc(value, func(char rune) bool { return char == ' ' }), " ")
	}
	return strings.Join(trimmed, ",")
}

// escape writes all but letters, digits, "-", "_", ".", "~" and what also lists
// as %XX.
func escape(text, also string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(text))
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, strings.IndexByte(also, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}
