package chattable

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// GetRules gives what holds for a user, who may be "", in a channel, or
// everywhere for the channel "", by one read of at most seven small items, of which
// grants are read for private channels alone.
func (t *Table) GetRules(ctx context.Context, user, channelID string) (chat.Rules, error) {
	var keys []item
	if user != "" {
		prefixes := []string{banPrefix, mutePrefix}
		if strings.HasPrefix(channelID, chat.PrivatePrefix) { // what is not there costs as much
			prefixes = append(prefixes, grantPrefix)
		}
		for _, prefix := range prefixes {
			keys = append(keys, userKey(prefix, user, ""))
			if channelID != "" {
				keys = append(keys, userKey(prefix, user, channelID))
			}
		}
	}
	if channelID != "" {
		keys = append(keys, settingsKey(channelID))
	}
	there, err := t.getAll(ctx, keys)
	if err != nil {
		return chat.Rules{}, err
	}
	maps.DeleteFunc(there, func(_ [2]string, i item) bool { return t.expired(i) })
	var rules chat.Rules
	for _, where := range []string{channelID, ""} { // everywhere counts more
		if i := there.of(userKey(banPrefix, user, where)); i != nil {
			rules.Ban = sanctionOf(chat.Banned, user, where, i)
		}
		if i := there.of(userKey(mutePrefix, user, where)); i != nil {
			rules.Mute = sanctionOf(chat.Muted, user, where, i)
		}
		if i := there.of(userKey(grantPrefix, user, where)); i != nil {
			rights, until := rightsOf(i), endOf(i)
			if rights&chat.MayRead != 0 {
				if rules.Grant&chat.MayRead != 0 {
					until = later(until, rules.GrantUntil)
				}
				rules.GrantUntil = until
			}
			rules.Grant |= rights
		}
	}
	seconds := numberOf(there.of(settingsKey(channelID)), "slowMode")
	rules.SlowMode = time.Duration(max(0, min(seconds, int64(chat.MaxSlowMode/time.Second)))) * time.Second
	return rules, nil
}

// rightsOf gives what a grant is for: both if it does not say.
func rightsOf(i item) chat.Rights {
	switch textOf(i, "rights") {
	case "read":
		return chat.MayRead
	case "write":
		return chat.MayWrite
	case "":
		return chat.MayRead | chat.MayWrite
	default:
		return 0
	}
}

// later gives the later of two ends, of which zero is never.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}

// endOf is when an item expires, zero for never.
func endOf(i item) time.Time {
	if ttl := numberOf(i, "ttl"); ttl != 0 {
		return time.Unix(ttl, 0)
	}
	return time.Time{}
}

// found are items by their keys.
type found map[[2]string]item

func (f found) of(key item) item { return f[[2]string{textOf(key, "pk"), textOf(key, "sk")}] }

// getAttempts bounds how often what DynamoDB left out of a batch is asked for.
const getAttempts = 5

// getAll reads those of the items that are there, also if they have expired.
func (t *Table) getAll(ctx context.Context, keys []item) (found, error) {
	there := found{}
	for attempt := 0; len(keys) > 0; attempt++ {
		if attempt == getAttempts {
			return nil, fmt.Errorf("chattable: %d items are not given after %d attempts", len(keys), getAttempts)
		}
		yes := true
		out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{t.Name: {Keys: keys, ConsistentRead: &yes}},
		})
		if err != nil {
			return nil, fmt.Errorf("chattable: get %d items: %w", len(keys), err)
		}
		for _, i := range out.Responses[t.Name] {
			there[[2]string{textOf(i, "pk"), textOf(i, "sk")}] = i
		}
		keys = out.UnprocessedKeys[t.Name].Keys
	}
	return there, nil
}
