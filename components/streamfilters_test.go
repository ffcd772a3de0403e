package components

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat/chattable"
)

// keyPattern is a filter pattern on a record's keys: for each key, texts or
// prefixes of which one must match.
type keyPattern struct {
	DynamoDB struct {
		Keys map[string]struct{ S []any }
	}
}

func (p keyPattern) match(keys map[string]events.DynamoDBAttributeValue) bool {
	for name, allowed := range p.DynamoDB.Keys {
		matched := false
		for _, a := range allowed.S {
			switch a := a.(type) {
			case string:
				matched = matched || keys[name].String() == a
			case map[string]any:
				matched = matched || strings.HasPrefix(keys[name].String(), a["prefix"].(string))
			}
		}
		if !matched {
			return false
		}
	}
	return true
}

// TestStreamFiltersKeepNothingFromTheChat: what the chat makes anything of
// passes the filters, and stored messages, of which there are most, do not.
func TestStreamFiltersKeepNothingFromTheChat(t *testing.T) {
	t.Parallel()
	var patterns []keyPattern
	for _, f := range streamFilters() {
		var p keyPattern
		if err := json.Unmarshal([]byte(f), &p); err != nil {
			t.Fatal(err)
		}
		if len(p.DynamoDB.Keys) == 0 {
			t.Fatalf("pattern %s is not on keys", f)
		}
		patterns = append(patterns, p)
	}
	files, err := filepath.Glob("../chat/chattable/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stream records to try: %v", err)
	}
	passed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var record events.DynamoDBEventRecord
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		change, err := chattable.DecodeRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		passes := false
		for _, p := range patterns {
			passes = passes || p.match(record.Change.Keys)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if change != nil && !passes {
			t.Errorf("%s is kept from the chat, which would make of it a %T", name, change)
		}
		if passes && (name == "message-insert" || name == "channel-insert" || name == "other-insert") {
			t.Errorf("%s costs an invocation for nothing", name)
		}
		if passes {
			passed++
		}
	}
	if passed == 0 {
		t.Error("nothing passes the filters")
	}
}
