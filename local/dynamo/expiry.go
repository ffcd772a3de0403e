package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/internal/atomicfile"
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
type expiry struct{ Table, Key, TTL string }

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

// A kept is an expiry as the file has it.
type kept struct {
	expiry
	Attribute string
}

// save writes the expiries to a file, for the records that are read after a
// restart.
func (e *expiries) save(file string) error {
	e.mu.Lock()
	all := []kept{}
	for _, generation := range []map[expiry]string{e.old, e.now} {
		for id, attribute := range generation {
			all = append(all, kept{id, attribute})
		}
	}
	e.mu.Unlock()
	return atomicfile.Replace(file, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(all) })
}

// load reads what save wrote. That there is no file is no error.
func (e *expiries) load(file string) error {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var all []kept
	if err := json.Unmarshal(content, &all); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.old = map[expiry]string{}
	for _, k := range all {
		e.old[k.expiry] = k.Attribute
	}
	return nil
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
