package dynamo

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/local/iam"
)

// authenticate returns who signed a request. Without an authority everyone is
// the account's owner.
func (f *Front) authenticate(r *http.Request, body []byte) (iam.Principal, error) {
	if f.authority == nil {
		return iam.Principal{}, nil
	}
	p, err := f.authority.Authenticate(r, body, "dynamodb")
	var refused *iam.SignatureError
	if errors.As(err, &refused) {
		return p, &refusal{status: refused.Status, kind: ofService + refused.Code, message: refused.Message}
	}
	return p, err
}

// mayNotDoAll reports whether what p does has to be authorized.
func (f *Front) mayNotDoAll(p iam.Principal) bool { return f.authority != nil && p.Role != "" }

// authorize refuses a call unless p may do all that it comes to.
func (f *Front) authorize(ctx context.Context, p iam.Principal, c *call, uses []use) error {
	for _, u := range uses {
		known, err := f.known(ctx, p, c, u)
		if err != nil {
			return err
		}
		err = f.authority.Authorize(p, "dynamodb:"+u.action, u.resource, known)
		var denied *iam.DeniedError
		if errors.As(err, &denied) {
			return refuse(ofService+"AccessDeniedException", denied.Error())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// The condition keys that take work to know.
const (
	leadingKeys = "dynamodb:LeadingKeys"
	attributes  = "dynamodb:Attributes"
)

// known returns what conditions can ask of one use of a call.
func (f *Front) known(ctx context.Context, p iam.Principal, c *call, u use) (map[string][]string, error) {
	context := map[string][]string{"aws:RequestedRegion": {f.Region()}}
	for _, name := range []string{"Select", "ReturnValues", "ReturnConsumedCapacity"} {
		if value := c.request.text(name); value != "" {
			context["dynamodb:"+name] = []string{value}
		}
	}
	if strings.HasPrefix(c.operation, "Transact") || c.operation == "ExecuteTransaction" {
		context["dynamodb:EnclosingOperation"] = []string{c.operation}
	}
	asksKeys, asksAttributes := f.authority.Asks(p, leadingKeys), f.authority.Asks(p, attributes)
	if strings.HasPrefix(u.action, "PartiQL") && (asksKeys || asksAttributes) {
		return nil, refuse(ofService+"AccessDeniedException",
			"The local cloud does not know dynamodb:LeadingKeys and dynamodb:Attributes of PartiQL statements, which a policy of "+p.ARN+" asks for: use the operations for items.")
	}
	if asksKeys && len(u.parts) > 0 {
		s, err := f.schema(ctx, u.table)
		var missing *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		context[leadingKeys] = u.leadingKeys(s.of(u.index))
	}
	if asksAttributes {
		context[attributes] = u.attributes()
	}
	return context, nil
}
