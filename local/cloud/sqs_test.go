package cloud

import (
	"os"
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
