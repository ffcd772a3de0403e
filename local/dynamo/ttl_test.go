package dynamo_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/clock"
	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

func (r *rig) sweeper(table *string) *dynamo.Sweeper {
	s := r.front.NewSweeper()
	s.Watch(*table, "ttl", []string{"pk", "sk"})
	return s
}

func at(t time.Time) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"ttl": number(t.Unix())}
}

func TestSweepDeletesWhatHasExpiredAndNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table().TableName
	now := time.Now()
	r.put(table, "expired a moment ago", at(now))
	r.put(table, "expired years ago", at(now.AddDate(-4, -11, 0)))
	r.put(table, "future", at(now.Add(time.Hour)))
	r.put(table, "milliseconds", map[string]types.AttributeValue{"ttl": number(now.AddDate(-1, 0, 0).UnixMilli())})
	r.put(table, "more than five years ago", at(now.AddDate(-5, 0, -1)))
	r.put(table, "none", nil)
	r.put(table, "text", map[string]types.AttributeValue{"ttl": text(strconv.FormatInt(now.Unix()-10, 10))})
	r.sweeper(table).Sweep(t.Context())
	if got, want := r.left(table), "future milliseconds more than five years ago none text"; got != want {
		t.Errorf("left: %s\nwant: %s", got, want)
	}
}

func TestTTLDeletesCarryTheIdentityOfTheServiceAndOthersDoNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	r.put(table.TableName, "expired", at(time.Now().Add(-time.Minute)))
	r.put(table.TableName, "deleted", at(time.Now().Add(-time.Hour)))
	deleteItem(t, r, table.TableName, "deleted")
	r.sweeper(table.TableName).Sweep(t.Context())
	r.put(table.TableName, "expired", at(time.Now().Add(time.Minute))) // made anew,
	deleteItem(t, r, table.TableName, "expired")                       // and deleted by someone

	type deletion struct{ Key, By string }
	var got []deletion
	for _, record := range r.records(table.LatestStreamArn) {
		if record.EventName != streamtypes.OperationTypeRemove {
			continue
		}
		d := deletion{Key: streamText(record.Dynamodb.Keys["sk"])}
		if id := record.UserIdentity; id != nil {
			d.By = *id.Type + " " + *id.PrincipalId
		}
		got = append(got, d)
	}
	want := []deletion{{"deleted", ""}, {"expired", "Service dynamodb.amazonaws.com"}, {"expired", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deletes (-want +got):\n%s", diff)
	}
}

// TestAnItemThatIsRenewedWhileItIsSweptStays renews it between the sweeper's
// scan and its delete.
func TestAnItemThatIsRenewedWhileItIsSweptStays(t *testing.T) {
	t.Parallel()
	var r *rig
	var table *types.TableDescription
	ttl := at(time.Now().Add(-time.Minute))
	r = newRigOn(t, beforeDelete(t, dynamotest.Endpoint(t), sync.OnceFunc(func() {
		r.put(table.TableName, "renewed", at(time.Now().Add(time.Hour)))
	})))
	table = r.table()
	r.put(table.TableName, "renewed", ttl)
	r.sweeper(table.TableName).Sweep(t.Context())
	if got := r.left(table.TableName); got != "renewed" {
		t.Fatalf("left: %q, want the renewed item", got)
	}
	r.put(table.TableName, "renewed", ttl) // as it was when it was not deleted
	deleteItem(t, r, table.TableName, "renewed")
	records := r.records(table.LatestStreamArn)
	if last := records[len(records)-1]; last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity != nil {
		t.Errorf("the last record is %s by %v, want the delete of a client", last.EventName, last.UserIdentity)
	}
}

func TestTablesThatAreNoLongerWatchedAreLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table().TableName
	r.put(table, "expired", at(time.Now().Add(-time.Minute)))
	s := r.sweeper(table)
	s.Watch(*table, "", nil)
	s.Sweep(t.Context())
	if got := r.left(table); got != "expired" {
		t.Errorf("left: %q, want the item", got)
	}
}

func TestATableThatIsGoneDoesNotKeepOthersFromBeingSwept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table().TableName
	r.put(table, "expired", at(time.Now().Add(-time.Minute)))
	s := r.sweeper(table)
	s.Watch("gone", "ttl", []string{"pk"})
	s.Sweep(t.Context())
	if got := r.left(table); got != "" {
		t.Errorf("left: %q, want nothing", got)
	}
}

func TestRunSweepsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table().TableName
	r.put(table, "expired", at(time.Now().Add(-time.Minute)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.sweeper(table).Run(ctx) }()
	for deadline := time.Now().Add(30 * time.Second); r.left(table) != ""; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("not swept")
			break
		}
	}
	cancel()
	<-ended
}

