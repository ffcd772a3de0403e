package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/chatstack/local/iam"
)

const (
	typeRole             = "aws:iam/role:Role"
	typeRolePolicy       = "aws:iam/rolePolicy:RolePolicy"
	typePolicy           = "aws:iam/policy:Policy"
	typePolicyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

// identityKinds are the functions' roles and what they allow. Whenever one of
// them changes, the role is given to the authority anew.
func identityKinds() map[string]*kind {
	return map[string]*kind{
		typeRole: {
			runs:     []string{"name", "assumeRolePolicy", "path", "inlinePolicies", "managedPolicyArns"},
			ignores:  []string{"description", "forceDetachPolicies", "maxSessionDuration"},
			replaces: []string{"name", "path"},
			named:    "name", nameMax: 64, nameChars: `\w+=,.@-`,
			check: checkRole,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("name")
				r.Outputs["arn"] = c.identityARN("role", r)
				return nil
			},
			remove: func(_ context.Context, c *Cloud, r *Resource) error {
				c.authority.DeleteRole(r.ID)
				return nil
			},
			settle: func(c *Cloud, r *Resource) error { return c.grantRole(r.ID) },
		},
		typeRolePolicy: {
			runs:     []string{"name", "role", "policy"},
			replaces: []string{"name", "role"},
			named:    "name", nameMax: 128, nameChars: `\w+=,.@-`,
			check: checkPolicy,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("role") + ":" + r.Inputs.text("name")
				return nil
			},
			settle: func(c *Cloud, r *Resource) error { return c.grantRole(r.Inputs.text("role")) },
		},
		typePolicy: {
			runs:     []string{"name", "path", "policy"},
			ignores:  []string{"description"},
			replaces: []string{"name", "path"},
			named:    "name", nameMax: 128, nameChars: `\w+=,.@-`,
			check: checkPolicy,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = c.identityARN("policy", r)
				r.Outputs["arn"] = r.ID
				return nil
			},
			settle: func(c *Cloud, r *Resource) error {
				var problems []error
				for _, attachment := range c.notes.list(typePolicyAttachment, nil) {
					if attachment.Inputs.text("policyArn") == r.ID {
						problems = append(problems, c.grantRole(attachment.Inputs.text("role")))
					}
				}
				return errors.Join(problems...)
			},
		},
		typePolicyAttachment: {
			runs:     []string{"role", "policyArn"},
			replaces: []string{"role", "policyArn"},
			check: func(in Properties) error {
				return checkManaged(in.text("policyArn"))
			},
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("role") + "/" + r.Inputs.text("policyArn")
				return nil
			},
			settle: func(c *Cloud, r *Resource) error { return c.grantRole(r.Inputs.text("role")) },
		},
	}
}

// identityARN names a role or a policy, which belong to no Region.
func (c *Cloud) identityARN(what string, r *Resource) string {
	path := r.Inputs.text("path")
	if path == "" {
		path = "/"
	}
	return "arn:aws:iam::" + AccountID + ":" + what + path + r.Inputs.text("name")
}

func checkRole(in Properties) error {
	var problems []error
	for _, inline := range in.subs("inlinePolicies") {
		problems = append(problems, checkPolicy(inline))
	}
	for _, arn := range in.texts("managedPolicyArns") {
		problems = append(problems, checkManaged(arn))
	}
	return errors.Join(problems...)
}

func checkPolicy(in Properties) error {
	if _, err := iam.ParsePolicy(in.text("policy")); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

// grantRole tells the authority what a role allows now.
func (c *Cloud) grantRole(name string) error {
	role := c.notes.get(typeRole, name)
	if role == nil {
		return nil // its policies count once it is there
	}
	inline, attached, managed := c.documentsOf(role)
	policies, err := parsePolicies(inline)
	if err == nil {
		err = iam.CheckRole(name, policies)
	}
	if err != nil {
		return err
	}
	maps.Copy(attached, managed)
	more, err := parsePolicies(attached)
	if err != nil {
		return err
	}
	maps.Copy(policies, more)
	c.authority.PutRole(name, policies)
	return nil
}

// documentsOf are the policies of a role: those in it, by their names, and those
// attached to it, the account's own and AWS's, by their ARNs.
func (c *Cloud) documentsOf(role *Resource) (inline, attached, managed map[string]string) {
	inline, attached, managed = map[string]string{}, map[string]string{}, map[string]string{}
	of := func(r *Resource) bool { return r.Inputs.text("role") == role.ID }
	for _, policy := range role.Inputs.subs("inlinePolicies") {
		inline[policy.text("name")] = policy.text("policy")
	}
	for _, r := range c.notes.list(typeRolePolicy, of) {
		inline[r.Inputs.text("name")] = r.Inputs.text("policy")
	}
	arns := role.Inputs.texts("managedPolicyArns")
	for _, r := range c.notes.list(typePolicyAttachment, of) {
		arns = append(arns, r.Inputs.text("policyArn"))
	}
	for _, arn := range arns {
		if own := c.notes.get(typePolicy, arn); own != nil {
			attached[arn] = own.Inputs.text("policy")
		} else if document, known := managedPolicies[arn]; known {
			managed[arn] = document
		}
	}
	return inline, attached, managed
}

func parsePolicies(documents map[string]string) (map[string]iam.Policy, error) {
	policies := map[string]iam.Policy{}
	for name, document := range documents {
		policy, err := iam.ParsePolicy(document)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		policies[name] = policy
	}
	return policies, nil
}

// lambdaService is the principal that takes functions' roles.
const lambdaService = "lambda.amazonaws.com"

// roleOf finds the role that an ARN names, which Lambda must be able to assume.
func (c *Cloud) roleOf(arn string) (*Resource, error) {
	role := c.notes.get(typeRole, arn[strings.LastIndexByte(arn, '/')+1:])
	if role == nil || role.Outputs.text("arn") != arn {
		return nil, fmt.Errorf("there is no role %s: declare it in the same program", arn)
	}
	if !assumable(role.Inputs.text("assumeRolePolicy")) {
		return nil, fmt.Errorf("the role defined for the function cannot be assumed by Lambda: let the assumeRolePolicy of %s allow sts:AssumeRole to the service %s", role.ID, lambdaService)
	}
	return role, nil
}

// assumable reports whether a trust policy lets Lambda take the role.
func assumable(document string) bool {
	var policy struct {
		Statement iam.OneOrMore[struct {
			Effect    string
			Action    iam.OneOrMore[string]
			Principal struct{ Service iam.OneOrMore[string] }
		}]
	}
	if json.Unmarshal([]byte(document), &policy) != nil {
		return false
	}
	for _, s := range policy.Statement {
		if s.Effect == "Allow" && slices.Contains(s.Principal.Service, lambdaService) &&
			(slices.Contains(s.Action, "sts:AssumeRole") || slices.Contains(s.Action, "sts:*")) {
			return true
		}
	}
	return false
}
