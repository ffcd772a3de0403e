package iam

import (
	"strings"
	"unicode/utf8"
)

// Match reports whether text matches pattern, in which "*" stands for any
// characters and "?" for exactly one.
func Match(pattern, text string) bool {
	p, t := 0, 0
	star, resume := -1, 0 // the last "*", and from where in text it may take more
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, size := utf8.DecodeRuneInString(text[t:])
			p, t = p+1, t+size
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			_, size := utf8.DecodeRuneInString(text[resume:])
			resume += size
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// arnSegments is how many parts of an ARN the colons separate. The last may
// hold colons of its own.
const arnSegments = 6

// MatchARN reports whether an ARN matches a pattern, as the condition ArnLike and
// the Resource of a statement compare them: segment by segment, with "*" for any
// characters and "?" for one. The pattern "*" matches whatever there is, also what
// is no ARN.
func MatchARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	for segment := 1; segment < arnSegments; segment++ {
		want, patterns, more := strings.Cut(pattern, ":")
		got, rest, isARN := strings.Cut(arn, ":")
		if !more || !isARN || !Match(want, got) {
			return false
		}
		pattern, arn = patterns, rest
	}
	return Match(pattern, arn)
}
