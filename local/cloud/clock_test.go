package cloud

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestItemsExpireByTheTimeThatWasLetPass(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(Properties{"ttl": map[string]any{"attributeName": "ttl", "enabled": true}}))
	put := func(key string, lives time.Duration) {
		t.Helper()
		ttl := strconv.FormatInt(time.Now().Add(lives).Unix(), 10)
		r.putItem(table, key, map[string]types.AttributeValue{"ttl": &types.AttributeValueMemberN{Value: ttl}})
	}
	expect := func(when string, want int) {
		t.Helper()
		if got := r.items(table); got != want {
			t.Errorf("%s: %d items, want %d", when, got, want)
		}
	}
	put("an hour", time.Hour)
	put("three hours", 3*time.Hour)
	if err := r.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	expect("two hours later", 1)
	put("an hour, from now on", time.Hour)
	r.sweeper.Sweep(t.Context())
	expect("what came after it is new", 2)
	if err := r.Advance(t.Context(), 90*time.Minute); err != nil {
		t.Fatal(err)
	}
	expect("three and a half hours later", 0)
	if got, want := r.Advanced(), 210*time.Minute; got != want {
		t.Errorf("%v were let pass, want %v", got, want)
	}
}

func TestAfterAResetItemsWaitForTheMachinesTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(Properties{"ttl": map[string]any{"attributeName": "ttl", "enabled": true}}))
	ttl := strconv.FormatInt(time.Now().Add(3*time.Hour).Unix(), 10)
	r.putItem(table, "a", map[string]types.AttributeValue{"ttl": &types.AttributeValueMemberN{Value: ttl}})
	if err := r.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	r.ResetClock()
	if err := r.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := r.items(table); got != 1 {
		t.Errorf("%d items, want the one that lives an hour longer", got)
	}
	if got := r.Advanced(); got != 2*time.Hour {
		t.Errorf("%v were let pass", got)
	}
}

func TestOnlyATimeThatPassesCanBeLetPass(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{0, -time.Second, MaxAdvanced - time.Minute} {
		if err := r.Advance(t.Context(), d); err == nil || !strings.Contains(err.Error(), "cannot be let pass") {
			t.Errorf("%v: %v", d, err)
		}
	}
}
