package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxUser is the longest id of a user, in characters.
const MaxUser = 128

// An Identity is who a connection is of, as the stage's authorizer says. The
// zero value is of nobody: the connection is anonymous.
type Identity struct {
	// User tells people apart, whatever they are called.
	User string
	// Name is what others see.
	Name string
	// Channels are grants for channels that need one: a channel's name, in which
	// * stands for any characters, and after it =read or =write if it is not for
	// both.
	Channels []string
	// Moderates are the channels that the user moderates, with * as above.
	Moderates []string
	// ExpiresAt is when the connection ends, zero for no sooner than any other.
	ExpiresAt time.Time
}

// A Caller is a connection and who it is of.
type Caller struct {
	ConnectionID string
	Identity
}

// IsAnonymous reports whether nobody is known.
func (i Identity) IsAnonymous() bool { return i.User == "" }

// IsModerator reports whether the user moderates a channel, or everything if
// that is "". Nobody moderates direct messages.
func (i Identity) IsModerator(channelID string) bool {
	return !isDirect(channelID) && slices.ContainsFunc(i.Moderates, func(pattern string) bool {
		return pattern == "*" || channelID != "" && matches(pattern, channelID)
	})
}

// The names of an authorizer's context, which are in requestContext.authorizer
// of every event of the connection.
const (
	contextPrincipal = "principalId"
	contextUser      = "user"
	contextName      = "name"
	contextChannels  = "channels"
	contextModerates = "moderates"
	contextExpiresAt = "expiresAt"
)

// AuthorizerContext gives the identity as the context that an authorizer
// returns. API Gateway takes texts, numbers and booleans there, no lists.
func (i Identity) AuthorizerContext() map[string]any {
	values := map[string]any{contextUser: i.User, contextName: i.Name}
	for name, list := range map[string][]string{contextChannels: i.Channels, contextModerates: i.Moderates} {
		if len(list) > 0 {
			text, _ := json.Marshal(list) // a slice of strings cannot fail
			values[name] = string(text)
		}
	}
	if !i.ExpiresAt.IsZero() {
		values[contextExpiresAt] = strconv.FormatInt(i.ExpiresAt.Unix(), 10)
	}
	return values
}

// ParseIdentity reads what an authorizer's context says, or principalId alone.
// The name is cleaned and cut to MaxName characters; without one, it is the
// user's id. No context is the zero Identity; one that cannot be read is an
// error.
func ParseIdentity(values map[string]any) (Identity, error) {
	var i Identity
	if i.User = textIn(values, contextUser); i.User == "" {
		i.User = textIn(values, contextPrincipal)
	}
	if i.User == "" {
		return i, nil
	}
	if err := CheckUser(i.User); err != nil {
		return Identity{}, err
	}
	i.Name = displayName(textIn(values, contextName), i.User)
	for name, list := range map[string]*[]string{contextChannels: &i.Channels, contextModerates: &i.Moderates} {
		if text := textIn(values, name); text != "" {
			if err := json.Unmarshal([]byte(text), list); err != nil {
				return Identity{}, fmt.Errorf("the authorizer's %s is no JSON array of strings", name)
			}
		}
	}
	if text := textIn(values, contextExpiresAt); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= 1e11) { // nor NaN
			return Identity{}, fmt.Errorf("the authorizer's %s is no time in seconds since 1970", contextExpiresAt)
		}
		i.ExpiresAt = time.Unix(int64(seconds), 0)
	}
	return i, nil
}

// textIn gives a value of a context, whatever API Gateway made of its type.
func textIn(values map[string]any, name string) string {
	switch v := values[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// CheckUser returns an [Error] with CodeInvalidUser unless user has the form of
// a user's id: 1 to MaxUser characters, none of them a control character.
func CheckUser(user string) error {
	switch n := utf8.RuneCountInString(user); {
	case n == 0:
		return fail(CodeInvalidUser, "user is empty: send the id of a user")
	case !utf8.ValidString(user):
		return fail(CodeInvalidUser, "user is not valid UTF-8: send the id of a user")
	case n > MaxUser:
		return fail(CodeInvalidUser, "user is %d characters long: an id has at most %d", n, MaxUser)
	case strings.ContainsFunc(user, unicode.IsControl):
		return fail(CodeInvalidUser, "user has a control character in it: send the id of a user")
	}
	return nil
}

// displayName gives the first of the texts that makes a name, cut to MaxName
// characters. Others than letters, digits and hyphens are lost as in any name.
func displayName(texts ...string) string {
	for _, text := range texts {
		if clean, err := cleanName(text, len(text)); err == nil {
			return cut(clean, MaxName)
		}
	}
	return "somebody"
}

// cut gives a clean name of at most most characters.
func cut(name string, most int) string {
	runes := []rune(name)
	return strings.TrimSpace(string(runes[:min(len(runes), most)]))
}

// matches reports whether text is as pattern has it, where * stands for any
// characters.
func matches(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, head)
	if !ok || !wild {
		return ok && text == ""
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
		if !ok {
			return false
		}
		rest = after
	}
}
