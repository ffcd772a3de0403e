package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckChannelID returns an [Error] with CodeInvalidChannel unless id has the
// form of a channel's name: 1 to MaxChannelID characters, each a letter, mark
// or digit of any script, a space, or one of . _ : @ / # -, with no space at
// either end; with CodeForbidden if it begins with DirectPrefix. Names are
// compared code point by code point.
func CheckChannelID(id string) error {
	const form = "use 1 to 128 letters, digits, spaces or . _ : @ / # -"
	switch {
	case id == "":
		return fail(CodeInvalidChannel, "channelId is empty: %s", form)
	case !utf8.ValidString(id):
		return fail(CodeInvalidChannel, "channelId is not valid UTF-8: %s", form)
	case utf8.RuneCountInString(id) > MaxChannelID:
		return fail(CodeInvalidChannel, "channelId is longer than 128 characters: %s", form)
	case id[0] == ' ' || id[len(id)-1] == ' ':
		return fail(CodeInvalidChannel, "channelId begins or ends with a space: %s", form)
	}
	if isDirect(id) {
		return fail(CodeForbidden, "channelId begins with %s, which is for the conversations of two users: name the user instead, or use another name", DirectPrefix)
	}
	for _, r := range id {
		if !isWord(r) && !strings.ContainsRune(" ._:@/#-", r) {
			return fail(CodeInvalidChannel, "channelId has the character %q: %s", r, form)
		}
	}
	return nil
}

// CleanName gives name as others will see it: letters (with their marks) and
// digits of every script, hyphens, and single spaces between words; every other
// character is stripped. It returns an [Error] with CodeInvalidName if nothing
// or more than MaxName characters are left.
func CleanName(name string) (string, error) { return cleanName(name, MaxName) }

// cleanName is CleanName for names of at most most characters.
func cleanName(name string, most int) (string, error) {
	var b strings.Builder
	space := false
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
		case isWord(r) || r == '-':
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(r)
		}
	}
	switch n := utf8.RuneCountInString(b.String()); {
	case n == 0:
		return "", fail(CodeInvalidName, "name has no letter, digit or hyphen in it: use 1 to %d letters, digits, spaces or hyphens", most)
	case n > most:
		return "", fail(CodeInvalidName, "name is %d characters long: use at most %d", n, most)
	}
	return b.String(), nil
}

// isWord reports whether r is a letter, a mark or a decimal digit of any script.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

// cleanContent gives content of at most most bytes as others will see it, by
// sanitize.
func cleanContent(content string, most int, sanitize func(string) string) (string, error) {
	if len(content) > most {
		return "", fail(CodeContentTooLong, "content is %d bytes of UTF-8 long: send at most %d", len(content), most)
	}
	clean := sanitize(content)
	if !hasText(clean) {
		return "", fail(CodeContentEmpty, "content has no text in it, apart from tags that are not allowed: send some text")
	}
	return clean, nil
}

// hasText reports whether markup shows anything. In sanitised markup every "<"
// begins a tag, for in text it is escaped.
func hasText(markup string) bool {
	for markup != "" {
		text, rest, _ := strings.Cut(markup, "<")
		if strings.TrimSpace(text) != "" {
			return true
		}
		_, markup, _ = strings.Cut(rest, ">")
	}
	return false
}
