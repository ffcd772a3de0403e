package cloud

import (
	"maps"

	"example.com/chatstack/local/iam"
)

// An Access is what a function may do, and what of it it has done since the cloud
// was opened.
type Access struct {
	Function string
	RoleARN  string
	Allowed  []iam.Usage

	// Policies are the documents of the role's own policies, by the names that Allowed
	// has. AWS's are not among them: nobody can change those.
	Policies map[string]string
}

// Access tells what the role of each function allows, and how much of it was used.
func (c *Cloud) Access() []Access {
	usage := map[string][]iam.Usage{}
	for _, u := range c.authority.Usage() {
		usage[u.Role] = append(usage[u.Role], u)
	}
	var all []Access
	for _, r := range c.notes.list(typeFunction, nil) {
		own, _ := c.identities.of(r.ID)
		access := Access{Function: r.ID, RoleARN: own.principal.RoleARN, Allowed: usage[own.principal.Role]}
		if role := c.notes.get(typeRole, own.principal.Role); role != nil {
			inline, attached, _ := c.documentsOf(role)
			maps.Copy(inline, attached)
			access.Policies = inline
		}
		all = append(all, access)
	}
	return all
}
