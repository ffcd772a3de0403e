package client

import (
	"context"
	"math/rand/v2"
	"time"
)

// Options set what a Client does otherwise than by default. The zero value is
// right for a stage of this project.
type Options struct {
	// Name is the name under which messages are sent, 1 to 64 characters. A
	// stage with identity takes it from the token instead. Default "client".
	Name string

	// Token gives the bearer token of each new connection, so that it is a fresh
	// one. Default none.
	Token func(context.Context) (string, error)

	// Dial opens connections. Default DialWebSocket.
	Dial DialFunc

	// DialTimeout bounds the opening of a connection; 0 means 30 s.
	DialTimeout time.Duration

	// MinBackoff and MaxBackoff bound the pause before the n-th attempt to
	// connect: a random time up to MinBackoff doubled n times, at most
	// MaxBackoff; 0 means 1 s and 30 s.
	MinBackoff, MaxBackoff time.Duration

	// Heartbeat is the time between pings, with which the client also asks each
	// channel for what it may have missed; 0 means 5 minutes. A connection is
	// closed after 10 minutes without a frame.
	Heartbeat time.Duration

	// MaxAge is the age at which a connection is replaced by a new one, less up
	// to a tenth of it at random; 0 means 1 h 50 min. A connection is closed
	// after 2 hours, wherever its frames are then.
	MaxAge time.Duration

	// Retry is the time after which a frame without an answer is sent again,
	// doubled each time up to 30 s; 0 means 5 s.
	Retry time.Duration

	// Silence is how long a connection may leave a frame unanswered, and send
	// nothing else either, before it counts as dead; 0 means 45 s.
	Silence time.Duration

	// GapWait is how long a number that is missing in a channel holds up those
	// after it before it is given up; 0 means 5 s.
	GapWait time.Duration

	// Settle is how long after a connection's end a frame that was sent on it may
	// still take effect; 0 means 30 s: no function behind the API runs for longer
	// than 29 s. Less risks that a message is sent twice.
	Settle time.Duration

	// SendFor is how long a message is tried to be sent; 0 means 9 min 30 s,
	// which is also the most: for 10 minutes the stage knows it again.
	SendFor time.Duration

	// Buffer is how many events wait to be read before the client takes no
	// more from the channels, and asks for them again later; 0 means 4096.
	Buffer int

	// random gives a time from 0 to most; tests set it.
	random func(most time.Duration) time.Duration
}

func (o Options) withDefaults() Options {
	fill := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	fill(&o.DialTimeout, 30*time.Second)
	fill(&o.MinBackoff, time.Second)
	fill(&o.MaxBackoff, 30*time.Second)
	fill(&o.Heartbeat, 5*time.Minute)
	fill(&o.MaxAge, 110*time.Minute)
	fill(&o.Retry, 5*time.Second)
	fill(&o.Silence, 45*time.Second)
	fill(&o.GapWait, 5*time.Second)
	fill(&o.Settle, 30*time.Second)
	fill(&o.SendFor, maxSendFor)
	o.SendFor = min(o.SendFor, maxSendFor)
	if o.Name == "" {
		o.Name = "client"
	}
	if o.Dial == nil {
		o.Dial = DialWebSocket
	}
	if o.Buffer <= 0 {
		o.Buffer = 4096
	}
	if o.random == nil {
		o.random = func(most time.Duration) time.Duration { return rand.N(most + 1) }
	}
	return o
}

// maxSendFor leaves a frame half a minute to be served within the time for
// which the stage knows its id.
const maxSendFor = 9*time.Minute + 30*time.Second

// pause gives the time before the n-th repetition: least doubled n times, at
// most.
func pause(least, most time.Duration, n int) time.Duration {
	for ; n > 0 && least < most; n-- {
		least *= 2
	}
	return min(least, most)
}
