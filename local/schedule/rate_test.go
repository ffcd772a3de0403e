package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestRatesAreReadAsEventBridgeDoes(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)":                      time.Minute,
		"rate(5 minutes)":                     5 * time.Minute,
		"rate(1 hour)":                        time.Hour,
		"rate(36 hours)":                      36 * time.Hour,
		"rate(1 day)":                         24 * time.Hour,
		"rate(365 days)":                      365 * 24 * time.Hour,
		"rate(1 minutes)":                     0,
		"rate(2 minute)":                      0,
		"rate(0 minutes)":                     0,
		"rate(30 seconds)":                    0,
		"rate(-1 minutes)":                    0,
		"rate(1.5 hours)":                     0,
		"rate( 5 minutes)":                    0,
		"Rate(5 minutes)":                     0,
		"5 minutes":                           0,
		"":                                    0,
		"rate(5 minutes)\n":                   0,
		"rate(99999999999 days)":              0,
		"rate(99999999999999999999999 hours)": 0,
	} {
		got, err := ParseRate(expression)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v, want %v", expression, got, err, want)
		}
	}
}

func TestCronIsRefusedByName(t *testing.T) {
	t.Parallel()
	if _, err := ParseRate("cron(0 12 * * ? *)"); err == nil || !strings.Contains(err.Error(), "no cron(…)") {
		t.Errorf("%v", err)
	}
}
