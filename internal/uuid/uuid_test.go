package uuid_test

import (
	"regexp"
	"testing"

	"example.com/chatstack/internal/uuid"
)

func TestNewIsOfVersion4AndNeverTheSame(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := uuid.New()
		if !form.MatchString(id) {
			t.Fatalf("%s has not the form of a UUID", id)
		}
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		seen[id] = true
	}
}
