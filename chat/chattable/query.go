package chattable

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// query gives the items of a query that have not expired, page after page, each
// read when it is needed. A page may be empty and not be the last. The input's
// Limit is of the first page, and those that follow are longer.
func (t *Table) query(ctx context.Context, input *dynamodb.QueryInput) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		page := *input
		if t.PageSize > 0 {
			page.Limit = aws.Int32(t.PageSize)
		}
		for {
			out, err := t.Client.Query(ctx, &page)
			if err != nil {
				yield(nil, fmt.Errorf("chattable: query: %w", err))
				return
			}
			for _, i := range out.Items {
				if !t.expired(i) && !yield(i, nil) {
					return
				}
			}
			if len(out.LastEvaluatedKey) == 0 {
				return
			}
			page.ExclusiveStartKey = out.LastEvaluatedKey
			if input.Limit != nil && t.PageSize == 0 {
				page.Limit = aws.Int32(min(*page.Limit*4, 96))
			}
		}
	}
}

// list gives what follows prefix in an attribute of the items of a query.
func (t *Table) list(ctx context.Context, input *dynamodb.QueryInput, attribute, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i, err := range t.query(ctx, input) {
			if err != nil {
				yield("", err)
				return
			}
			if name, ok := suffix(textOf(i, attribute), prefix); ok && !yield(name, nil) {
				return
			}
		}
	}
}
