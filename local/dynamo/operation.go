package dynamo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A call is a request to a table or its stream.
type call struct {
	streams   bool   // to DynamoDB Streams
	operation string // "PutItem", …
	request   fields

	stream string          // of which GetShardIterator and GetRecords speak: its ARN
	held   map[string]held // what a throttled batch leaves unprocessed, by table
}

// parseTarget reads the header that names the operation:
//
//	DynamoDB_20120810.PutItem
func parseTarget(target string) (c call) {
	service, operation, _ := strings.Cut(target, ".")
	return call{streams: strings.HasPrefix(service, "DynamoDBStreams_"), operation: operation}
}

// A use is one action on one resource that a call comes to.
type use struct {
	action   string // without "dynamodb:"
	table    string // the table's name; empty where there is none
	index    string // the index's name; empty for the table itself
	resource string // ARN, or "*"
	parts    []fields
}

// uses returns what a call comes to: for authorization, each action on each
// resource, as AWS's reference of actions and resources has them.
func (f *Front) uses(c *call) ([]use, error) {
	request := c.request
	table := func(action string, parts ...fields) ([]use, error) {
		return []use{f.tableUse(action, request, parts...)}, nil
	}
	switch c.operation {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan":
		return table(c.operation, request)
	case "CreateTable", "DeleteTable", "UpdateTable", "DescribeTable",
		"DescribeTimeToLive", "UpdateTimeToLive", "DescribeContinuousBackups", "UpdateContinuousBackups":
		return table(c.operation)
	case "BatchGetItem", "BatchWriteItem":
		return f.batchUses(c), nil
	case "TransactGetItems", "TransactWriteItems":
		return f.transactionUses(c), nil
	case "ExecuteStatement":
		u, err := f.statementUse(request.text("Statement"))
		return []use{u}, err
	case "BatchExecuteStatement":
		return f.statementUses(request.list("Statements"))
	case "ExecuteTransaction":
		return f.statementUses(request.list("TransactStatements"))
	case "TagResource", "UntagResource", "ListTagsOfResource":
		return []use{f.arnUse(c.operation, request.text("ResourceArn"))}, nil
	case "ListTables", "DescribeLimits", "DescribeEndpoints", "ListStreams":
		return []use{{action: c.operation, resource: "*"}}, nil
	case "DescribeStream", "GetShardIterator", "GetRecords":
		if c.stream == "" && c.operation == "GetRecords" {
			return nil, refuse(ofValidate+"ValidationException", "Invalid ShardIterator")
		}
		return []use{f.arnUse(c.operation, c.stream)}, nil
	default:
		return nil, refuse(ofService+"UnknownOperationException",
			fmt.Sprintf("The local cloud does not know which permissions %s takes: call it as the account's owner.", c.operation))
	}
}

// tableUse is an action on the table, or index of it, that part names.
func (f *Front) tableUse(action string, part fields, parts ...fields) use {
	u := use{action: action, table: part.text("TableName"), parts: parts}
	if action == "Query" || action == "Scan" {
		u.index = part.text("IndexName")
	}
	u.resource = f.tableARN(u.table)
	if u.index != "" {
		u.resource += "/index/" + u.index
	}
	if found := tableARN.FindStringSubmatch(u.table); found != nil {
		u.table = found[2]
	}
	return u
}

// tableARN is the ARN of a table that is given by name or by ARN.
func (f *Front) tableARN(table string) string {
	if strings.HasPrefix(table, "arn:") {
		return table
	}
	return f.prefix() + "table/" + table
}

func (f *Front) arnUse(action, arn string) use {
	u := use{action: action, resource: arn}
	if found := tableARN.FindStringSubmatch(arn); found != nil {
		u.table = found[2]
	}
	return u
}

func (f *Front) batchUses(c *call) []use {
	tables := c.request.object("RequestItems")
	var uses []use
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		u := f.tableUse(c.operation, fields{})
		u.table, u.resource = name, f.tableARN(name)
		if c.operation == "BatchGetItem" {
			u.parts = []fields{tables.object(name)}
		} else {
			for _, raw := range tables.list(name) {
				for _, write := range parse(raw) {
					u.parts = append(u.parts, parse(write))
				}
			}
		}
		uses = append(uses, u)
	}
	return uses
}

// transactionActions are what the parts of transactions are authorized as.
var transactionActions = map[string]string{
	"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}

func (f *Front) transactionUses(c *call) []use {
	var uses []use
	for _, raw := range c.request.list("TransactItems") {
		for name, part := range parse(raw) {
			if action := transactionActions[name]; action != "" {
				part := parse(part)
				uses = append(uses, f.tableUse(action, part, part))
			}
		}
	}
	return uses
}

func (f *Front) statementUses(statements []json.RawMessage) ([]use, error) {
	var uses []use
	for _, raw := range statements {
		u, err := f.statementUse(parse(raw).text("Statement"))
		if err != nil {
			return nil, err
		}
		uses = append(uses, u)
	}
	return uses, nil
}
