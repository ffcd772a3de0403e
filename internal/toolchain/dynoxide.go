package toolchain

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
)

// dynoxideVersion is the release that the tests run against.
const dynoxideVersion = "1.2.1"

// dynoxideIntegrity pins the packages that were tried, by npm's own digest.
// The siblings for other platforms are taken as npm serves them.
var dynoxideIntegrity = map[string]string{
	"linux-x64": "sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==",
}

// Dynoxide returns the path of the table engine, and fetches it with npm when
// it is not there yet.
func (t Toolchain) Dynoxide(ctx context.Context) (string, error) {
	platform, err := npmPlatform(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	path := filepath.Join(t.Dir, "dynoxide-"+dynoxideVersion, exeName("dynoxide"))
	err = t.once(path, func() error {
		defer t.step("fetching the table engine, Dynoxide " + dynoxideVersion + ", from npm")()
		return fetchDynoxide(ctx, platform, path)
	})
	if err != nil {
		return "", fmt.Errorf("table engine: %w", err)
	}
	return path, nil
}

func fetchDynoxide(ctx context.Context, platform, path string) error {
	const otherwise = "CHATSTACK_DYNAMODB_ENDPOINT takes any DynamoDB-compatible endpoint instead"
	archive, remove, err := npmPack(ctx, "@dynoxide/"+platform+"@"+dynoxideVersion, dynoxideIntegrity[platform])
	if err != nil {
		return fmt.Errorf("no Dynoxide for %s could be fetched (%s): %w", platform, otherwise, err)
	}
	defer remove()
	return extract(archive, "package/"+filepath.Base(path), path)
}

// npmPlatform names a platform as npm's binary packages do.
func npmPlatform(goos, goarch string) (string, error) {
	arch, ok := map[string]string{"amd64": "x64", "arm64": "arm64"}[goarch]
	if !ok {
		return "", fmt.Errorf("there is no Dynoxide for %s/%s: set CHATSTACK_DYNAMODB_ENDPOINT to a DynamoDB-compatible endpoint", goos, goarch)
	}
	if goos == "windows" {
		goos = "win32"
	}
	return goos + "-" + arch, nil
}

func exeName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
