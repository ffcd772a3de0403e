// Package env reads what a function is told by its environment.
package env

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// A Reader reads variables and remembers what was wrong with them, so that a
// function says all of it at once.
type Reader struct {
	lookup func(string) (string, bool)
	errs   []error
}

// NewReader makes a reader of the environment that lookup gives, which is
// os.LookupEnv but for tests.
func NewReader(lookup func(string) (string, bool)) *Reader {
	return &Reader{lookup: lookup}
}

// String gives a variable that must be there and not be empty.
func (r *Reader) String(name string) string {
	value, ok := r.lookup(name)
	if !ok || value == "" {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s is not set", name))
	}
	return value
}

// URL gives a variable that must hold an absolute http or https URL.
func (r *Reader) URL(name string) string {
	value := r.String(name)
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s is %q, which is no http or https URL", name, value))
	}
	return value
}

// Duration gives a variable that must hold a duration of zero or more in Go's
// form, such as 720h0m0s.
func (r *Reader) Duration(name string) time.Duration {
	value := r.String(name)
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s is %q, which is no duration such as 720h or 0s", name, value))
	}
	return d
}

// Strings gives a variable that must hold a JSON array of strings.
func (r *Reader) Strings(name string) []string {
	value := r.String(name)
	if value == "" {
		return nil
	}
	var list []string
	if err := json.Unmarshal([]byte(value), &list); err != nil {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s is %q, which is no JSON array of strings: %w", name, value, err))
	}
	return list
}

// JSON reads a variable that must hold JSON of the type that into points to,
// without fields that it does not have.
func (r *Reader) JSON(name string, into any) {
	value := r.String(name)
	if value == "" {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s is %q, which is no JSON of a %T: %w", name, value, into, err))
	}
}

// Refuse remembers what else is wrong with a variable; nil is nothing.
func (r *Reader) Refuse(name string, err error) {
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("environment variable %s: %w", name, err))
	}
}

// Err gives everything that was wrong, nil if nothing was.
func (r *Reader) Err() error { return errors.Join(r.errs...) }
