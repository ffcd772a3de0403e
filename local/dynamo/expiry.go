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

// An expiry is an item, by its table and its key as JSON with sorted names, and
// the TTL that it expired by.
type expiry struct{ table, key, ttl string }

func newExpiries() *expiries { return &expiries{now: map[expiry]string{}} }

// add notes that an item is about to be deleted because of the TTL in its
// attribute. forget takes that back.
func (e *expiries) add(table string, key map[string]types.AttributeValue, attribute, ttl string) (forget func()) {
	id := expiry{table, canonicalKey(wireKey(key)), ttl}
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

// has reports whether the delete of a table's item, given by the JSON of its key
// and of its last image, was TTL's. A stream without old images cannot tell.
func (e *expiries) has(table string, keys, oldImage json.RawMessage) bool {
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
		id := expiry{table, canonical, number}
		if e.now[id] == name || e.old[id] == name {
			return true
		}
	}
	return false
}

// identify gives a table's record of a TTL delete the identity that AWS gives it.
func (e *expiries) identify(table string, record fields) {
	if record.text("eventName") != "REMOVE" {
		return
	}
	if change := record.object("dynamodb"); e.has(table, change["Keys"], change["OldImage"]) {
		record["userIdentity"] = json.RawMessage(`{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`)
	}
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
