package gateway

import "unicode/utf8"

// A text is a message while it comes in. Text that is not UTF-8 is noticed with
// the first byte that cannot be, however much of the message is still to come.
type text struct {
	bytes   []byte
	checked int // how many of them are whole characters
}

// check looks at what was appended, and reports false if it cannot be UTF-8.
func (t *text) check() bool {
	fresh := t.bytes[t.checked:]
	whole := len(fresh) - unfinished(fresh)
	t.checked += whole
	return utf8.Valid(fresh[:whole])
}

// complete reports whether the text ends with a whole character.
func (t *text) complete() bool { return t.checked == len(t.bytes) }

// unfinished is how many bytes at the end of p begin a character and do not
// finish it.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
