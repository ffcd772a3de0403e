package cloud

const (
	typeRole       = "aws:iam/role:Role"
	typeRolePolicy = "aws:iam/rolePolicy:RolePolicy"
)

// identityKinds are the functions' roles and what they allow. They are noted;
// the local cloud does not enforce them yet.
func identityKinds() map[string]*kind {
	return map[string]*kind{
		typeRole: {
			runs:     []string{"name", "assumeRolePolicy", "path", "inlinePolicies"},
			ignores:  []string{"description", "forceDetachPolicies", "maxSessionDuration"},
			replaces: []string{"name", "path"},
			named:    "name", nameMax: 64,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("name")
				path := r.Inputs.text("path")
				if path == "" {
					path = "/"
				}
				r.Outputs["arn"] = "arn:aws:iam::" + AccountID + ":role" + path + r.ID
				return nil
			},
		},
		typeRolePolicy: {
			runs:     []string{"name", "role", "policy"},
			replaces: []string{"name", "role"},
			named:    "name", nameMax: 128,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("role") + ":" + r.Inputs.text("name")
				return nil
			},
		},
	}
}
