package lambda

import (
	"strings"
	"testing"
	"time"
)

func TestSIGTERMOnlyForWhoRegisters(t *testing.T) {
	t.Run("registered", func(t *testing.T) {
		f := newFixture(t, Options{}, mode("sigterm"))
		f.pid()
		f.Close()
		if !strings.Contains(f.logs.String(), "told to end") {
			t.Errorf("log:\n%s", f.logs)
		}
	})
	t.Run("registered, and does not end", func(t *testing.T) {
		f := newFixture(t, Options{}, mode("sigterm", "LINGER", "yes"))
		f.pid()
		began := time.Now()
		f.Close()
		if took := time.Since(began); took < shutdownGrace || took > 20*shutdownGrace {
			t.Errorf("it took %v", took)
		}
		if !strings.Contains(f.logs.String(), "told to end") {
			t.Errorf("log:\n%s", f.logs)
		}
	})
	t.Run("registered, and late", func(t *testing.T) {
		f := newFixture(t, Options{}, mode("sigterm"), func(cfg *Config) { cfg.Timeout = time.Second })
		f.do("sleep", "duration", time.Minute)
		if !strings.Contains(f.logs.String(), "told to end") {
			t.Errorf("log:\n%s", f.logs)
		}
	})
	t.Run("not registered", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.pid()
		began := time.Now()
		f.Close()
		if took := time.Since(began); took > 20*shutdownGrace {
			t.Errorf("it took %v", took)
		}
		if strings.Contains(f.logs.String(), "told to end") {
			t.Errorf("log:\n%s", f.logs)
		}
	})
}
