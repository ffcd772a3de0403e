package cloud

import "example.com/chatstack/local/iam"

// An Access is what a function may do, and what of it it has done since the cloud
// was opened.
type Access struct {
	Function string      `json:"function"`
	RoleARN  string      `json:"roleArn"`
	Allowed  []iam.Usage `json:"allowed"`
}

// Access tells what the role of each function allows, and how much of it was used.
func (c *Cloud) Access() []Access {
	usage := map[string][]iam.Usage{}
	for _, u := range c.authority.Usage() {
		usage[u.Role] = append(usage[u.Role], u)
	}
	var all []Access
	for _, r := range c.notes.list(typeFunction, nil) {
		own, known := c.identities.of(r.ID)
		if !known {
			continue
		}
		all = append(all, Access{Function: r.ID, RoleARN: own.principal.RoleARN, Allowed: usage[own.principal.Role]})
	}
	return all
}
