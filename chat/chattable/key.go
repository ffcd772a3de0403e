package chattable

import (
	"fmt"
	"strings"

	"example.com/chatstack/chat"
)

// The table's keys. Every item has a pk and an sk; docs/table.md lists them.
const (
	channelPrefix    = "CHANNEL|"
	connectionPrefix = "CONNECTION|"
	messagePrefix    = "MESSAGE|"
	publishPrefix    = "PUBLISH|"
	deliveryPrefix   = "DELIVERY|"
	senderPrefix     = "SENDER|"
	sentPrefix       = "SENT|"
	userPrefix       = "USER|"
	memberPrefix     = "MEMBER|"
	directPrefix     = "DIRECT|"
	banPrefix        = "BAN|"
	mutePrefix       = "MUTE|"
	kickPrefix       = "KICK|"
	grantPrefix      = "GRANT|"
	deletePrefix     = "DELETE|"
	expiryPrefix     = "EXPIRY|"
	metaSort         = "META"
	countSort        = "COUNT"
	settingsSort     = "SETTINGS"
	everywhere       = "*"
	rateSort         = "RATE"

	// subscriberIndex finds the subscriptions of a connection.
	subscriberIndex = "bySubscriber"
)

func key(pk, sk string) item { return item{"pk": text(pk), "sk": text(sk)} }

func connectionKey(connectionID string) item { return key(connectionPrefix+connectionID, metaSort) }

func channelKey(channelID string) item { return key(channelPrefix+channelID, metaSort) }

func subscriptionKey(channelID, connectionID string) item {
	return key(channelPrefix+channelID, connectionPrefix+connectionID)
}

// messageKey sorts as text as the sequence does as numbers.
func messageKey(channelID string, seq int64) item {
	return key(channelPrefix+channelID, fmt.Sprintf("%s%020d", messagePrefix, seq))
}

func publishKey(channelID, unique string) item {
	return key(channelPrefix+channelID, publishPrefix+unique)
}

func deleteKey(channelID, unique string) item {
	return key(channelPrefix+channelID, deletePrefix+unique)
}

func deliveryKey(channelID, unique string) item {
	return key(channelPrefix+channelID, deliveryPrefix+unique)
}

func deviceKey(user, connectionID string) item {
	return key(userPrefix+user, connectionPrefix+connectionID)
}

// directKey is of a conversation in the list of one of its users.
func directKey(user, peer string) item { return key(userPrefix+user, directPrefix+peer) }

// memberKey is of a user, or of a connection that is nobody's.
func memberKey(channelID, user, connectionID string) item {
	if user == "" {
		return key(channelPrefix+channelID, memberPrefix+connectionPrefix+connectionID)
	}
	return key(channelPrefix+channelID, memberPrefix+userPrefix+user)
}

func countKey(channelID string) item { return key(channelPrefix+channelID, countSort) }

func settingsKey(channelID string) item { return key(channelPrefix+channelID, settingsSort) }

// userKey is of what holds for a user in a channel, or everywhere for "".
func userKey(prefix, user, channelID string) item {
	if channelID == "" {
		return key(prefix+user, everywhere)
	}
	return key(prefix+user, channelPrefix+channelID)
}

func rateKey(sender string) item { return key(senderPrefix+sender, rateSort) }

func userSender(user string) string { return senderPrefix + chat.UserSender(user) }

func sentKey(sender, id string) item { return key(senderPrefix+sender, sentPrefix+id) }

// suffix cuts prefix off s and reports whether anything followed it.
func suffix(s, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	return rest, ok && rest != ""
}
