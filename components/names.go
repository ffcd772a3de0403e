package components

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// How long AWS lets the names be that Pulumi makes out of logical ones, each
// in the guide or API reference of its service. A log group's, 512, is no
// bound: its function's name is shorter.
const (
	maxAPIName         = 128
	maxFunctionName    = 64
	maxQueueName       = 80
	maxRoleName        = 64
	maxRolePolicyName  = 128
	maxRuleName        = 64
	maxStatementID     = 100
	maxTableName       = 255
	randomSuffixLength = len("-a1b2c3d") // what Pulumi completes a logical name with
)

// How long components' names may be, so that each of their children's names
// fits with its suffix.
const (
	maxGoFunctionName    = min(maxFunctionName, maxRoleName-len("-role")) - randomSuffixLength
	maxGrantName         = maxRolePolicyName - randomSuffixLength
	maxChatTableName     = maxTableName - randomSuffixLength
	maxStreamMappingName = maxQueueName - len("-dead-letters") - randomSuffixLength
	maxScheduleName      = maxRuleName - randomSuffixLength
	maxWebSocketAPIName  = min(maxAPIName, maxStatementID-len("-")-minRouteName) - randomSuffixLength
	// The tightest of a chat's children is the function of an additional route.
	maxChatStackName = maxGoFunctionName - len("-") - minRouteName
)

// validateName reports a component's name that AWS refuses in the name of one
// of its children.
func validateName(name string, longest int) error {
	if len(name) > longest || !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(name) {
		return badArgument("name", name,
			fmt.Sprintf("1 to %d letters, digits, - and _, as AWS's names are made of it", longest))
	}
	return nil
}

// Parts of the names of routes' resources.
const (
	routePrefix = "route-"
	hashLength  = len("-0a1b2c3d")
	// minRouteName is the room that every route's name can do with: five
	// characters of the key to know it by, and a hash.
	minRouteName = len(routePrefix) + 5 + hashLength
	// maxPlainKey and maxSlug bound a name where there is room.
	maxPlainKey = 40
	maxSlug     = 32
)

// routeName is the part of a resource's name that tells its route, at most room
// long, which is minRouteName or more. It has letters, digits, - and _ alone,
// for it becomes part of a statement id, and is different for each key.
func routeName(key string, room int) string {
	switch key {
	case ConnectRoute, DisconnectRoute, DefaultRoute:
		return "on-" + key[1:]
	}
	room -= len(routePrefix)
	slug := regexp.MustCompile(`[^A-Za-z0-9_-]`).ReplaceAllString(key, "-")
	if slug == key && len(key) <= min(maxPlainKey, room) {
		return routePrefix + key
	}
	sum := sha256.Sum256([]byte(key))
	return routePrefix + slug[:min(len(slug), maxSlug, room-hashLength)] + "-" + hex.EncodeToString(sum[:4])
}
