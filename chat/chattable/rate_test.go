package chattable_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	clock := start
	table.Now = func() time.Time { return clock }
	bucket := chat.Bucket{Every: 100 * time.Millisecond, Size: 8}
	for i, tt := range []struct {
		tokens  int
		taken   int
		wait    time.Duration
		advance time.Duration // after it
	}{
		{5, 5, 0, 0}, // it is full
		{5, 1, 0, 0},
		{5, 1, 0, 0},
		{5, 1, 0, 0},
		{5, 0, 100 * time.Millisecond, 50 * time.Millisecond},
		{5, 0, 50 * time.Millisecond, 50 * time.Millisecond},
		{5, 1, 0, time.Hour}, // it never holds more than its size
		{8, 8, 0, 0},
		{5, 0, 100 * time.Millisecond, 800 * time.Millisecond},
		{3, 3, 0, 0},
	} {
		taken, wait, err := table.TakeTokens(ctx, "connection|a=", bucket, tt.tokens)
		if err != nil || taken != tt.taken || wait != tt.wait {
			t.Errorf("step %d: took %d, wait %v, %v, want %d, %v", i, taken, wait, err, tt.taken, tt.wait)
		}
		clock = clock.Add(tt.advance)
	}
	if item := plain(get(t, table, "SENDER|connection|a=", "RATE")); item["ttl"] == "" || item["fullAt"] == "" {
		t.Errorf("item %v", item)
	}
	if taken, _, err := table.TakeTokens(ctx, "connection|b=", bucket, 8); err != nil || taken != 8 {
		t.Errorf("another's: %v, %v", taken, err)
	}
}

// However many processes ask at once, a bucket never gives more than it holds.
func TestTokensAreGivenOnce(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	var wg sync.WaitGroup
	var given atomic.Int32
	for range 30 {
		wg.Go(func() {
			taken, _, err := table.TakeTokens(t.Context(), "connection|a=", chat.Bucket{Every: 100 * time.Millisecond, Size: 20}, 5)
			if err != nil {
				t.Error(err)
			}
			given.Add(int32(taken))
		})
	}
	wg.Wait()
	if n := given.Load(); n > 20 || n < 10 {
		t.Errorf("%d tokens of a bucket of 20", n)
	}
}
