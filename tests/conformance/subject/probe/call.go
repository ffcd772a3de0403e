package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An outcome is how a call to AWS ended.
type outcome struct {
	Status  int    `json:"status"` // 0: it was not answered
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func outcomeOf(err error) outcome {
	if err == nil {
		return outcome{Status: http.StatusOK}
	}
	o := outcome{Message: err.Error()}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		o.Status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		o.Code, o.Message = api.ErrorCode(), api.ErrorMessage()
	}
	return o
}

// call makes the call that was ordered with the function's own credentials.
func (p *probe) call(ctx context.Context, e event, o orders) outcome {
	if o.Do == "post" {
		to := o.To
		if to == "" {
			to = e.RequestContext.ConnectionID
		}
		return p.connection(ctx, o.Name, to, o.Body)
	}
	return p.item(ctx, o.Name)
}

func (p *probe) connection(ctx context.Context, method, id, body string) outcome {
	client := apigatewaymanagementapi.NewFromConfig(p.cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("MANAGEMENT_ENDPOINT"))
	})
	var err error
	switch method {
	case http.MethodGet:
		_, err = client.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	case http.MethodDelete:
		_, err = client.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	default:
		_, err = client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(body)})
	}
	return outcomeOf(err)
}

// partition is where calls to the table find nothing.
const partition = "calls"

// item makes one call to the table of notes.
func (p *probe) item(ctx context.Context, name string) outcome {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	key := map[string]types.AttributeValue{"pk": text(partition), "sk": text(name)}
	condition := aws.String("pk = :pk")
	var err error
	switch name {
	case "GetItem":
		_, err = p.table.GetItem(ctx, &dynamodb.GetItemInput{TableName: &p.record, Key: key})
	case "PutItem":
		_, err = p.table.PutItem(ctx, &dynamodb.PutItemInput{TableName: &p.record, Item: key})
	case "DeleteItem":
		_, err = p.table.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &p.record, Key: key})
	case "Query":
		_, err = p.table.Query(ctx, &dynamodb.QueryInput{
			TableName: &p.record, KeyConditionExpression: condition,
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(partition)},
		})
	case "QueryIndex":
		_, err = p.table.Query(ctx, &dynamodb.QueryInput{
			TableName: &p.record, IndexName: aws.String("bySubscriber"), KeyConditionExpression: aws.String("subscriber = :pk"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(partition)},
		})
	case "Scan":
		_, err = p.table.Scan(ctx, &dynamodb.ScanInput{TableName: &p.record, Limit: aws.Int32(1)})
	case "TransactPut":
		_, err = p.table.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: &p.record, Item: key}}},
		})
	case "TransactUpdate":
		_, err = p.table.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: &p.record, Key: key, UpdateExpression: aws.String("SET seen = :pk"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text("yes")},
			}}},
		})
	default:
		return outcome{Message: "no such call: " + name}
	}
	return outcomeOf(err)
}
