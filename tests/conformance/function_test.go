package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A runtimeView is what a function that speaks the Runtime API by itself saw.
type runtimeView struct {
	PID, Status int
	Headers     map[string]string
	Before      map[string]struct {
		Status int
		Body   string
	}
	At int64
}

// runtimeAnswer reads the answer of the function that speaks the Runtime API.
func (conn *connection) runtimeAnswer() runtimeView {
	conn.c.Helper()
	frame := conn.receive()
	var view runtimeView
	if err := json.Unmarshal([]byte(frame), &view); err != nil || view.PID == 0 {
		conn.c.Fatalf("received %.300s, want what the function saw", frame)
	}
	return view
}

// environmentVariables are a function's, by name.
func environmentVariables(conn *connection) map[string]string {
	conn.c.Helper()
	variables := map[string]string{}
	for _, variable := range conn.ask(two("do", "env")).Environment {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return variables
}

// runtimeCase has the function that speaks the Runtime API do something out of
// the way, and then holds what it was answered. Its one process is asked by one
// case at a time.
func runtimeCase(do, call, frame string, status int, body string) func(c *check, s *subject) {
	return func(c *check, s *subject) {
		conn := s.dial(c, "main", dialOptions{})
		conn.send(to("runtime", "do", do))
		if frame != "" {
			serviceFrame(c, conn.receive(), frame)
		} else {
			conn.runtimeAnswer()
		}
		conn.send(to("runtime"))
		got := conn.runtimeAnswer().Before[call]
		if got.Status != status || !strings.Contains(got.Body, body) {
			c.Errorf("answered %d %s, want %d and %s", got.Status, got.Body, status, body)
		}
	}
}

// runtimeClaims are of the Runtime API (D1, D2).
func runtimeClaims() []claim {
	return []claim{
		{
			rows: "D1.next D1.headers", how: source,
			says: "next answers 200 with the request's id, deadline, function ARN and trace id",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("runtime"))
				view := conn.runtimeAnswer()
				if view.Status != http.StatusOK {
					c.Errorf("status is %d, want 200", view.Status)
				}
				for _, name := range []string{
					"Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Deadline-Ms", "Lambda-Runtime-Invoked-Function-Arn", "Lambda-Runtime-Trace-Id",
				} {
					if view.Headers[name] == "" {
						c.Errorf("there is no header %s in %v", name, view.Headers)
					}
				}
				deadline, err := strconv.ParseInt(view.Headers["Lambda-Runtime-Deadline-Ms"], 10, 64)
				if left := deadline - view.At; err != nil || left <= 0 || left > 10_000 {
					c.Errorf("the deadline is in %d ms, want up to 10000 (%v)", left, err)
				}
				if !strings.HasPrefix(view.Headers["Content-Type"], "application/json") {
					c.Errorf("Content-Type is %q, want application/json", view.Headers["Content-Type"])
				}
			},
		},
		{
			rows: "D1.response D2.state", how: source, when: alone,
			says: "response answers 202",
			run:  runtimeCase("", "response", "", http.StatusAccepted, ""),
		},
		{
			rows: "D1.error D1.error-headers", how: source, when: alone,
			says: "error answers 202, also with a header of almost 1 MiB",
			run:  runtimeCase("error", "error", "Internal server error", http.StatusAccepted, ""),
		},
		{
			rows: "D1.init-error D1.requests D1.error-body", how: source,
			says:    "What aws-lambda-go sends: chunked bodies, its user agent, the shape of errors, and never init/error",
			without: "a fact about a library, with which every other case of a function runs",
		},
		{
			rows: "D1.reuse", how: tried, when: alone,
			says: "A process is used again after an error that its handler returns, and not after a panic",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "guarded", orders("token", "allow"))
				fresh := conn.ask(two())
				conn.send(two("do", "error"))
				serviceFrame(c, conn.receive(), "Internal server error")
				again := conn.ask(two())
				if again.Began != fresh.Began {
					c.Errorf("process %d after an error, %d before", again.PID, fresh.PID)
				}
				conn.send(two("do", "panic"))
				serviceFrame(c, conn.receive(), "Internal server error")
				if after := conn.ask(two()); after.Began == again.Began {
					c.Errorf("process %d serves on after a panic", after.PID)
				}
			},
		},
		{
			rows: "D1.finished", how: documented, check: []string{"environments"},
			says: "An invocation is over only when the process asks for the next",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for range 10 {
					if a := conn.ask(two("quiet", true)); a.Active != 1 {
						c.Errorf("%d invocations at once in a process", a.Active)
					}
				}
			},
		},
		{
			rows: "D1.deadline", how: tried,
			says: "The context's deadline is the function's timeout away",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				if left := conn.ask(two("quiet", true)).Remaining; left <= 10_000 || left > 20_000 {
					c.Errorf("%d ms are left of 20 s", left)
				}
			},
		},
		{
			rows: "D1.concurrency", how: source,
			says: "AWS_LAMBDA_MAX_CONCURRENCY is not set: one invocation at a time in a process",
			run: func(c *check, s *subject) {
				if _, set := environmentVariables(s.dial(c, "main", dialOptions{}))["AWS_LAMBDA_MAX_CONCURRENCY"]; set {
					c.Errorf("AWS_LAMBDA_MAX_CONCURRENCY is set")
				}
			},
		},
		{
			rows: "D1.null", how: tried,
			says:    "A handler that returns only an error answers null",
			without: "a fact about a library; what null means has cases in A3 and A5",
		},
		{
			rows: "D1.sigterm", how: source, check: []string{"environments"}, when: alone,
			says: "A function that asked for SIGTERM gets it before its environment ends",
			aws:  "AWS states no time after which an unused environment ends",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				processes := map[int]bool{}
				for range 3 {
					conn.send(to("farewell", "ms", 500, "quiet", true))
				}
				for range 3 {
					processes[conn.answer().PID] = true
				}
				s.pass(c, time.Hour)
				eventually(c, "a note of an environment that ends", func() bool {
					for pid := range processes {
						if len(s.notes(c, fmt.Sprint("farewell-", pid))) > 0 {
							return true
						}
					}
					return false
				})
			},
		},
		{
			rows: "D1.sigkill", how: source,
			says:    "A function that did not ask for SIGTERM gets SIGKILL at once",
			without: "a process that is killed tells nobody: held beside the code (local/lambda)",
		},
		{
			rows: "D2.id", how: source, when: alone,
			says: "A response with a wrong id answers 400 InvalidRequestID",
			run:  runtimeCase("wrong-id", "wrong-id", "", http.StatusBadRequest, "InvalidRequestID"),
		},
		{
			rows: "D2.state", how: source, when: alone,
			says: "A second response to an invocation is refused",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("runtime", "do", "twice"))
				conn.runtimeAnswer()
				conn.send(to("runtime"))
				if got := conn.runtimeAnswer().Before["twice"]; got.Status != http.StatusBadRequest && got.Status != http.StatusForbidden {
					c.Errorf("answered %d %s, want 400 or 403", got.Status, got.Body)
				}
			},
		},
		{
			rows: "D2.large D4.payload", how: source, when: alone,
			says: "A response of more than 6 MiB and 100 bytes answers 413 RequestEntityTooLarge, and the invocation has failed",
			run:  runtimeCase("too-large", "too-large", "Internal server error", http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"),
		},
		{
			rows: "D2.exit", how: source,
			says: "A process that exits is Runtime.ExitError, Runtime exited with error: exit status N, in the log",
			aws:  inLog,
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("fragile", "do", "exit", "status", 7))
				serviceFrame(c, conn.receive(), "Internal server error")
				s.logged(c, "Runtime exited with error: exit status 7", "Runtime.ExitError")
			},
		},
		{
			rows: "D2.timeout", how: source,
			says: "A function that takes too long is Task timed out after N.00 seconds in the log",
			aws:  inLog,
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("brief", "ms", 5000))
				serviceFrame(c, conn.receive(), "Internal server error")
				s.logged(c, "Task timed out after 1.00 seconds")
			},
		},
		{
			rows: "D4.report", how: documented,
			says: "Each invocation has START, END and REPORT lines, with duration, billed duration and memory",
			aws:  inLog,
			run: func(c *check, s *subject) {
				s.dial(c, "main", dialOptions{}).ask(two())
				s.logged(c, "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "Duration: ", "Billed Duration: ", "Memory Size: 256 MB", "Max Memory Used: ")
			},
		},
	}
}

