package lambda

import (
	"fmt"
	"math"
	"time"
)

// A LogSink takes the functions' log lines: what CloudWatch Logs is to Lambda. Log
// is called with one line at a time, START, END and REPORT lines included, from
// many goroutines at once; a function waits for it when it writes.
type LogSink interface {
	Log(group, stream string, at time.Time, line string)
}

// A logger writes to the sink, if there is one.
type logger struct {
	sink LogSink
	now  func() time.Time
}

func (l *logger) line(cfg *Config, stream, line string) {
	if l.sink != nil {
		l.sink.Log(cfg.LogGroup, stream, l.now(), line)
	}
}

func (l *logger) linef(cfg *Config, stream, format string, args ...any) {
	l.line(cfg, stream, fmt.Sprintf(format, args...))
}

// A report is what the last line of an invocation says.
type report struct {
	id       string
	duration time.Duration
	init     time.Duration // 0 unless the environment was started for it
	peak     int64         // bytes
	status   string        // empty, or what Lambda adds for a failure
}

// end writes the last two lines of an invocation. The time of initialization is
// billed, as it is for all OS-only runtimes.
func (l *logger) end(cfg *Config, stream string, r report) {
	l.linef(cfg, stream, "END RequestId: %s", r.id)
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		r.id, milliseconds(r.duration), math.Ceil(milliseconds(r.duration+r.init)), cfg.MemoryMB, (r.peak+1<<20-1)>>20)
	if r.init > 0 {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(r.init))
	}
	l.line(cfg, stream, line+r.status)
}

// initFailed writes that an environment could not be started.
func (l *logger) initFailed(cfg *Config, stream string, took time.Duration, why reason) {
	l.linef(cfg, stream, "INIT_REPORT Init Duration: %.2f ms\tPhase: init%s", milliseconds(took), why.status())
}

// status is how a REPORT line names a failure.
func (r reason) status() string {
	switch r {
	case crashed:
		return "\tStatus: error\tError Type: Runtime.ExitError"
	case late:
		return "\tStatus: timeout"
	}
	return ""
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
