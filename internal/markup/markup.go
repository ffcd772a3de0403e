// Package markup makes the content of messages safe to show as HTML. It lets
// through the elements that the chat has always allowed and nothing else.
package markup

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// A Sanitizer cleans content. It may be used by several goroutines at once.
type Sanitizer struct{ policy *bluemonday.Policy }

// NewSanitizer makes a sanitizer that keeps the elements ul, ol, li, b, strong,
// i, em, strike and pre, without attributes.
func NewSanitizer() *Sanitizer {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("ul", "ol", "li", "b", "strong", "i", "em", "strike", "pre")
	return &Sanitizer{policy: policy}
}

// Sanitize gives content as HTML that is safe inside an element's content:
//
//   - an allowed element stays, its attributes go;
//   - any other tag goes and its text stays, but for the elements whose text is
//     no text to read, such as script and style: they go whole;
//   - in text, & < > " ' become &amp; &lt; &gt; &#34; &#39;, and a character
//     reference stays the character that it stands for.
//
// Tags are not balanced: what is shown must be parsed on its own, as innerHTML
// and DOMParser do. Sanitize(Sanitize(x)) is Sanitize(x).
func (s *Sanitizer) Sanitize(content string) string {
	return selfClosed.ReplaceAllString(s.policy.Sanitize(content), "")
}

// selfClosed matches tags such as <b/>, which the policy lets through as they
// are: nothing is in them.
var selfClosed = regexp.MustCompile(`<[a-z]+/>`)
