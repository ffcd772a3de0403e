package cloud

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/dynamo/dynamotest"
)

func index(name, hash, projection string, more ...string) any {
	i := map[string]any{"name": name, "hashKey": hash, "projectionType": projection}
	if len(more) > 0 {
		var list []any
		for _, name := range more {
			list = append(list, name)
		}
		i["nonKeyAttributes"] = list
	}
	return i
}

// indexes are a table's indexes as the engine has them: name, hash key with its
// type, projection.
func (r *rig) indexes(table *Resource) []string {
	r.t.Helper()
	described := r.describe(table)
	names := attributeTypes(described.AttributeDefinitions)
	var list []string
	for _, index := range described.GlobalSecondaryIndexes {
		key := aws.ToString(index.KeySchema[0].AttributeName)
		projected := append([]string{string(index.Projection.ProjectionType)}, index.Projection.NonKeyAttributes...)
		list = append(list, strings.Join(append([]string{*index.IndexName, key, string(names[key])}, projected...), " "))
	}
	slices.Sort(list)
	return list
}

func (r *rig) describe(table *Resource) *types.TableDescription {
	r.t.Helper()
	out, err := r.table.DescribeTable(r.t.Context(), &dynamodb.DescribeTableInput{TableName: &table.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	return out.Table
}

func (r *rig) putItem(table *Resource, sk string, rest map[string]types.AttributeValue) {
	r.t.Helper()
	item := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: sk},
	}
	for name, value := range rest {
		item[name] = value
	}
	if _, err := r.table.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: &table.ID, Item: item}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) items(table *Resource) int {
	r.t.Helper()
	out, err := r.table.Scan(r.t.Context(), &dynamodb.ScanInput{TableName: &table.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	return len(out.Items)
}

func TestIndexesBecomeAsDeclaredAndItemsStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(nil))
	r.putItem(table, "kept", nil)
	for _, step := range []struct {
		name       string
		attributes []any
		indexes    []any
		want       []string
	}{
		{"added", []any{attribute("user", "S")}, []any{index("byUser", "user", "KEYS_ONLY")}, []string{"byUser user S KEYS_ONLY"}},
		{
			"another added",
			[]any{attribute("user", "S"), attribute("day", "N")},
			[]any{index("byUser", "user", "KEYS_ONLY"), index("byDay", "day", "INCLUDE", "b", "a")},
			[]string{"byDay day N INCLUDE b a", "byUser user S KEYS_ONLY"},
		},
		{
			"in another order of attributes: the same",
			[]any{attribute("user", "S"), attribute("day", "N")},
			[]any{index("byUser", "user", "KEYS_ONLY"), index("byDay", "day", "INCLUDE", "a", "b")},
			[]string{"byDay day N INCLUDE b a", "byUser user S KEYS_ONLY"},
		},
		{
			"projection changed, one removed",
			[]any{attribute("user", "S")},
			[]any{index("byUser", "user", "ALL")},
			[]string{"byUser user S ALL"},
		},
		{
			"key changed",
			[]any{attribute("member", "S")},
			[]any{index("byUser", "member", "ALL")},
			[]string{"byUser member S ALL"},
		},
		{
			"type of the key changed",
			[]any{attribute("member", "N")},
			[]any{index("byUser", "member", "ALL")},
			[]string{"byUser member N ALL"},
		},
		{"removed", nil, nil, nil},
	} {
		attributes := append([]any{attribute("pk", "S"), attribute("sk", "S")}, step.attributes...)
		table = r.update(table, Properties{"attributes": attributes, "globalSecondaryIndexes": step.indexes})
		if diff := cmp.Diff(step.want, r.indexes(table)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		if got := r.items(table); got != 1 {
			t.Fatalf("%s: %d items, want 1", step.name, got)
		}
	}
}

func TestTheStreamIsSwitchedAsDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(nil))
	if arn := table.Outputs.text("streamArn"); arn != "" {
		t.Errorf("without a stream: stream ARN %s", arn)
	}
	table = r.update(table, Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"})
	first := table.Outputs.text("streamArn")
	if want := "arn:aws:dynamodb:us-east-1:000000000000:table/" + table.ID + "/stream/"; !strings.HasPrefix(first, want) {
		t.Errorf("switched on: stream ARN %q, want %s…", first, want)
	}
	if same := r.update(table, nil).Outputs.text("streamArn"); same != first {
		t.Errorf("unchanged: stream ARN %s, want %s", same, first)
	}
	table = r.update(table, Properties{"streamViewType": "NEW_AND_OLD_IMAGES"})
	if got := r.describe(table).StreamSpecification; got == nil || got.StreamViewType != types.StreamViewTypeNewAndOldImages {
		t.Errorf("another view type: %+v", got)
	}
	if second := table.Outputs.text("streamArn"); second == first {
		t.Error("another view type: the stream's ARN is the same, on AWS it is a new stream's")
	}
	table = r.update(table, Properties{"streamEnabled": false, "streamViewType": nil})
	if got := r.describe(table).StreamSpecification; got != nil && aws.ToBool(got.StreamEnabled) {
		t.Errorf("switched off: %+v", got)
	}
}

