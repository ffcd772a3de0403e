package cloud

import (
	"encoding/json"
	"slices"

	"example.com/chatstack/internal/issuer"
	"example.com/chatstack/local/eventsource"
	"example.com/chatstack/local/schedule"
)

// An Overview is what runs in a cloud, for people who ask.
type Overview struct {
	Region    string     `json:"region"`
	APIs      []API      `json:"apis"`
	Functions []Function `json:"functions"`
	Tables    []Table    `json:"tables"`
	Mappings  []Mapping  `json:"mappings"`
	Queues    []Queue    `json:"queues"`
	Rules     []Rule     `json:"rules"`
	Idle      []Idle     `json:"idle"`
}

// An API is a deployed stage of a WebSocket API.
type API struct {
	Name        string `json:"name"`
	Stage       string `json:"stage"`
	Endpoint    string `json:"endpoint"`
	Connections int    `json:"connections"`

	// Identity says whose tokens its authorizer takes, if that is the chat's own.
	Identity *issuer.Settings `json:"identity,omitempty"`
}

// A Function is a Lambda function.
type Function struct {
	Name     string   `json:"name"`
	LogGroup string   `json:"logGroup"`
	Triggers []string `json:"triggers"` // what invokes it: route keys, "stream" and "schedule"
	Muted    bool     `json:"muted"`    // its role does not let it write its log
}

// A Mapping is an event source mapping.
type Mapping struct {
	Function  string `json:"function"`
	StreamARN string `json:"streamArn"`
	eventsource.Status
}

// A Table is a table with its stream, if it has one.
type Table struct {
	Name      string `json:"name"`
	StreamARN string `json:"streamArn"`
}

// A Queue holds dead letters.
type Queue struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"`
}

// A Rule is a scheduled rule of EventBridge.
type Rule struct {
	Name     string `json:"name"`
	Schedule string `json:"schedule"`
	State    string `json:"state"`
	schedule.Status
}

// Idle is a resource that is kept in the stack's state only.
type Idle struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Why  string `json:"why"`
}

// Overview tells what runs.
func (c *Cloud) Overview() Overview {
	o := Overview{Region: c.Region()}
	triggers := map[string][]string{}
	for _, api := range c.notes.list(typeAPI, nil) {
		connected := map[string]int{}
		for _, connection := range c.gateway.Connections(api.ID) {
			connected[connection.Stage]++
		}
		of := func(r *Resource) bool { return r.Inputs.text("apiId") == api.ID }
		for _, stage := range c.notes.list(typeStage, of) {
			o.APIs = append(o.APIs, API{
				Name: api.Inputs.text("name"), Stage: stage.Inputs.text("name"), Endpoint: stage.Outputs.text("invokeUrl"),
				Connections: connected[stage.Inputs.text("name")], Identity: c.identityOf(api.ID),
			})
		}
		for _, route := range c.notes.list(typeRoute, of) {
			if integration := c.notes.get(typeIntegration, trimTarget(route.Inputs.text("target"))); integration != nil {
				name := functionName(functionOf(integration.Inputs.text("integrationUri")))
				triggers[name] = append(triggers[name], route.Inputs.text("routeKey"))
			}
		}
	}
	for _, r := range c.notes.list(typeMapping, nil) {
		name := functionName(r.Inputs.text("functionName"))
		triggers[name] = append(triggers[name], "stream")
		status, _ := c.poller.Status(r.ID)
		o.Mappings = append(o.Mappings, Mapping{Function: name, StreamARN: r.Inputs.text("eventSourceArn"), Status: status})
	}
	for _, r := range c.notes.list(typeRule, nil) {
		for _, target := range c.targets(r) {
			name := functionName(target.Inputs.text("arn"))
			triggers[name] = append(triggers[name], "schedule")
		}
		o.Rules = append(o.Rules, Rule{
			Name: r.ID, Schedule: r.Inputs.text("scheduleExpression"), State: ruleState(r),
			Status: c.schedule.Status(r.Outputs.text("arn")),
		})
	}
	for _, r := range c.notes.list(typeFunction, nil) {
		slices.Sort(triggers[r.ID])
		o.Functions = append(o.Functions, Function{Name: r.ID, LogGroup: logGroup(r), Triggers: triggers[r.ID], Muted: c.roleLogs.isMuted(r.ID)})
	}
	for _, r := range c.notes.list(typeTable, nil) {
		o.Tables = append(o.Tables, Table{Name: r.ID, StreamARN: r.Outputs.text("streamArn")})
	}
	for _, r := range c.notes.list(typeQueue, nil) {
		o.Queues = append(o.Queues, Queue{Name: r.Inputs.text("name"), Messages: c.letters.count(r.Outputs.text("arn"))})
	}
	for _, typ := range order {
		k := c.kinds[typ]
		if k.idle == "" {
			continue
		}
		for _, r := range c.notes.list(typ, nil) {
			o.Idle = append(o.Idle, Idle{Type: typ, ID: r.ID, Why: k.idle})
		}
	}
	return o
}

// identityOf reads whose tokens are taken by the authorizer of an API, of what its
// function is told; nil where it is told nothing of the kind.
func (c *Cloud) identityOf(apiID string) *issuer.Settings {
	connect := func(r *Resource) bool {
		return r.Inputs.text("apiId") == apiID && r.Inputs.text("authorizerId") != ""
	}
	for _, route := range c.notes.list(typeRoute, connect) {
		authorizer := c.notes.get(typeAuthorizer, route.Inputs.text("authorizerId"))
		if authorizer == nil {
			continue
		}
		function := c.notes.get(typeFunction, functionName(functionOf(authorizer.Inputs.text("authorizerUri"))))
		var settings issuer.Settings
		if function != nil && json.Unmarshal([]byte(function.Inputs.sub("environment").sub("variables").text("JWT")), &settings) == nil {
			return &settings
		}
	}
	return nil
}
