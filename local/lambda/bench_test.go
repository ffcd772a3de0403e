package lambda

import (
	"path/filepath"
	"testing"
)

// An invocation of a function that is warm, one after the other: what the local
// cloud adds to the function's own time, freezing and thawing included.
func BenchmarkWarmInvoke(b *testing.B) {
	s := New(Options{Dir: filepath.Join(b.TempDir(), "tmp")})
	defer s.Close()
	if err := s.Put(config()); err != nil {
		b.Fatal(err)
	}
	event := eventOf("pid")
	invoke := func() {
		if out, err := s.Invoke(b.Context(), "f", event); err != nil || out.FunctionError != "" {
			b.Fatalf("%s %v", out.Payload, err)
		}
	}
	invoke()
	for b.Loop() {
		invoke()
	}
}
