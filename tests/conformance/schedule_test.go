package conformance

import (
	"regexp"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scheduleClaims are of EventBridge's rules (D5).
func scheduleClaims() []claim {
	return []claim{
		{
			rows: "D5.event D5.rate", how: documented, when: alone, long: true,
			says: "A rule with a rate invokes its function with a Scheduled Event of aws.events, which names the rule",
			run: func(c *check, s *subject) {
				s.pass(c, time.Hour)
				eventually(c, "a scheduled event", func() bool { return len(s.events(c, "scheduled")) > 0 })
				e := s.events(c, "scheduled")[0]
				for name, form := range map[string]string{
					"id": `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, "time": `^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, "account": `^\d{12}$`,
				} {
					if !regexp.MustCompile(form).MatchString(e.text(name)) {
						c.Errorf("%s is %q", name, e.text(name))
					}
					delete(e.fields, name)
				}
				want := map[string]any{
					"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "region": s.cfg.Region,
					"resources": []any{s.output(c, "scheduledRule")}, "detail": map[string]any{},
				}
				if diff := cmp.Diff(want, e.fields); diff != "" {
					c.Errorf("the event's other fields (-want +got):\n%s", diff)
				}
			},
		},
		{
			rows: "D5.rate D5.cron", how: documented,
			says:    "A rate is of minutes, hours or days, one without and more with a plural; cron has six fields, in UTC",
			without: "refused at deployment what is none, and cron altogether: held beside the code (local/schedule)",
		},
		{
			rows: "D5.permission", how: documented,
			says:    "A rule invokes a function by a permission for events.amazonaws.com on the rule's ARN",
			without: "the function of the case above has it; that none will do without it is held beside the code (local/cloud)",
		},
	}
}
