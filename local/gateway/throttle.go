package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/time/rate"
)

// throttles are the account's: all APIs draw on them.
type throttles struct {
	connects *rate.Limiter // new connections
	requests *rate.Limiter // messages of clients, and requests to @connections
}

func newThrottles(limits Limits) *throttles {
	return &throttles{
		connects: rate.NewLimiter(rate.Limit(limits.Connects), limits.Connects),
		requests: rate.NewLimiter(rate.Limit(limits.Requests), limits.Burst),
	}
}

// RouteSettings are how many requests a stage takes for its routes. The zero
// value takes what the account's own throttle lets through.
type RouteSettings struct {
	// ThrottlingRateLimit is how many requests there may be each second in the
	// long run.
	ThrottlingRateLimit float64

	// ThrottlingBurstLimit is how many there may be at once.
	ThrottlingBurstLimit int
}

func (s RouteSettings) check() error {
	switch {
	case s.ThrottlingRateLimit < 0 || s.ThrottlingBurstLimit < 0:
		return errors.New("a throttle cannot be negative")
	case (s.ThrottlingRateLimit == 0) != (s.ThrottlingBurstLimit == 0):
		return errors.New("a throttle needs both a rate and a burst")
	}
	return nil
}

// limiter returns nil for settings that throttle nothing.
func (s RouteSettings) limiter() *rate.Limiter {
	if s == (RouteSettings{}) {
		return nil
	}
	return rate.NewLimiter(rate.Limit(s.ThrottlingRateLimit), s.ThrottlingBurstLimit)
}

// A stage is a Stage that was checked.
type stage struct {
	variables parameters[string]
	throttle  *rate.Limiter            // of all routes without one of their own; nil: none
	throttles map[string]*rate.Limiter // by route key
}

// newStage checks the settings of a stage against the API's routes.
func newStage(declared Stage, routes []Route) (stage, error) {
	s := stage{
		variables: maps.Clone(parameters[string](declared.Variables)),
		throttle:  declared.DefaultRouteSettings.limiter(),
		throttles: make(map[string]*rate.Limiter, len(declared.RouteSettings)),
	}
	var problems []error
	if err := declared.DefaultRouteSettings.check(); err != nil {
		problems = append(problems, err)
	}
	for key, settings := range declared.RouteSettings {
		if !slices.ContainsFunc(routes, func(r Route) bool { return r.Key == key }) {
			problems = append(problems, fmt.Errorf("settings of a route %q that the API does not have", key))
		}
		if err := settings.check(); err != nil {
			problems = append(problems, fmt.Errorf("route %q: %w", key, err))
		}
		s.throttles[key] = settings.limiter()
	}
	return s, errors.Join(problems...)
}

// takes reports whether the stage takes another request for a route now.
func (s stage) takes(key string) bool {
	limiter, own := s.throttles[key]
	if !own {
		limiter = s.throttle
	}
	return limiter == nil || limiter.Allow()
}
