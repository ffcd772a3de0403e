package dynamo

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// Throttled calls are answered as DynamoDB answers them: single ones and whole
// batches with an exception, transactions with a reason for each part. A batch
// of which something can be done leaves the rest unprocessed: of a table that is
// throttled its first item is done, so that who tries again gets on.
const (
	throttledMessage   = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	cancelledMessage   = "Throughput exceeds the current capacity for one or more tables. DynamoDB is automatically scaling your tables so please try again shortly."
	transactionMessage = "Transaction cancelled, please refer cancellation reasons for specific reasons "
)

// held is what a batch leaves unprocessed of one table.
type held struct {
	items []json.RawMessage
	rest  fields // of a BatchGetItem: what else is said of the table
}

// throttle asks the faults for each table that a call uses. It returns a refusal,
// or nil for a call that goes on, maybe with a part of its batch held back.
func (f *Front) throttle(ctx context.Context, c *call, uses []use) error {
	struck := map[string]bool{}
	for _, u := range uses {
		if _, asked := struck[u.table]; !asked && u.table != "" && !isControl(c.operation) {
			struck[u.table] = f.fault(ctx, u.table, c.operation)
		}
	}
	if !slices.ContainsFunc(uses, func(u use) bool { return struck[u.table] }) {
		return nil
	}
	switch c.operation {
	case "BatchGetItem", "BatchWriteItem":
		return c.hold(struck)
	case "TransactGetItems", "TransactWriteItems", "ExecuteTransaction":
		r := refuse(ofTables+"TransactionCanceledException", "")
		var codes []string
		for _, u := range uses {
			reason := cancellation{Code: "None"}
			if struck[u.table] {
				reason = cancellation{Code: "ThrottlingError", Message: cancelledMessage}
			}
			r.reasons, codes = append(r.reasons, reason), append(codes, reason.Code)
		}
		r.message = transactionMessage + "[" + strings.Join(codes, ", ") + "]"
		return r
	}
	if c.streams {
		return refuse(ofTables+"LimitExceededException", "Rate exceeded")
	}
	return throttled()
}

func throttled() *refusal {
	return refuse(ofTables+"ProvisionedThroughputExceededException", throttledMessage)
}

// isControl reports whether an operation is about tables, not what they hold.
func isControl(operation string) bool {
	return strings.HasSuffix(operation, "Table") || strings.HasSuffix(operation, "Resource") ||
		strings.HasSuffix(operation, "TimeToLive") || strings.HasSuffix(operation, "Backups")
}

// hold takes out of a batch what is not processed.
func (c *call) hold(struck map[string]bool) error {
	tables := c.request.object("RequestItems")
	c.held = map[string]held{}
	for table := range struck {
		if !struck[table] {
			continue
		}
		var h held
		if c.operation == "BatchGetItem" {
			if h.rest = tables.object(table); h.rest == nil {
				h.rest = fields{} // which the engine will refuse
			}
			h.items = h.rest.list("Keys")
		} else {
			h.items = tables.list(table)
		}
		var first any
		switch {
		case len(h.items) < 2:
			delete(tables, table)
			c.held[table] = h
			continue
		case c.operation == "BatchGetItem":
			some := parse(tables[table])
			if err := some.set("Keys", h.items[:1]); err != nil {
				return err
			}
			first = some
		default:
			first = h.items[:1]
		}
		if err := tables.set(table, first); err != nil {
			return err
		}
		h.items = h.items[1:]
		c.held[table] = h
	}
	if len(tables) == 0 {
		return throttled()
	}
	return c.request.set("RequestItems", tables)
}

// unprocessed adds what was held back to the answer of a batch.
func (c *call) unprocessed(body []byte) []byte {
	answer := parse(body)
	if answer == nil {
		return body
	}
	name := "UnprocessedItems"
	if c.operation == "BatchGetItem" {
		name = "UnprocessedKeys"
	}
	tables := answer.object(name)
	if tables == nil {
		tables = fields{}
	}
	for table, h := range c.held {
		var err error
		if c.operation == "BatchGetItem" {
			err = h.rest.set("Keys", slices.Concat(tables.object(table).list("Keys"), h.items))
			if err == nil {
				err = tables.set(table, h.rest)
			}
		} else {
			err = tables.set(table, slices.Concat(tables.list(table), h.items))
		}
		if err != nil {
			return body
		}
	}
	if answer.set(name, tables) != nil {
		return body
	}
	merged, err := encode(answer)
	if err != nil {
		return body
	}
	return merged
}
