package schedule

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"example.com/chatstack/local/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const arn = "arn:aws:events:eu-central-1:000000000000:rule/tick"

// A rig is a scheduler in a bubble of its own that notes when it fires what.
type rig struct {
	*Scheduler
	t     *testing.T
	clock *clock.Clock
	start time.Time

	mu    sync.Mutex
	fired []time.Duration
}

func scheduling(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, clock: &clock.Clock{}, start: time.Now()}
		r.Scheduler = New(Options{Clock: r.clock, Fire: func(context.Context, string, []byte) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.fired = append(r.fired, time.Since(r.start))
		}})
		defer r.Close()
		test(r)
	})
}

// after lets time go by, and holds what was fired meanwhile.
func (r *rig) after(d time.Duration, want ...time.Duration) {
	r.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := cmp.Diff(want, r.fired); diff != "" {
		r.t.Errorf("fired (-want +got):\n%s", diff)
	}
	r.fired = nil
}

func TestARuleFiresOnceAPeriod(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		r.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true})
		r.after(59 * time.Second)
		r.after(2*time.Minute, time.Minute, 2*time.Minute)
		if got, want := r.Status(arn), (Status{Fired: 2, Last: r.start.Add(2 * time.Minute)}); got.Fired != want.Fired || !got.Last.Equal(want.Last) {
			r.t.Errorf("status %v, want %v", got, want)
		}
	})
}

func TestPuttingARuleAsItIsChangesNothing(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		rule := Rule{ARN: arn, Every: time.Minute, Enabled: true}
		r.Put(rule)
		r.after(30 * time.Second)
		r.Put(rule)
		r.after(31*time.Second, time.Minute)
	})
}

func TestAnUpdateBeginsANewPeriod(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		r.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true})
		r.after(30 * time.Second)
		r.Put(Rule{ARN: arn, Every: 2 * time.Minute, Enabled: true})
		r.after(2*time.Minute, 150*time.Second)
	})
}

func TestADisabledRuleDoesNotFire(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		rule := Rule{ARN: arn, Every: time.Minute}
		r.Put(rule)
		r.after(time.Hour)
		rule.Enabled = true
		r.Put(rule)
		r.after(time.Minute, time.Hour+time.Minute)
		rule.Enabled = false
		r.Put(rule)
		r.after(time.Hour)
	})
}

func TestADeletedRuleDoesNotFire(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		r.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true})
		r.Put(Rule{ARN: arn + "2", Every: 2 * time.Minute, Enabled: true})
		r.Delete(arn)
		r.Delete(arn)
		r.after(3*time.Minute, 2*time.Minute)
		if got := r.Status(arn); got != (Status{}) {
			r.t.Errorf("status %v", got)
		}
	})
}

func TestTimeThatIsLetPassFiresARuleOnce(t *testing.T) {
	t.Parallel()
	scheduling(t, func(r *rig) {
		r.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true})
		r.after(10 * time.Second)
		r.clock.Advance(10 * time.Minute)
		r.after(0, 10*time.Second)
		r.after(time.Minute, 70*time.Second)
	})
}

func TestCloseEndsWhatWasFired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		s := New(Options{Fire: func(ctx context.Context, _ string, _ []byte) {
			<-ctx.Done()
			ended = true
		}})
		s.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true})
		time.Sleep(90 * time.Second)
		s.Close()
		if !ended {
			t.Error("Close did not wait")
		}
		s.Put(Rule{ARN: arn, Every: time.Minute, Enabled: true}) // too late
		time.Sleep(time.Hour)
	})
}

func TestTheEventIsEventBridges(t *testing.T) {
	t.Parallel()
	var event map[string]any
	if err := json.Unmarshal(scheduledEvent(arn, time.Date(2026, 11, 23, 2, 5, 9, 123456, time.FixedZone("", 3600))), &event); err != nil {
		t.Fatal(err)
	}
	id, _ := event["id"].(string)
	if len(id) != 36 {
		t.Errorf("id %q is no UUID", id)
	}
	delete(event, "id")
	want := map[string]any{
		"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": "000000000000",
		"time": "2026-11-23T01:05:09Z", "region": "eu-central-1", "resources": []any{arn}, "detail": map[string]any{},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}
