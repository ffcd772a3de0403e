package dynamo

import (
	"encoding/json"
	"strings"
)

// plainTables gives tables of the local cloud that a request names by ARN, as it
// may, the names that engines know. It reports whether the request changed.
func (f *Front) plainTables(c *call) (changed bool, err error) {
	if changed, err = f.plainTable(c.request); err != nil {
		return false, err
	}
	items := c.request.list("TransactItems")
	for i, raw := range items {
		item := parse(raw)
		for name := range item {
			part := item.object(name)
			plain, err := f.plainTable(part)
			if err != nil {
				return false, err
			}
			if !plain {
				continue
			}
			if err := item.set(name, part); err != nil {
				return false, err
			}
			if items[i], err = encode(item); err != nil {
				return false, err
			}
			changed = true
		}
	}
	if changed && items != nil {
		if err := c.request.set("TransactItems", items); err != nil {
			return false, err
		}
	}
	for table := range c.request.object("RequestItems") {
		if strings.HasPrefix(table, "arn:") {
			return false, refuse(ofValidate+"ValidationException",
				"The local cloud does not run batches that name tables by ARN: write the name of "+table+".")
		}
	}
	return changed, nil
}

// plainTable is plainTables for one field.
func (f *Front) plainTable(part fields) (changed bool, err error) {
	name, ok := strings.CutPrefix(part.text("TableName"), f.prefix()+"table/")
	if !ok {
		return false, nil
	}
	part["TableName"], err = json.Marshal(name)
	return true, err
}
