// Command count is a Lambda function that counts frames in a table.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		slog.Error("no configuration", "error", err)
		os.Exit(1)
	}
	table := dynamodb.NewFromConfig(cfg)
	lambda.Start(func(ctx context.Context, _ events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		out, err := table.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(os.Getenv("TABLE_NAME")),
			Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "count"}, "sk": &types.AttributeValueMemberS{Value: "count"},
			},
			UpdateExpression:          aws.String("ADD frames :one"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
			ReturnValues:              types.ReturnValueUpdatedNew,
		})
		if err != nil {
			slog.ErrorContext(ctx, "not counted", "error", err)
			return events.APIGatewayProxyResponse{}, err
		}
		frames, _ := out.Attributes["frames"].(*types.AttributeValueMemberN)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: fmt.Sprintf(`{"frames":%s}`, frames.Value)}, nil
	})
}
