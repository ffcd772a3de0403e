package main

import (
	"fmt"
	"strconv"

	"example.com/chatstack/local/fault"
)

// describe says what a rule does, and to which calls.
func describe(r fault.Rule) string { return which(r) + ": " + effect(r) }

// which says which calls a rule strikes.
func which(r fault.Rule) string {
	one, many := "post", "posts"
	of := " to "
	switch r.On {
	case fault.Table:
		one, many, of = "call", "calls", " to "
		switch {
		case r.Action != "":
			one, many = r.Action, r.Action+" calls"
		case r.Throttle:
			one, many = "write", "writes"
		}
	case fault.Invoke:
		one, many, of = "invocation", "invocations", " of "
	case fault.Batch:
		one, many, of = "batch", "batches", " for "
	case fault.Disconnect:
		one, many, of = "$disconnect", "$disconnects", " of "
	}
	if r.Target == "" {
		of = ""
	}
	of += r.Target
	percent := strconv.FormatFloat(r.Share*100, 'g', 4, 64) + "%"
	var text string
	switch {
	case r.Nth > 0 && r.Share < 1:
		text = fmt.Sprintf("the %s %s%s, by a chance of %s", ordinal(r.Nth), one, of, percent)
	case r.Nth > 0:
		text = fmt.Sprintf("the %s %s%s", ordinal(r.Nth), one, of)
	case r.Share < 1:
		text = percent + " of " + many + of
	default:
		text = "every " + one + of
	}
	if r.Times > 0 {
		text += fmt.Sprintf(", %d at most", r.Times)
	}
	return text
}

// effect says what a rule does to a call.
func effect(r fault.Rule) string {
	var does string
	switch r.On {
	case fault.Post:
		if r.Status != 0 {
			does = fmt.Sprintf("answered with %d", r.Status)
		}
	case fault.Table:
		if r.Throttle {
			does = "throttled"
		}
	case fault.Invoke:
		return fmt.Sprintf("killed after %v", r.After)
	case fault.Batch:
		return "delivered twice"
	case fault.Disconnect:
		return "lost"
	}
	switch {
	case r.Latency == 0:
		return does
	case does == "":
		return fmt.Sprintf("%v slower", r.Latency)
	}
	return fmt.Sprintf("%s, %v slower", does, r.Latency)
}

// ordinal writes 1st, 2nd, 3rd, 4th …
func ordinal(n int) string {
	suffix := "th"
	if tens := n / 10 % 10; tens != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
