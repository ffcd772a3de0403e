package conformance

import (
	"testing"
)

func publish(t *testing.T, s *subject, all []claim, results []result) {
	t.Helper()
}
