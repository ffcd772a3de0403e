package gateway_test

import (
	"runtime"
	"testing"

	"example.com/chatstack/local/gateway"
)

// What an open connection costs while nothing happens on it, the client's half
// of it in the same process included.
func BenchmarkIdleConnections(b *testing.B) {
	r := start(b, declare(functions{}), gateway.Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		r.raw("/prod", nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/float64(b.N), "bytes/connection")
}

// A post to one connection, over HTTP as functions make it.
func BenchmarkPost(b *testing.B) {
	r := start(b, declare(functions{}), gateway.Options{})
	client := r.raw("/prod", nil)
	go func() {
		discard := make([]byte, 64<<10)
		for {
			if _, err := client.Read(discard); err != nil {
				return
			}
		}
	}()
	path := "/prod/@connections/" + r.onlyID()
	for b.Loop() {
		r.call("POST", path, "hello")
	}
}
