package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// steps says what is being done while it is done, and how long it has taken.
type steps struct {
	out      io.Writer
	terminal bool // lines can be written over
}

// sayEvery is how often a step that goes on is mentioned again.
func (s *steps) sayEvery() time.Duration {
	if s.terminal {
		return 200 * time.Millisecond
	}
	return 15 * time.Second
}

// begin announces a step and returns what ends it.
func (s *steps) begin(doing string) (done func()) {
	started := time.Now()
	if !s.terminal {
		fmt.Fprintf(s.out, "· %s\n", doing)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(s.sayEvery())
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				if s.terminal {
					fmt.Fprintf(s.out, "\r\033[K· %s  %s", doing, seconds(time.Since(started)))
				} else {
					fmt.Fprintf(s.out, "  … %s so far\n", seconds(time.Since(started)))
				}
			}
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			close(stop)
			<-stopped
			took := time.Since(started)
			if s.terminal {
				fmt.Fprintf(s.out, "\r\033[K✓ %s  %s\n", doing, seconds(took))
			} else if took > time.Second {
				fmt.Fprintf(s.out, "  done in %s\n", seconds(took))
			}
		})
	}
}

func seconds(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
