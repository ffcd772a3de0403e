package env

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func reader(vars map[string]string) *Reader {
	return NewReader(func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	})
}

func TestReader(t *testing.T) {
	t.Parallel()
	r := reader(map[string]string{
		"TABLE": "chat", "ENDPOINT": "https://a.example/prod", "KEEP": "720h0m0s", "CHANNELS": `["General","b"]`, "LIMITS": `{"a":1}`,
	})
	if got := r.String("TABLE"); got != "chat" {
		t.Errorf("String = %q", got)
	}
	if got := r.URL("ENDPOINT"); got != "https://a.example/prod" {
		t.Errorf("URL = %q", got)
	}
	if got := r.Duration("KEEP"); got != 720*time.Hour {
		t.Errorf("Duration = %v", got)
	}
	if diff := cmp.Diff([]string{"General", "b"}, r.Strings("CHANNELS")); diff != "" {
		t.Error(diff)
	}
	limits := struct{ A, B int }{B: 2}
	if r.JSON("LIMITS", &limits); limits.A != 1 || limits.B != 2 {
		t.Errorf("JSON = %+v", limits)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestReaderNamesEveryVariableThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		vars map[string]string
		read func(*Reader)
		want string
	}{
		{"missing", nil, func(r *Reader) { r.String("TABLE") }, "environment variable TABLE is not set"},
		{"empty", map[string]string{"TABLE": ""}, func(r *Reader) { r.String("TABLE") }, "environment variable TABLE is not set"},
		{"missing duration", nil, func(r *Reader) { r.Duration("KEEP") }, "environment variable KEEP is not set"},
		{"no URL", map[string]string{"E": "a.example/prod"}, func(r *Reader) { r.URL("E") }, "environment variable E is"},
		{"other scheme", map[string]string{"E": "wss://a.example/prod"}, func(r *Reader) { r.URL("E") }, "environment variable E is"},
		{"no duration", map[string]string{"KEEP": "30 days"}, func(r *Reader) { r.Duration("KEEP") }, "environment variable KEEP is"},
		{"negative duration", map[string]string{"KEEP": "-1s"}, func(r *Reader) { r.Duration("KEEP") }, "environment variable KEEP is"},
		{"no JSON", map[string]string{"L": "7 a day"}, func(r *Reader) { r.JSON("L", &struct{ A int }{}) }, "environment variable L is"},
		{"JSON of something else", map[string]string{"L": `{"B":7}`}, func(r *Reader) { r.JSON("L", &struct{ A int }{}) }, "environment variable L is"},
		{"no array", map[string]string{"C": "General"}, func(r *Reader) { r.Strings("C") }, "environment variable C is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := reader(tt.vars)
			tt.read(r)
			r.String("OTHER")
			err := r.Err()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{tt.want, "environment variable OTHER is not set"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}
