package dynamo

import (
	"regexp"
	"strings"
)

// tableForm is a table's name in a PartiQL statement, and that of an index.
const tableForm = `("[^"]+"|[A-Za-z0-9_.-]+?)(?:\.("[^"]+"|[A-Za-z0-9_-]+))?(?:[\s;]|$)`

// statementForms find the table in each kind of PartiQL statement.
var statementForms = []struct {
	action string
	form   *regexp.Regexp
}{
	{"PartiQLInsert", regexp.MustCompile(`(?is)^INSERT\s+INTO\s+` + tableForm)},
	{"PartiQLUpdate", regexp.MustCompile(`(?is)^UPDATE\s+` + tableForm)},
	{"PartiQLDelete", regexp.MustCompile(`(?is)^DELETE\s+FROM\s+` + tableForm)},
	{"PartiQLSelect", regexp.MustCompile(`(?is)^SELECT\s+[^']*?\sFROM\s+` + tableForm)},
}

// statementUse is what a PartiQL statement is authorized as. A statement that
// names its table in a way that is not understood here is refused: it would be
// checked against the wrong one.
func (f *Front) statementUse(statement string) (use, error) {
	trimmed := strings.TrimSpace(statement)
	for _, s := range statementForms {
		found := s.form.FindStringSubmatch(trimmed)
		if found == nil {
			continue
		}
		if s.action == "PartiQLSelect" && len(selectForm.FindAllString(trimmed, 2)) > 1 {
			break
		}
		u := use{action: s.action, table: strings.Trim(found[1], `"`), index: strings.Trim(found[2], `"`)}
		u.resource = f.tableARN(u.table)
		if u.index != "" {
			u.resource += "/index/" + u.index
		}
		return u, nil
	}
	return use{}, refuse(ofValidate+"ValidationException",
		`The local cloud does not find the table in this statement: write SELECT … FROM "TABLE", INSERT INTO "TABLE", UPDATE "TABLE" or DELETE FROM "TABLE".`)
}

// selectForm finds what may name a table in a SELECT.
var selectForm = regexp.MustCompile(`(?i)\bFROM\b`)