func TestExpiredItemsAreSweptByTheAttributeThatIsDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ttl := func(attribute string, on bool) Properties {
		return Properties{"ttl": map[string]any{"attributeName": attribute, "enabled": on}}
	}
	table := r.put(typeTable, "t", tableInputs(ttl("ttl", true)))
	past := &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)}
	sweep := func(when string, want int) {
		t.Helper()
		r.sweeper.Sweep(t.Context())
		if got := r.items(table); got != want {
			t.Errorf("%s: %d items, want %d", when, got, want)
		}
	}
	r.putItem(table, "a", map[string]types.AttributeValue{"ttl": past})
	r.putItem(table, "b", map[string]types.AttributeValue{"expires": past})
	sweep("by ttl", 1)
	r.restart()
	r.putItem(table, "c", map[string]types.AttributeValue{"ttl": past})
	sweep("after a restart", 1)
	table = r.update(table, ttl("expires", true))
	r.putItem(table, "d", map[string]types.AttributeValue{"ttl": past})
	sweep("by another attribute", 1)
	table = r.update(table, ttl("expires", false))
	r.putItem(table, "e", map[string]types.AttributeValue{"expires": past})
	sweep("switched off", 2)
}

func TestATableKeepsItsItemsOverARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(nil))
	r.putItem(table, "kept", nil)
	r.restart()
	if got := r.items(table); got != 1 {
		t.Errorf("%d items, want 1", got)
	}
}

func TestDeletionProtectionKeepsATable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(Properties{deletionProtection: true}))
	if err := r.Delete(t.Context(), typeTable, table.ID); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("%v, want a refusal that says why", err)
	}
	r.describe(table)
	r.delete(r.update(table, Properties{deletionProtection: false}))
	_, err := r.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table.ID})
	if err == nil {
		t.Error("the table is still there")
	}
}

func TestATableWithOtherKeysIsNotTakenOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.put(typeTable, "t", tableInputs(nil))
	for name, changes := range map[string]Properties{
		"another type": {"attributes": []any{attribute("pk", "S"), attribute("sk", "N")}},
		"another name": {"attributes": []any{attribute("pk", "S"), attribute("id", "S")}, "rangeKey": "id"},
	} {
		if _, err := r.tryUpdate(table, changes); err == nil || !strings.Contains(err.Error(), "keys, which cannot be changed") {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

func TestATableThatCannotBeFinishedIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	real, err := url.Parse(dynamotest.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	pass := httputil.NewSingleHostReverseProxy(real)
	pass.Transport = transport
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateTimeToLive") {
			http.Error(w, `{"__type":"ValidationException","message":"no TTL today"}`, http.StatusBadRequest)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(engine.Close)
	r := &rig{t: t, dir: t.TempDir(), endpoint: engine.URL, logged: &logged{}}
	r.open()
	t.Cleanup(func() { r.Close() })

	in := tableInputs(Properties{"ttl": map[string]any{"attributeName": "ttl", "enabled": true}})
	if _, err := r.Put(t.Context(), declared(typeTable, "t", in)); err == nil || !strings.Contains(err.Error(), "no TTL today") {
		t.Fatalf("%v, want what the engine says", err)
	}
	_, err = r.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(in.text("name"))})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("the table is there: %v", err)
	}
}

func TestATableThatWasBeingMadeWhenTheCloudWasKilledGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	finished := r.put(typeTable, "finished", tableInputs(nil))
	in := tableInputs(nil)
	half := declared(typeTable, "half", in)
	half.ID = in.text("name")
	// As after a kill between the engine's work and its note.
	if err := r.notes.begin(half.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.table.CreateTable(t.Context(), createTable(&half)); err != nil {
		t.Fatal(err)
	}
	r.restart()
	var missing *types.ResourceNotFoundException
	if _, err := r.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &half.ID}); !errors.As(err, &missing) {
		t.Errorf("the half made table: %v, want it gone", err)
	}
	if _, err := r.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &finished.ID}); err != nil {
		t.Errorf("the finished table: %v", err)
	}
	if left := r.notes.unfinished(); len(left) > 0 {
		t.Errorf("still unfinished: %v", left)
	}
}
