package cloud

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/chatstack/local/dynamo"
)

func TestAnAPIIsServedFromItsDeclarationToItsDeletion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("life")
	if got := r.ask(s.url(), `{"action":"say"}`); got != "version 1" {
		t.Errorf("answer %q, want that of the function", got)
	}

	t.Run("an open connection sees new code", func(t *testing.T) {
		conn, _, err := websocket.Dial(t.Context(), s.url(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		r.update(s.function, functionInputs("life", "2"))
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"action":"say"}`)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(t.Context())
		if err != nil || string(answer) != "version 2" {
			t.Errorf("answer %q, %v; want that of the new code", answer, err)
		}
	})

	for _, part := range slices.Backward(s.parts()) {
		r.delete(part)
	}
	if _, _, err := websocket.Dial(t.Context(), s.url(), nil); err == nil {
		t.Error("the API still takes connections")
	}
	if _, err := os.Stat(filepath.Join(r.dir, "functions", "life")); !os.IsNotExist(err) {
		t.Errorf("the function's code: %v, want it gone", err)
	}
	if !r.notes.empty() {
		t.Error("something is still noted")
	}
}

func TestTwoAPIsMayHaveStagesOfOneName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.serve("one"), r.serve("two")
	r.restart()
	for _, s := range []served{one, two} {
		if got := r.ask(s.url(), `{"action":"say"}`); got != "version 1" {
			t.Errorf("%s: answer %q", s.api.URN, got)
		}
	}
	r.delete(one.stage)
	if got := r.ask(two.url(), `{"action":"say"}`); got != "version 1" {
		t.Errorf("after the other's stage was deleted: answer %q", got)
	}
}

func TestARestartKeepsIDsAndAddressesAndRunsEverythingAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.SetRegion("eu-west-1"); err != nil {
		t.Fatal(err)
	}
	s := r.serve("kept")
	table := r.put(typeTable, "table", tableInputs(Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"}))
	mapping := r.put(typeMapping, "mapping", Properties{
		"eventSourceArn": table.Outputs["streamArn"], "functionName": s.function.Outputs["arn"], "startingPosition": "LATEST",
	})
	s.function = r.update(s.function, Properties{"environment": map[string]any{"variables": map[string]any{"TABLE_NAME": table.ID}}})
	client, before := r.Client(), r.Overview()
	r.restart()
	if diff := cmp.Diff(client, r.Client()); diff != "" {
		t.Errorf("the table's address (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before, r.Overview(), cmpopts.IgnoreFields(Mapping{}, "Status")); diff != "" {
		t.Errorf("what runs (-before +after):\n%s", diff)
	}
	for _, resource := range append(s.parts(), table, mapping) {
		if change := r.diff(resource); change.Properties != nil {
			t.Errorf("%s would be changed: %v", resource.URN, change.Properties)
		}
	}
	if got := r.ask(s.url(), `{"action":"table"}`); got != "version 1" {
		t.Errorf("the function reads the table: %q", got)
	}
}

func TestATakenPortMovesAndDiffSaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("moves")
	r.restart(func() {
		address := strings.TrimPrefix(s.api.Outputs.text("apiEndpoint"), "ws://")
		// A process that another test starts meanwhile may hold it for a moment.
		eventually(t, "the port is free", func() bool {
			other, err := net.Listen("tcp", address)
			if err == nil {
				t.Cleanup(func() { other.Close() })
			}
			return err == nil
		})
	})
	if diff := cmp.Diff(Change{Properties: []string{"apiEndpoint"}}, r.diff(s.api)); diff != "" {
		t.Errorf("API (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Change{Properties: []string{"invokeUrl"}}, r.diff(s.stage)); diff != "" {
		t.Errorf("stage (-want +got):\n%s", diff)
	}
	after := r.update(s.stage, nil)
	if change := r.diff(after); change.Properties != nil {
		t.Errorf("after the update: %v would be changed", change.Properties)
	}
	if got := r.ask(after.Outputs.text("invokeUrl"), `{"action":"say"}`); got != "version 1" {
		t.Errorf("answer %q at the new address", got)
	}
}

func TestWhatWasLostIsReportedAndMadeAgainUnderItsID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("lost")
	r.restart(func() {
		if err := os.Remove(filepath.Join(r.dir, "resources.json")); err != nil {
			t.Fatal(err)
		}
	})
	for _, resource := range s.parts() {
		if diff := cmp.Diff(Change{Properties: []string{"id"}}, r.diff(resource)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", resource.URN, diff)
		}
		again := r.update(resource, nil)
		if again.ID != resource.ID {
			t.Errorf("%s has the ID %s, want %s", resource.URN, again.ID, resource.ID)
		}
		if resource == s.stage {
			s.stage = again
		}
	}
	if got := r.ask(s.url(), `{"action":"say"}`); got != "version 1" {
		t.Errorf("answer %q", got)
	}
}

func TestWhatDoesNotRunAfterARestartIsLeftOutAndReported(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("broken")
	r.restart(func() {
		if err := os.RemoveAll(filepath.Join(r.dir, "functions")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(r.dir, "resources.json")
		noted, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		gone := strings.ReplaceAll(string(noted), filepath.Join(code, "1.zip"), filepath.Join(code, "gone.zip"))
		if err := os.WriteFile(file, []byte(gone), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	if diff := cmp.Diff(Change{Properties: []string{"id"}}, r.diff(s.function)); diff != "" {
		t.Errorf("function (-want +got):\n%s", diff)
	}
	if change := r.diff(s.api); change.Properties != nil {
		t.Errorf("the API would be changed: %v", change.Properties)
	}
	if len(r.logged.with("a resource does not run")) != 1 {
		t.Errorf("logged: %q, want the function once", r.logged.lines)
	}
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "resources.json")
	if err := os.WriteFile(file, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v, want the file's name", err)
	}
}

func TestACloudWithoutItsEngineDoesNotOpen(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Options{Dir: t.TempDir(), Engine: dynamo.EngineOptions{Endpoint: "localhost"}})
	if err == nil || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("%v, want the endpoint's fault", err)
	}
}

func TestFunctionsAreToldThatServicesAreNotRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("elsewhere")
	got := r.ask(s.url(), `{"action":"elsewhere"}`)
	if want := "NotRunLocally: the local cloud does not run execute-api"; !strings.Contains(got, want) {
		t.Errorf("the function is told %q, want %q", got, want)
	}
}

func TestEachFunctionHasCredentialsOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.serve("one"), r.serve("two")
	const frame = `{"action":"key"}`
	first, second := r.ask(one.url(), frame), r.ask(two.url(), frame)
	if len(first) != 20 || !strings.HasPrefix(first, "ASIA") || first == second {
		t.Errorf("access keys %q and %q, want two like AWS's temporary ones", first, second)
	}
	if again := r.ask(one.url(), frame); again != first {
		t.Errorf("the access key %q has become %q", first, again)
	}
}

func TestWhatRunsCanBeSeenWhileAChangeIsMade(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.put(typeAPI, "a", Properties{"name": "a", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
	r.changes.Lock()
	defer r.changes.Unlock()
	if len(r.Overview().APIs) != 0 || r.Get(typeAPI, api.ID) == nil || r.diff(api).Properties != nil || r.Client().Region != r.Region() {
		t.Error("something else is seen")
	}
}

// TestChangesThatAreMadeAtOnceAreAllNoted declares resources as the Pulumi engine
// does, many at a time, while others look on.
func TestChangesThatAreMadeAtOnceAreAllNoted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.put(typeAPI, "a", Properties{"name": "a", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
	const count = 10 // as many stages as an API may have
	var all sync.WaitGroup
	for i := range count {
		name := fmt.Sprint("s", i)
		all.Go(func() {
			put, err := r.Put(t.Context(), declared(typeStage, name, Properties{"apiId": api.ID, "name": name, "autoDeploy": true}))
			if err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				if err := r.Delete(t.Context(), typeStage, put.ID); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() { r.Overview() })
	}
	all.Wait()
	r.restart()
	var want, got []string
	for i := 1; i < count; i += 2 {
		want = append(want, fmt.Sprint("s", i))
	}
	for _, stage := range r.Overview().APIs {
		got = append(got, stage.Stage)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}

func TestTheRegionIsFixedWhileSomethingIsDeployed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if got := r.Region(); got != DefaultRegion {
		t.Errorf("Region %s, want %s", got, DefaultRegion)
	}
	if err := r.SetRegion("eu-west-1"); err != nil {
		t.Fatal(err)
	}
	table := r.put(typeTable, "t", tableInputs(Properties{"streamEnabled": true, "streamViewType": "KEYS_ONLY"}))
	for _, name := range []string{"arn", "streamArn"} {
		if arn := table.Outputs.text(name); !strings.HasPrefix(arn, "arn:aws:dynamodb:eu-west-1:000000000000:table/"+table.ID) {
			t.Errorf("%s is %s", name, arn)
		}
	}
	if err := r.SetRegion("us-west-2"); err == nil || !strings.Contains(err.Error(), "eu-west-1") {
		t.Errorf("another Region: %v, want a refusal that names the first", err)
	}
	for _, same := range []string{"", "eu-west-1"} {
		if err := r.SetRegion(same); err != nil {
			t.Errorf("SetRegion(%q): %v", same, err)
		}
	}
	r.delete(table)
	if err := r.SetRegion("us-west-2"); err != nil {
		t.Errorf("when nothing is deployed any more: %v", err)
	}
	r.restart()
	if got := r.Region(); got != "us-west-2" {
		t.Errorf("after a restart the Region is %s", got)
	}
}