func deleteItem(t *testing.T, r *rig, table *string, sk string) {
	t.Helper()
	_, err := r.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: table, Key: map[string]types.AttributeValue{"pk": text("p"), "sk": text(sk)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func streamText(v streamtypes.AttributeValue) string {
	s, ok := v.(*streamtypes.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}

func longAgo() time.Time { return time.Now().Add(-time.Minute) }

// newClockedRig returns a rig with the clock of its front.
func newClockedRig(t *testing.T) (*rig, *clock.Clock) {
	t.Helper()
	c := &clock.Clock{}
	return newRigWith(t, dynamo.FrontOptions{Clock: c}), c
}

func TestTimeThatIsLetPassExpiresTheItemsThatWereThere(t *testing.T) {
	t.Parallel()
	r, c := newClockedRig(t)
	table := r.table().TableName
	s := r.sweeper(table)
	inHours := func(h int) map[string]types.AttributeValue {
		return at(time.Now().Add(time.Duration(h) * time.Hour))
	}
	r.put(table, "a in one hour", inHours(1))
	r.put(table, "b in three hours", inHours(3))
	s.Notice(t.Context())
	c.Advance(2 * time.Hour)
	s.Sweep(t.Context())
	if got := r.left(table); got != "b in three hours" {
		t.Errorf("after two hours: %q", got)
	}
	r.put(table, "c in one hour", inHours(1)) // what comes after is new
	s.Sweep(t.Context())
	if got := r.left(table); got != "b in three hours c in one hour" {
		t.Errorf("with a new item: %q", got)
	}
	s.Notice(t.Context())
	c.Advance(90 * time.Minute) // three and a half hours for b
	s.Sweep(t.Context())
	if got := r.left(table); got != "" {
		t.Errorf("after an hour and a half more: %q", got)
	}
}

func TestAnItemThatIsRenewedAfterTimeWasLetPassIsNew(t *testing.T) {
	t.Parallel()
	r, c := newClockedRig(t)
	table := r.table().TableName
	s := r.sweeper(table)
	r.put(table, "renewed", at(time.Now().Add(3*time.Hour)))
	s.Notice(t.Context())
	c.Advance(2 * time.Hour)
	r.put(table, "renewed", at(time.Now().Add(time.Hour)))
	s.Sweep(t.Context())
	if got := r.left(table); got != "renewed" {
		t.Errorf("left: %q, want the renewed item", got)
	}
}

func TestWhatIsResetDoesNotExpire(t *testing.T) {
	t.Parallel()
	r, c := newClockedRig(t)
	table := r.table().TableName
	s := r.sweeper(table)
	r.put(table, "in an hour", at(time.Now().Add(time.Hour)))
	s.Notice(t.Context())
	c.Advance(2 * time.Hour)
	c.Reset()
	s.Sweep(t.Context())
	if got := r.left(table); got != "in an hour" {
		t.Errorf("after a reset: %q", got)
	}
	s.Notice(t.Context())
	c.Advance(30 * time.Minute)
	s.Sweep(t.Context())
	if got := r.left(table); got != "in an hour" {
		t.Errorf("after half an hour: %q", got)
	}
}

// TestATTLThatIsPassedByYearsStillExpires: in between there was a time when it
// had expired a moment ago.
func TestATTLThatIsPassedByYearsStillExpires(t *testing.T) {
	t.Parallel()
	r, c := newClockedRig(t)
	table := r.table().TableName
	s := r.sweeper(table)
	r.put(table, "in an hour", at(time.Now().Add(time.Hour)))
	s.Notice(t.Context())
	c.Advance(9 * 365 * 24 * time.Hour)
	s.Sweep(t.Context())
	if got := r.left(table); got != "" {
		t.Errorf("left: %q", got)
	}
}

func TestTTLDeletesByTheClockCarryTheIdentityOfTheService(t *testing.T) {
	t.Parallel()
	r, c := newClockedRig(t)
	table := r.table()
	s := r.sweeper(table.TableName)
	r.put(table.TableName, "in an hour", at(time.Now().Add(time.Hour)))
	s.Notice(t.Context())
	c.Advance(2 * time.Hour)
	s.Sweep(t.Context())
	records := r.records(table.LatestStreamArn)
	if last := records[len(records)-1]; last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity == nil {
		t.Errorf("the last record is %s by %v", last.EventName, last.UserIdentity)
	}
}

func TestTTLDeletesOfOneTableAreNotThoseOfAnother(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	expiring, other := r.table(), r.table()
	expired := at(longAgo())
	for _, table := range []*string{expiring.TableName, other.TableName} {
		r.put(table, "a", expired)
	}
	r.sweeper(expiring.TableName).Sweep(t.Context())
	deleteItem(t, r, other.TableName, "a")
	records := r.records(other.LatestStreamArn)
	if last := records[len(records)-1]; last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity != nil {
		t.Errorf("the last record is %s by %v, want the delete of a client", last.EventName, last.UserIdentity)
	}
}

func TestTTLDeletesAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expiries.json")
	before := newRigWith(t, dynamo.FrontOptions{Expiries: file})
	table := before.table()
	before.put(table.TableName, "expired", at(longAgo()))
	before.sweeper(table.TableName).Sweep(t.Context())
	before.front.Close()
	after := newRigWith(t, dynamo.FrontOptions{Expiries: file})
	records := after.records(table.LatestStreamArn)
	if last := records[len(records)-1]; last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity == nil {
		t.Errorf("the last record is %s by %v, want TTL's", last.EventName, last.UserIdentity)
	}
}

func TestAFileOfExpiriesThatIsNoneIsForgotten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expiries.json")
	if err := os.WriteFile(file, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRigWith(t, dynamo.FrontOptions{Expiries: file})
	r.put(r.table().TableName, "a", nil)
}

func TestSweepsAtTheSameTimeDoNotHideWhoseDeletesTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	const items = 30
	for i := range items {
		r.put(table.TableName, strconv.Itoa(i), at(longAgo()))
	}
	s := r.sweeper(table.TableName)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { s.Sweep(t.Context()) })
	}
	wait.Wait()
	deleted := 0
	for _, record := range r.records(table.LatestStreamArn) {
		if record.EventName == streamtypes.OperationTypeRemove && record.UserIdentity != nil {
			deleted++
		}
	}
	if deleted != items {
		t.Errorf("%d of %d deletes are TTL's", deleted, items)
	}
}