const inLog = "the words are in the log alone, which is no matter of these clients"

// logged waits until the functions' log has every text.
func (s *subject) logged(c *check, texts ...string) {
	c.Helper()
	eventually(c, "a log with "+strings.Join(texts, " and "), func() bool {
		log := s.cloud.run(c, "logs")
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
}

// environmentClaims are of a function's environment (D3).
func environmentClaims() []claim {
	return []claim{
		{
			rows: "D3.variables", how: documented,
			says: "Lambda sets the names, region, log, credential and path variables of its documentation",
			run: func(c *check, s *subject) {
				variables := environmentVariables(s.dial(c, "main", dialOptions{}))
				for _, name := range []string{
					"_HANDLER", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
					"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
					"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
					"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "TZ", "LANG", "PATH", "LD_LIBRARY_PATH", "AWS_LAMBDA_RUNTIME_API",
				} {
					if _, set := variables[name]; !set {
						c.Errorf("%s is not set", name)
					}
				}
				for name, want := range map[string]string{
					"AWS_LAMBDA_FUNCTION_NAME": s.output(c, "probeFunction"), "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
					"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
					"AWS_REGION": s.cfg.Region, "PROBE_NAME": "probe",
				} {
					if variables[name] != want {
						c.Errorf("%s is %q, want %q", name, variables[name], want)
					}
				}
				if !strings.HasPrefix(variables["AWS_ACCESS_KEY_ID"], "ASIA") {
					c.Errorf("AWS_ACCESS_KEY_ID is %q, want that of a role", variables["AWS_ACCESS_KEY_ID"])
				}
			},
		},
		{
			rows: "D3.xray", how: documented,
			says: "AWS_XRAY_CONTEXT_MISSING and AWS_XRAY_DAEMON_ADDRESS are set, and _X_AMZN_TRACE_ID for each invocation",
			run: func(c *check, s *subject) {
				variables := environmentVariables(s.dial(c, "main", dialOptions{}))
				for _, name := range []string{"AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "_X_AMZN_TRACE_ID"} {
					if variables[name] == "" {
						c.Errorf("%s is not set", name)
					}
				}
			},
		},
		{
			rows: "D3.paths", how: documented,
			says:    "LAMBDA_TASK_ROOT is /var/task and LAMBDA_RUNTIME_DIR /var/runtime",
			differs: "functions are processes of this machine, and their task root is where the bootstrap lies",
			run: func(c *check, s *subject) {
				variables := environmentVariables(s.dial(c, "main", dialOptions{}))
				if task, dir := variables["LAMBDA_TASK_ROOT"], variables["LAMBDA_RUNTIME_DIR"]; task != "/var/task" || dir != "/var/runtime" {
					c.Errorf("LAMBDA_TASK_ROOT is %q and LAMBDA_RUNTIME_DIR %q", task, dir)
				}
			},
		},
		{
			rows: "D3.execution", how: documented,
			says: "AWS_EXECUTION_ENV is not set for a runtime of the OS alone",
			run: func(c *check, s *subject) {
				if value, set := environmentVariables(s.dial(c, "main", dialOptions{}))["AWS_EXECUTION_ENV"]; set {
					c.Errorf("AWS_EXECUTION_ENV is %q", value)
				}
			},
		},
		{
			rows: "D3.reserved", how: documented,
			says:    "Names that Lambda keeps for itself cannot be set",
			without: "refused at deployment: by the component at preview, and by the local cloud",
		},
		{
			rows: "D3.bootstrap", how: remembered,
			says:    "The zip's root holds an executable bootstrap",
			without: "every function of the subject is one; how it is built is held beside the code (internal/gobuild)",
		},
	}
}

// lifecycleClaims are of environments and their limits (D4).
func lifecycleClaims() []claim {
	return []claim{
		{
			rows: "D4.init", how: documented,
			says:    "A process that does not ask for its first invocation within 10 s is started again",
			without: "it takes a function of its own that is slow to start, and 10 s of every run: held beside the code (local/lambda)",
		},
		{
			rows: "D4.one", how: documented, check: []string{"environments"},
			says: "An environment serves one invocation at a time, and more at once make more environments",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				const n = 4
				for range n {
					conn.send(two("ms", 500, "quiet", true))
				}
				processes := map[string]bool{}
				for range n {
					a := conn.answer()
					if a.Active != 1 {
						c.Errorf("%d invocations at once in a process", a.Active)
					}
					processes[fmt.Sprint(a.PID, a.Began)] = true
				}
				if len(processes) != n {
					c.Errorf("%d messages at once are served by %d processes", n, len(processes))
				}
			},
		},
		{
			rows: "D4.one", how: documented, check: []string{"environments"},
			says: "An environment is used again by what comes later",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "bare", dialOptions{})
				served := 0
				for range 5 {
					served = max(served, conn.ask(two("quiet", true)).Served)
				}
				if served < 2 {
					c.Errorf("5 messages one after the other are served by new processes each")
				}
			},
		},
		{
			rows: "D4.frozen", how: documented, when: alone,
			says: "Between invocations an environment is frozen: what was left running stands still",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "bare", dialOptions{})
				conn.ask(two("do", "leak", "quiet", true))
				ticks := func() (n int64) {
					a := conn.ask(two("do", "leaked", "quiet", true))
					if err := json.Unmarshal(a.Result, &n); err != nil {
						n = 0 // none yet
					}
					return n
				}
				before := ticks()
				select { // the time in which it must not run
				case <-time.After(1500 * time.Millisecond):
				case <-c.Context().Done():
				}
				if ran := ticks() - before; ran > 50 {
					c.Errorf("a goroutine that ticks every 10 ms ran %d times in 1.5 s between invocations", ran)
				}
			},
		},
		{
			rows: "D4.reset", how: documented, check: []string{"environments"}, when: alone,
			says: "A crash or a timeout resets the environment: the process is a new one",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "guarded", orders("token", "allow"))
				before := conn.ask(two("quiet", true))
				conn.send(two("do", "exit", "status", 1, "quiet", true))
				serviceFrame(c, conn.receive(), "Internal server error")
				if after := conn.ask(two("quiet", true)); after.Began == before.Began && after.PID == before.PID {
					c.Errorf("process %d serves on after it exited", after.PID)
				}
			},
		},
		{
			rows: "D4.tmp", how: documented, when: alone,
			says: "/tmp is kept when an environment is reset",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "composed", dialOptions{})
				message := func(pairs ...any) object {
					m := to("join", pairs...)
					m["service"], m["quiet"] = "chat", true
					return m
				}
				name := "kept-" + conn.key
				conn.send(message("do", "write", "name", name))
				conn.answer()
				conn.send(message("do", "exit", "status", 1))
				serviceFrame(c, conn.receive(), "Internal server error")
				conn.send(message("do", "look", "name", name))
				if a := conn.answer(); string(a.Result) != "true" {
					c.Errorf("the file is gone after the reset")
				}
			},
		},
		{
			rows: "D4.payload", how: documented,
			says:    "Events and answers have at most 6 MB",
			without: "no event of a WebSocket API or a stream comes near; the answer's limit has a case in D2",
		},
		{
			rows: "D4.limits", how: documented,
			says:    "Timeout 1 to 900 s, memory from 128 MB, 4 KB of variables, 1,000 invocations at once",
			without: "limits of deployments: the component reports them at preview",
		},
		{
			rows: "D4.async", how: documented,
			says: "Asynchronous invocations are retried twice",
			when: alone, long: true,
			run: func(c *check, s *subject) {
				s.pass(c, time.Hour)
				attempts := func() (most int) {
					byEvent := map[string]int{}
					for _, e := range s.events(c, "scheduled") {
						id := e.text("id")
						byEvent[id]++
						most = max(most, byEvent[id])
					}
					return most
				}
				for tries := 0; attempts() < 3 && tries < 10; tries++ {
					s.pass(c, time.Minute)
				}
				s.pass(c, 10*time.Minute)
				if n := attempts(); n != 3 {
					c.Errorf("%d attempts, want 3", n)
				}
			},
		},
		{
			rows: "D4.sync", how: documented,
			says: "API Gateway invokes synchronously: a message whose function fails is not tried again",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				key := conn.key + "-failed"
				conn.send(to("fragile", "do", "error", "case", key))
				serviceFrame(c, conn.receive(), "Internal server error")
				conn.send(to("fragile", "case", key))
				conn.answer()
				if n := len(s.notes(c, key)); n != 2 {
					c.Errorf("2 messages were served %d times", n)
				}
			},
		},
	}
}
