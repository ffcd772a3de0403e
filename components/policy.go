package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A PolicyStatement is one statement of an IAM policy, for the role of a
// function.
type PolicyStatement struct {
	// Effect is Allow or Deny; empty means Allow.
	Effect string
	// Actions are what the statement is about ("dynamodb:GetItem"). At least
	// one.
	Actions []string
	// Resources are the ARNs that it covers, and may have wildcards. At least
	// one.
	Resources []pulumi.StringInput
}

// validate reports what AWS would refuse.
func (s PolicyStatement) validate() error {
	var mistakes []error
	if s.Effect != "" && s.Effect != "Allow" && s.Effect != "Deny" {
		mistakes = append(mistakes, badArgument("Effect", s.Effect, "Allow or Deny"))
	}
	if len(s.Actions) == 0 || slices.Contains(s.Actions, "") {
		mistakes = append(mistakes, badArgument("Actions", s.Actions, "one action or more, none of them empty"))
	}
	if len(s.Resources) == 0 || slices.Contains(s.Resources, nil) {
		mistakes = append(mistakes, badArgument("Resources", s.Resources, "one ARN or more, none of them nil"))
	}
	return errors.Join(mistakes...)
}

// validateStatements reports the mistakes in each of several statements.
func validateStatements(statements []PolicyStatement) error {
	var mistakes []error
	for i, s := range statements {
		mistakes = append(mistakes, nested(fmt.Sprintf("Statements[%d]", i), s.validate()))
	}
	return errors.Join(mistakes...)
}

// policyVersion is the current version of IAM's policy language.
const policyVersion = "2012-10-17"

// statementJSON is a statement in IAM's own form.
type statementJSON struct {
	Effect   string
	Action   []string
	Resource []string
}

// policyDocument writes the statements as an IAM policy once their resources
// are known.
func policyDocument(statements []PolicyStatement) pulumi.StringOutput {
	var arns pulumi.StringArray
	for _, s := range statements {
		arns = append(arns, s.Resources...)
	}
	return arns.ToStringArrayOutput().ApplyT(func(arns []string) (string, error) {
		document := struct {
			Version   string
			Statement []statementJSON
		}{Version: policyVersion}
		for _, s := range statements {
			effect := s.Effect
			if effect == "" {
				effect = "Allow"
			}
			n := len(s.Resources)
			document.Statement = append(document.Statement,
				statementJSON{Effect: effect, Action: s.Actions, Resource: arns[:n]})
			arns = arns[n:]
		}
		text, err := json.Marshal(document)
		return string(text), err
	}).(pulumi.StringOutput)
}
