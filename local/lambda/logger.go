package lambda

import (
	"fmt"
	"time"
)

// A LogSink takes the functions' log lines: what CloudWatch Logs is to Lambda. Log
// is called with one line of a function at a time, START, END and REPORT lines
// included, from many goroutines at once; a function waits for it when it writes.
// Several functions may write to one group.
type LogSink interface {
	Log(function, group, stream string, at time.Time, line string)
}

// A logger writes to the sink, if there is one.
type logger struct{ sink LogSink }

func (l logger) line(cfg *Config, stream, line string) {
	if l.sink != nil {
		l.sink.Log(cfg.Name, cfg.LogGroup, stream, time.Now(), line)
	}
}

func (l logger) linef(cfg *Config, stream, format string, args ...any) {
	l.line(cfg, stream, fmt.Sprintf(format, args...))
}

// end writes the last two lines of an invocation. The time of initialization is
// billed, as it is for all OS-only runtimes.
func (l logger) end(cfg *Config, stream string, r Report, why reason) {
	l.linef(cfg, stream, "END RequestId: %s", r.RequestID)
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		r.RequestID, milliseconds(r.Duration), r.BilledDuration.Milliseconds(), r.MemoryMB, r.MaxMemoryUsedMB)
	if r.InitDuration > 0 {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(r.InitDuration))
	}
	l.line(cfg, stream, line+why.status())
}

// initFailed writes that a process did not come up, in one of Lambda's phases.
func (l logger) initFailed(cfg *Config, stream string, took time.Duration, phase string, why reason) {
	l.linef(cfg, stream, "INIT_REPORT Init Duration: %.2f ms\tPhase: %s%s", milliseconds(took), phase, why.status())
}

// status is how a REPORT line names a failure.
func (r reason) status() string {
	switch r {
	case crashed:
		return "\tStatus: error\tError Type: Runtime.ExitError"
	case exhausted:
		return "\tStatus: error\tError Type: Runtime.OutOfMemory"
	case late:
		return "\tStatus: timeout"
	}
	return ""
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
