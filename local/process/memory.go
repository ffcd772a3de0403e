package process

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// PeakMemory is the most memory that the process has had resident, in bytes,
// without that of processes it started. Of one that runs it is known on Linux
// alone, and 0 elsewhere.
//
// Of a process that has exited it is what the kernel counted at its end, if that
// can be told from what the kernel counts of us: on Linux a child's account
// begins with its parent's. If the process stayed below that, it is the most
// that PeakMemory, or Kill, saw while it ran.
func (p *Process) PeakMemory() int64 {
	select {
	case <-p.done:
		return p.finalPeak()
	default:
	}
	return p.observe()
}

// observe looks how much memory the process has had, as long as there is one, and
// returns the most that was ever seen.
func (p *Process) observe() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped { // the id is still its own
		p.seenPeak = max(p.seenPeak, peakOf(strconv.Itoa(p.PID())))
	}
	return p.seenPeak
}

func (p *Process) finalPeak() int64 {
	if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		// The kernel's counts of two processes are not exact to the page.
		const slack = 4 << 20
		if counted := int64(usage.Maxrss) * maxRSSUnit(); counted > peakOf("self")+slack {
			return counted
		}
	}
	return p.observe()
}

// peakOf reads the most memory that a process has had from where Linux tells it,
// and returns 0 elsewhere.
func peakOf(pid string) int64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	return highWater(status)
}

// highWater finds the line "VmHWM:     1234 kB" in a /proc/PID/status.
func highWater(status []byte) int64 {
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			fields := bytes.Fields(value)
			if len(fields) != 2 || string(fields[1]) != "kB" {
				return 0
			}
			n, err := strconv.ParseInt(string(fields[0]), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
