package process

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// PeakMemory is the most memory that the process has had in use, in bytes. Of a
// process that has exited it is what the kernel counted at its end; of one that
// runs it is known on Linux alone, and 0 elsewhere.
func (p *Process) PeakMemory() int64 {
	select {
	case <-p.done:
		if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			return int64(usage.Maxrss) * maxRSSUnit()
		}
		return 0
	default:
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
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
