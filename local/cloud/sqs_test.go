package cloud

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAFunctionCannotTakeIsCountedInItsQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	function := r.put(typeFunction, "f", functionInputs("f", "1"))
	table := r.put(typeTable, "t", tableInputs(Properties{"streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES"}))
	queue := r.put(typeQueue, "q", Properties{"name": "letters"})
	mapping := r.put(typeMapping, "m", Properties{
		"eventSourceArn": table.Outputs["streamArn"], "functionName": function.Outputs["arn"],
		"startingPosition": "TRIM_HORIZON", "maximumRetryAttempts": 0.0, "batchSize": 1.0,
		"destinationConfig": map[string]any{"onFailure": map[string]any{"destinationArn": queue.Outputs["arn"]}},
	})
	r.putItem(table, "one", nil)
	r.putItem(table, "two", nil)
	letters := func() int { return r.Overview().Queues[0].Messages }
	eventually(t, "two dead letters are counted", func() bool { return letters() == 2 })
	if diff := cmp.Diff([]string{"one", "two"}, r.lettersKeys()); diff != "" {
		t.Errorf("sort keys of the records that the letters speak of (-want +got):\n%s", diff)
	}
	r.restart()
	if got := letters(); got != 2 {
		t.Errorf("after a restart: %d, want 2", got)
	}
	r.putItem(table, "three", nil)
	// A letter whose checkpoint was not saved before the restart is sent again.
	eventually(t, "after a restart the mapping goes on", func() bool { return letters() >= 3 })
	r.delete(mapping)
	r.delete(queue)
	if _, err := os.Stat(r.letters.path(queue.Outputs.text("arn"))); !os.IsNotExist(err) {
		t.Errorf("the deleted queue's file: %v, want it gone", err)
	}
}

// lettersKeys are the sort keys of the records of all dead letters, sorted.
func (r *rig) lettersKeys() []string {
	r.t.Helper()
	letters, err := r.DeadLetters(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var keys []string
	for _, letter := range letters {
		if letter.Queue != "letters" || letter.SentAt.IsZero() || !json.Valid(letter.Body) {
			r.t.Errorf("letter %+v", letter)
		}
		for _, record := range letter.Records {
			var event struct {
				DynamoDB struct {
					Keys struct{ SK struct{ S string } }
				}
			}
			if err := json.Unmarshal(record, &event); err != nil {
				r.t.Fatal(err)
			}
			keys = append(keys, event.DynamoDB.Keys.SK.S)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestClearedDeadLettersAreGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	queue := r.put(typeQueue, "q", Properties{"name": "letters"})
	if err := r.letters.send(queue.Outputs.text("arn"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := r.ClearDeadLetters(); err != nil {
		t.Fatal(err)
	}
	if letters, err := r.DeadLetters(t.Context()); err != nil || len(letters) != 0 {
		t.Errorf("%v, %v", letters, err)
	}
}

func TestDeadLettersAreALineEach(t *testing.T) {
	t.Parallel()
	letters := &deadLetters{dir: t.TempDir()}
	const queue = "arn:aws:sqs:us-east-1:000000000000:q"
	for range 2 {
		if err := letters.send(queue, []byte("{\n\"a\": 1\n}")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(letters.path(queue))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\"a\": 1}\n{\"a\": 1}\n", string(got)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if other := letters.count("arn:aws:sqs:us-east-1:000000000000:other"); other != 0 {
		t.Errorf("another queue holds %d", other)
	}
}
