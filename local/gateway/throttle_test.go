package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

// upgradeStatus asks for a connection and tells how it was answered.
func (r *memoryRig) upgradeStatus() int {
	r.t.Helper()
	conn, response, err := websocket.Dial(r.t.Context(), "ws://local/prod", &websocket.DialOptions{HTTPClient: r.client})
	if err == nil {
		r.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	if response == nil {
		r.t.Fatal(err)
	}
	return response.StatusCode
}

func TestNewConnectionsAboveTheirRateAreRefusedWith429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect, connected := recorded(ok)
		fns := functions{"$connect": connect}
		r := startInMemory(t, declare(fns), gateway.Options{Invoker: fns, Limits: gateway.Limits{Connects: 2}})
		for i, want := range []int{101, 101, 429} {
			if got := r.upgradeStatus(); got != want {
				t.Errorf("connection %d: status %d, want %d", i+1, got, want)
			}
		}
		time.Sleep(time.Second)
		if got := r.upgradeStatus(); got != 101 {
			t.Errorf("a second later: status %d", got)
		}
		if got := len(connected); got != 3 {
			t.Errorf("$connect ran %d times, want 3", got)
		}
	})
}

func TestAWSTakes500NewConnectionsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fns := functions{"$connect": returns(`{"statusCode":403}`)}
		r := startInMemory(t, declare(fns), gateway.Options{Invoker: fns})
		for i := range 500 {
			if got := r.upgradeStatus(); got != 403 {
				t.Fatalf("connection %d: status %d", i+1, got)
			}
		}
		if got := r.upgradeStatus(); got != 429 {
			t.Errorf("connection 501: status %d", got)
		}
	})
}

// get asks @connections of an API for a connection that never was: 410, unless
// it is throttled.
func (r *memoryRig) get(apiID string) int {
	request := httptest.NewRequest(http.MethodGet, "/prod/@connections/"+neverWas, nil)
	w := httptest.NewRecorder()
	r.Handler(apiID).ServeHTTP(w, request)
	return w.Code
}

func TestMessagesAndManagementOfAllAPIsShareOneThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fns := functions{"$default": returns(`{"statusCode":200,"body":"done"}`)}
		r := startInMemory(t, twoWay(declare(fns)), gateway.Options{Invoker: fns, Limits: gateway.Limits{Requests: 1, Burst: 3}})
		other := declare(fns)
		other.ID = "other"
		if err := r.Put(other); err != nil {
			t.Fatal(err)
		}
		conn := r.dial()
		exchange := func(want string) {
			t.Helper()
			send(t, conn, "x")
			got := receive(t, conn)
			if want == "done" && got != want || want != "done" && !serviceFrame(want).MatchString(got) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		manage := func(apiID string, want int) {
			t.Helper()
			if got := r.get(apiID); got != want {
				t.Errorf("@connections of %s: %d, want %d", apiID, got, want)
			}
		}
		exchange("done") // the bucket holds three, whoever takes them
		manage(r.api.ID, 410)
		manage("other", 410)
		exchange("Too Many Requests")
		manage(r.api.ID, 429)
		manage("other", 429)
		time.Sleep(time.Second)
		exchange("done") // the connection is still open
		manage("other", 429)
	})
}

func TestAWSTakes10000RequestsASecondFromABucketOf5000(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startInMemory(t, declare(functions{}), gateway.Options{})
		taken := func() (n int) {
			for r.get(r.api.ID) == 410 {
				n++
			}
			return n
		}
		if got := taken(); got != 5000 {
			t.Errorf("%d at once, want 5000", got)
		}
		time.Sleep(100 * time.Millisecond)
		if got := taken(); got != 1000 {
			t.Errorf("%d after a tenth of a second, want 1000", got)
		}
		time.Sleep(time.Hour)
		if got := taken(); got != 5000 {
			t.Errorf("%d after an hour, want 5000", got)
		}
	})
}

func TestThrottledRequestIsWhatTheSDKKnowsAsLimitExceeded(t *testing.T) {
	t.Parallel()
	r := start(t, declare(functions{}), gateway.Options{Limits: gateway.Limits{Requests: 1, Burst: 1}})
	r.dial()
	id := r.onlyID()
	_ = r.post(t.Context(), id, "x")
	var got string
	eventually(t, "a post is throttled", func() bool {
		got = failure(r.post(t.Context(), id, "x"))
		return got != "none"
	})
	if got != "429 LimitExceededException" {
		t.Errorf("got %s", got)
	}
}

func TestRouteSettingsThrottleAStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := returns(`{"statusCode":200,"body":"done"}`)
		fns := functions{"a": body, "b": body, "own": body, "$connect": ok, "$disconnect": ok}
		api := twoWay(declare(fns))
		api.Stages["prod"] = gateway.Stage{
			DefaultRouteSettings: gateway.RouteSettings{ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2},
			RouteSettings: map[string]gateway.RouteSettings{
				"own":      {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 3},
				"$connect": {ThrottlingRateLimit: 0.5, ThrottlingBurstLimit: 1},
			},
		}
		r := startInMemory(t, api, gateway.Options{Invoker: fns})
		conn := r.dial()
		if got := r.upgradeStatus(); got != 429 {
			t.Errorf("a second connection: status %d", got)
		}
		for i, test := range []struct{ action, want string }{
			{"a", "done"},
			{"b", "done"},
			{"a", "Too Many Requests"},
			{"b", "Too Many Requests"},
			{"own", "done"},
			{"own", "done"},
			{"own", "done"},
			{"own", "Too Many Requests"},
			{"none", "Forbidden"},
		} {
			send(t, conn, `{"action":"`+test.action+`"}`)
			if got := receive(t, conn); got != test.want && !serviceFrame(test.want).MatchString(got) {
				t.Errorf("message %d to %s: %s, want %s", i+1, test.action, got, test.want)
			}
		}
		time.Sleep(time.Second)
		send(t, conn, `{"action":"b"}`)
		if got := receive(t, conn); got != "done" {
			t.Errorf("a second later: %s", got)
		}
	})
}
