// Package issuer says whose tokens a stage takes, in the words that the
// deployment and the authorizer's function share.
package issuer

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Settings are an issuer of tokens and what its tokens must say. They are the
// authorizer's environment variable JWT.
type Settings struct {
	// URL is the issuer, exactly as its tokens name it in iss.
	URL string `json:"issuer"`
	// Audience is whom tokens may be for: one of it must be in aud.
	Audience []string `json:"audience"`
	// JWKSURL is where the issuer's keys are. Empty means where its
	// /.well-known/openid-configuration says.
	JWKSURL string `json:"jwksUrl,omitempty"`
	// Claims say what is where in a token.
	Claims Claims `json:"claims"`
}

// Claims are the names of the claims that tell who somebody is.
type Claims struct {
	// User is the claim with the user's id. Empty means sub.
	User string `json:"user,omitempty"`
	// Name is the claim with the name that others see. Empty means name.
	Name string `json:"name,omitempty"`
	// Channels is the claim with the list of grants for channels that need one.
	// Empty means chat_channels.
	Channels string `json:"channels,omitempty"`
	// Moderates is the claim with the list of channels that the user moderates,
	// or true for everything. Empty means chat_moderates.
	Moderates string `json:"moderates,omitempty"`
}

// WithDefaults returns the names with every empty one replaced by its default.
func (c Claims) WithDefaults() Claims {
	for name, otherwise := range map[*string]string{
		&c.User: "sub", &c.Name: "name", &c.Channels: "chat_channels", &c.Moderates: "chat_moderates",
	} {
		if *name == "" {
			*name = otherwise
		}
	}
	return c
}

// IsSecure reports whether text is a URL from which keys may be had: https, or
// http on this very machine, without user, query or fragment.
func IsSecure(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && IsLoopback(text)
}

// IsLoopback reports whether a URL is of this very machine.
func IsLoopback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// Check reports settings with which nobody could be told from anybody else.
func (s Settings) Check() error {
	switch {
	case !IsSecure(s.URL):
		return fmt.Errorf("the issuer %q is no https URL", s.URL)
	case s.JWKSURL != "" && !IsSecure(s.JWKSURL):
		return fmt.Errorf("the address %q of the issuer's keys is no https URL", s.JWKSURL)
	case len(s.Audience) == 0 || slices.Contains(s.Audience, ""):
		return errors.New("whom tokens must be for, the audience, is empty")
	}
	return nil
}
