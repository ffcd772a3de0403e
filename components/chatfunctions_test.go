package components

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/internal/gobuild"
)

func TestChatStackThatDoesNotBuild(t *testing.T) {
	t.Parallel()
	c, err := previewChat(&ChatStackArgs{builder: &fakeBuilder{err: errors.New("no compiler")}})
	expectError(t, err, `chat stack "chat": function "chat-broadcast": no compiler`)
	if list := c.list(); len(list) != 0 {
		t.Errorf("declared all the same: %v", list)
	}

	_, err = previewChat(&ChatStackArgs{
		Routes:  []ChatRouteArgs{{Key: "vote", Function: GoFunctionArgs{Package: "./rules", builder: &fakeBuilder{err: &gobuild.NotMainError{Package: "./rules", Name: "rules"}}}}},
		builder: &fakeBuilder{},
	})
	expectError(t, err, `function "chat-route-vote": Package is "./rules"`, "main package", "package rules")
}

// orderBuilder notices builds that run beside the first.
type orderBuilder struct {
	running, done, early atomic.Int32
}

func (b *orderBuilder) Build(_ context.Context, t gobuild.Target) (gobuild.Artifact, error) {
	if b.running.Add(1) > 1 && b.done.Load() == 0 {
		b.early.Add(1)
	}
	defer b.running.Add(-1)
	defer b.done.Add(1)
	return gobuild.Artifact{Zip: t.Package}, nil
}

func TestFirstBuildRunsAlone(t *testing.T) {
	t.Parallel()
	b := &orderBuilder{}
	var builds []build
	want := map[string]gobuild.Artifact{}
	for _, name := range []string{"a", "b", "c", "d"} {
		builds = append(builds, build{name, GoFunctionArgs{Package: "./" + name, builder: b}})
		want[name] = gobuild.Artifact{Zip: "./" + name}
	}
	got, err := buildAll(t.Context(), builds)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("zips (-want +got):\n%s", diff)
	}
	if b.early.Load() != 0 || b.done.Load() != 4 {
		t.Errorf("%d of %d builds ran beside the first", b.early.Load(), b.done.Load())
	}
}

// waitingBuilder waits for its context to end, but for one package, which
// fails.
type waitingBuilder struct{ broken string }

func (b waitingBuilder) Build(ctx context.Context, t gobuild.Target) (gobuild.Artifact, error) {
	switch t.Package {
	case b.broken:
		return gobuild.Artifact{}, errors.New("does not compile")
	case "./first":
		return gobuild.Artifact{}, nil
	}
	select {
	case <-ctx.Done():
		return gobuild.Artifact{}, ctx.Err()
	case <-time.After(time.Minute):
		return gobuild.Artifact{}, errors.New("was not stopped")
	}
}

func TestBrokenBuildStopsTheOthers(t *testing.T) {
	t.Parallel()
	b := waitingBuilder{broken: "./broken"}
	_, err := buildAll(t.Context(), []build{
		{"first", GoFunctionArgs{Package: "./first", builder: b}},
		{"broken", GoFunctionArgs{Package: "./broken", builder: b}},
		{"slow", GoFunctionArgs{Package: "./slow", builder: b}},
	})
	expectError(t, err, `function "broken": does not compile`)
}

// countingBuilder takes a second, and notices how many builds run at a time.
type countingBuilder struct {
	mu            sync.Mutex
	running, most int
}

func (b *countingBuilder) Build(context.Context, gobuild.Target) (gobuild.Artifact, error) {
	b.count(1)
	time.Sleep(time.Second)
	b.count(-1)
	return gobuild.Artifact{}, nil
}

func (b *countingBuilder) count(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running += n
	b.most = max(b.most, b.running)
}

func TestAsManyBuildsRunAsThereAreProcessors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &countingBuilder{}
		processors := runtime.GOMAXPROCS(0)
		var builds []build
		for i := range 1 + 3*processors {
			builds = append(builds, build{fmt.Sprint(i), GoFunctionArgs{Package: "./x", builder: b}})
		}
		if _, err := buildAll(t.Context(), builds); err != nil {
			t.Fatal(err)
		}
		if b.most != processors {
			t.Errorf("%d builds ran at a time, want %d", b.most, processors)
		}
	})
}
