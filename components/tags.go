package components

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// AWS's limits on tags: "Tag naming limits and requirements" in Tagging AWS
// Resources.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// validateTags reports tags that AWS refuses.
func validateTags(tags map[string]string) error {
	var mistakes []error
	if len(tags) > maxTags {
		mistakes = append(mistakes, badArgument("Tags", len(tags), "at most 50 tags"))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == "" || len([]rune(key)) > maxTagKey || strings.HasPrefix(strings.ToLower(key), "aws:"):
			mistakes = append(mistakes, badArgument("Tags key", key, "1 to 128 characters that do not begin with aws:"))
		case len([]rune(tags[key])) > maxTagValue:
			mistakes = append(mistakes, badArgument("Tags["+key+"]", tags[key], "at most 256 characters"))
		}
	}
	return errors.Join(mistakes...)
}

// tagMap gives tags to a resource, and nil if there is none.
func tagMap(tags map[string]string) pulumi.StringMapInput {
	if len(tags) == 0 {
		return nil
	}
	return pulumi.ToStringMap(tags)
}
