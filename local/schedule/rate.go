package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var rate = regexp.MustCompile(`^rate\(([0-9]+) (minute|hour|day)(s?)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// maxRate is longer than anybody waits, and short enough for a time.Duration.
const maxRate = 100 * 365 * 24 * time.Hour

// ParseRate gives the period of a schedule expression such as rate(5 minutes).
// As EventBridge, it takes no plural for 1 and no singular for more ("Rate
// expressions" in the Amazon EventBridge User Guide).
func ParseRate(expression string) (time.Duration, error) {
	if strings.HasPrefix(expression, "cron(") {
		return 0, fmt.Errorf("scheduleExpression is %q: the local cloud runs rate(…) only, no cron(…): give this stage a rate", expression)
	}
	parts := rate.FindStringSubmatch(expression)
	if parts == nil {
		return 0, wrongRate(expression)
	}
	n, err := strconv.Atoi(parts[1])
	unit := units[parts[2]]
	if err != nil || n == 0 || n > int(maxRate/unit) || (n == 1) != (parts[3] == "") {
		return 0, wrongRate(expression)
	}
	return time.Duration(n) * unit, nil
}

func wrongRate(expression string) error {
	return fmt.Errorf("scheduleExpression is %q: a rate is rate(1 minute), rate(5 minutes), rate(1 hour), rate(12 hours), rate(1 day), rate(7 days) and the like", expression)
}
