package dynamo

import (
	"encoding/json"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// rememberExpiries is how many TTL deletes are told from other deletes, at
// least; event source mappings read them within moments.
const rememberExpiries = 50_000

// expiries remembers which deletes were TTL's, so that their stream records can
// say so. It forgets the oldest, a generation at a time.
type expiries struct {
	mu       sync.Mutex
	now, old map[expiry]string // to the name of the TTL attribute
}

// An expiry is an item's key, as JSON with sorted names, and the TTL that it
// expired by.
type expiry struct{ key, ttl string }

func newExpiries() *expiries { return &expiries{now: map[expiry]string{}} }

// add notes that an item is about to be deleted because of the TTL in its
// attribute. forget takes that back.
func (e *expiries) add(key map[string]types.AttributeValue, attribute, ttl string) (forget func()) {
	id := expiry{canonicalKey(wireKey(key)), ttl}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.now) >= rememberExpiries {
		e.now, e.old = map[expiry]string{}, e.now
	}
	e.now[id] = attribute
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.now, id)
		delete(e.old, id)
	}
}

// has reports whether the delete of an item, given by the JSON of its key and
// of its last image, was TTL's. A stream without old images cannot tell.
func (e *expiries) has(keys, oldImage json.RawMessage) bool {
	var key, image map[string]map[string]any
	if json.Unmarshal(keys, &key) != nil || json.Unmarshal(oldImage, &image) != nil {
		return false
	}
	canonical := canonicalKey(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, value := range image {
		number, ok := value["N"].(string)
		if !ok {
			continue
		}
		id := expiry{canonical, number}
		if e.now[id] == name || e.old[id] == name {
			return true
		}
	}
	return false
}

// identify gives the records of TTL deletes in an answer to GetRecords the
// identity that AWS gives them.
func (e *expiries) identify(body []byte) []byte {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	var records []map[string]json.RawMessage
	if json.Unmarshal(answer["Records"], &records) != nil {
		return body
	}
	changed := false
	for _, record := range records {
		var change struct{ Keys, OldImage json.RawMessage }
		if string(record["eventName"]) != `"REMOVE"` || json.Unmarshal(record["dynamodb"], &change) != nil {
			continue
		}
		if e.has(change.Keys, change.OldImage) {
			record["userIdentity"] = json.RawMessage(`{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`)
			changed = true
		}
	}
	if !changed {
		return body
	}
	rewritten, err := json.Marshal(records)
	if err != nil {
		return body
	}
	answer["Records"] = rewritten
	if rewritten, err = json.Marshal(answer); err != nil {
		return body
	}
	return rewritten
}

// wireKey turns the SDK's form of a key into the wire's.
func wireKey(key map[string]types.AttributeValue) map[string]map[string]any {
	wire := map[string]map[string]any{}
	for name, value := range key {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			wire[name] = map[string]any{"S": v.Value}
		case *types.AttributeValueMemberN:
			wire[name] = map[string]any{"N": v.Value}
		case *types.AttributeValueMemberB:
			wire[name] = map[string]any{"B": v.Value}
		}
	}
	return wire
}

func canonicalKey(key map[string]map[string]any) string {
	text, err := json.Marshal(key) // map keys come sorted
	if err != nil {
		return ""
	}
	return string(text)
}
