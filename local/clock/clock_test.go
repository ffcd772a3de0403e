package clock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chatstack/local/clock"
)

func TestAdvanceMakesWhatIsThereOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		before := c.Now()
		time.Sleep(time.Second)
		c.Advance(time.Hour)
		time.Sleep(time.Second)
		after := c.Now()
		time.Sleep(time.Second)

		if got, want := c.Since(before), time.Hour+3*time.Second; got != want {
			t.Errorf("what was there is %v old, want %v", got, want)
		}
		if got, want := c.Since(after), time.Second; got != want {
			t.Errorf("what came after is %v old, want %v", got, want)
		}
		if got := c.Now(); !got.Equal(time.Now()) {
			t.Errorf("it is %v, want the machine's time", got)
		}
	})
}

func TestAdvanceCallsWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		var soon, late atomic.Bool
		c.AfterFunc(time.Hour, func() { soon.Store(true) })
		c.AfterFunc(3*time.Hour, func() { late.Store(true) })
		c.Advance(2 * time.Hour)
		synctest.Wait()
		if !soon.Load() || late.Load() {
			t.Fatalf("after two hours: what was due in one called: %t, in three: %t", soon.Load(), late.Load())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if !late.Load() {
			t.Error("an hour later: what was due in three hours was not called")
		}
	})
}

func TestAdvanceOnSecondTellsWholeSecondsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		time.Sleep(300 * time.Millisecond)
		before := c.Now().Truncate(time.Second)
		if err := c.AdvanceOnSecond(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		after := c.Now().Truncate(time.Second)
		if got, want := c.Since(before), time.Hour+1300*time.Millisecond; got != want {
			t.Errorf("what was there is %v old, want %v", got, want)
		}
		if got, want := c.Since(after), 300*time.Millisecond; got != want {
			t.Errorf("what came after is %v old, want %v", got, want)
		}
	})
}

func TestAdvanceOnSecondEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := c.AdvanceOnSecond(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("advanced until %v, want the context's end", err)
		}
		if got := c.Advanced(); got != 0 {
			t.Errorf("advanced by %v all the same", got)
		}
	})
}

func TestAdvancesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		before := c.Now()
		c.Advance(time.Hour)
		time.Sleep(time.Minute)
		between := c.Now()
		time.Sleep(time.Minute)
		c.Advance(2 * time.Hour)
		if got, want := c.Advanced(), 3*time.Hour; got != want {
			t.Errorf("advanced by %v, want %v", got, want)
		}
		if got, want := c.Since(before), 3*time.Hour+2*time.Minute; got != want {
			t.Errorf("the first is %v old, want %v", got, want)
		}
		if got, want := c.Since(between), 2*time.Hour+time.Minute; got != want {
			t.Errorf("the second is %v old, want %v", got, want)
		}
	})
}

func TestResetGivesBackWhatWasLetPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		start := c.Now()
		called := make(chan time.Duration, 1)
		c.AfterFunc(2*time.Hour, func() { called <- time.Since(start) })
		c.Advance(time.Hour)
		c.Reset()
		if got := c.Advanced(); got != 0 {
			t.Errorf("advanced by %v after a reset", got)
		}
		if got, want := <-called, 2*time.Hour; got != want {
			t.Errorf("called after %v of the machine's time, want %v", got, want)
		}
	})
}

func TestStoppedTimerIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		stop := c.AfterFunc(time.Hour, func() { t.Error("called") })
		if !stop() {
			t.Error("stop reports that the call had begun")
		}
		if stop() {
			t.Error("a second stop reports that it prevented the call")
		}
		c.Advance(2 * time.Hour)
		synctest.Wait()
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("slept until %v, want the context's end", err)
		}
	})
}

func TestAdvanceEndsSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		start := time.Now()
		slept := make(chan error)
		go func() { slept <- c.Sleep(t.Context(), time.Hour) }()
		synctest.Wait()
		c.Advance(time.Hour)
		if err := <-slept; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v of the machine's time", took)
		}
	})
}
