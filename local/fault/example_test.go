package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"example.com/chatstack/local/fault"
)

// Every tenth post finds its connection gone. The seed makes it the same posts in
// every run.
func Example() {
	faults := fault.New()
	rule, err := faults.Add(fault.Rule{On: fault.Post, Status: 410, Share: 0.1, Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 100 {
		faults.Post(context.Background(), "L0SM9cOFvHcCIhw=")
	}
	rule = faults.List()[0]
	fmt.Printf("rule %s was asked %d times and struck %d\n", rule.ID, rule.Asked, rule.Struck)
	// Output: rule 1 was asked 100 times and struck 9
}

// The function dies in the middle of its third invocation.
func ExampleFaults_Kill() {
	faults := fault.New()
	faults.Add(fault.Rule{On: fault.Invoke, Target: "broadcast", Nth: 3, After: 20 * time.Millisecond})
	for invocation := range 4 {
		after, kill := faults.Kill("chat-broadcast-5f1c")
		fmt.Println(invocation+1, kill, after)
	}
	// Output:
	// 1 false 0s
	// 2 false 0s
	// 3 true 20ms
	// 4 false 0s
}

// The first two writes to the table are throttled; reads are not.
func ExampleFaults_Table() {
	faults := fault.New()
	faults.Add(fault.Rule{On: fault.Table, Throttle: true, Times: 2})
	for _, action := range []string{"PutItem", "Query", "UpdateItem", "PutItem"} {
		fmt.Println(action, faults.Table(context.Background(), "chat", action))
	}
	// Output:
	// PutItem true
	// Query false
	// UpdateItem true
	// PutItem false
}

// A rule in JSON, as other languages write it.
func ExampleRule_json() {
	var rule fault.Rule
	text := `{"on":"table","throttle":true,"action":"PutItem","share":0.25,"latency":"50ms"}`
	if err := json.Unmarshal([]byte(text), &rule); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Action, rule.Share, rule.Latency)

	err := json.Unmarshal([]byte(`{"on":"post","stauts":410}`), &rule)
	fmt.Println(err)
	// Output:
	// PutItem 0.25 50ms
	// a rule has no field "stauts": it has id, on, target, action, status, throttle, latency, after, share, nth, times and seed
}
