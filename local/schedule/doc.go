// Package schedule fires EventBridge's scheduled rules, those that say
// rate(…): each at its rate, with the event that EventBridge makes.
//
// A rule fires for the first time when its period has passed since it was put,
// enabled, or changed. Periods are a matter of the [clock.Clock]: time that is let
// pass fires a rule that becomes due by it once, however much it is. What a rule
// invokes is the business of [Options.Fire].
//
// # What differs from AWS
//
// EventBridge fires within the minute, here a rule fires on the second. When the
// local cloud starts again, periods begin anew.
package schedule
