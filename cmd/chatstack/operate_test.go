package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// What is typed wrongly is said before anything is asked.
func TestOperatorsMistakes(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]int{
		"ban": exitUsage, "ban anna --for soon": exitUsage, "ban anna --for -1h": exitUsage, "mute anna --for 0s": exitUsage,
		"ban anna --channel a|b": exitFailure, "kick " + strings.Repeat("u", 129): exitFailure,
		"grant anna a|b": exitFailure, "grant anna private:x --rights all": exitUsage,
		"slow-mode General fast": exitUsage, "slow-mode General 25h": exitUsage, "slow-mode General 1500ms": exitUsage,
		"history General --before 1 --after 2": exitUsage, "delete General last": exitUsage,
		// Without a local cloud, all that is typed rightly fails.
		"publish General hello": exitFailure, "who General": exitFailure, "history General": exitFailure, "tail General": exitFailure,
		"kick anna": exitFailure, "ban anna --for 7d --reason spam": exitFailure, "unban anna --channel General": exitFailure,
		"mute anna": exitFailure, "unmute anna": exitFailure, "delete General 1": exitFailure, "grant anna private:x --for 1h": exitFailure,
		"grant anna * --rights read": exitFailure, "revoke anna *": exitFailure, "slow-mode General off": exitFailure,
		"erase-user anna --yes": exitFailure, "export-user anna": exitFailure,
	} {
		if got := run(context.Background(), append(projectOf(t, nil), strings.Fields(typed)...)); got != want {
			t.Errorf("%s exits with %d, want %d", typed, got, want)
		}
	}
}

func TestSpansAreInDaysToo(t *testing.T) {
	t.Parallel()
	table := &chattable.Table{Now: func() time.Time { return time.Unix(1000, 5) }}
	for text, want := range map[string]int64{"90s": 1090, "2h": 8200, "7d": 1000 + 7*86400, "0.5d": 1000 + 43200} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err != nil || s.until(table).Unix() != want {
			t.Errorf("%s ends at %d, %v, want %d", text, s.until(table).Unix(), err, want)
		}
	}
	if end := span(0).until(table); !end.IsZero() {
		t.Errorf("no span ends at %v", end)
	}
}

// AWS's refusals are put into words.
func TestErrorsOfAWSAreExplained(t *testing.T) {
	t.Parallel()
	denied := "User: arn:aws:iam::1:user/op is not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:eu-central-1:1:table/chat because no identity-based policy allows the dynamodb:Scan action"
	for _, c := range []struct{ code, message, want string }{
		{"AccessDeniedException", denied, "these credentials do not permit dynamodb:Scan on arn:aws:dynamodb:eu-central-1:1:table/chat; docs/operations.md"},
		{"AccessDeniedException", "no", "these credentials do not permit what this needs; "},
		{"ResourceNotFoundException", "no", "the stage's table is not there: "},
		{"ExpiredTokenException", "no", "AWS does not take these credentials: "},
		{"ThrottlingException", "slow down", "scan: "},
	} {
		err := fmt.Errorf("scan: %w", &smithy.GenericAPIError{Code: c.code, Message: c.message})
		if got := explain(err); !strings.HasPrefix(got, c.want) || !strings.Contains(got, c.message) {
			t.Errorf("%s is explained as %q", c.code, got)
		}
	}
}

// What people wrote cannot drive a terminal.
func TestMessagesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	message := chat.Message{Seq: 7, ID: "m", At: at, Name: "anna", Content: "a <b>bold</b>\n1 &lt; 2\x1b[2J\u202e"}
	named, edited, deleted, revision := message, message, message, chat.Message{Seq: 9, ID: "m", At: at, Target: 7}
	named.User, edited.EditedAt, deleted.DeletedAt = "u1", at, at
	var out bytes.Buffer
	for _, m := range [][2]chat.Message{{message, message}, {named, named}, {edited, edited}, {deleted, deleted}, {revision, edited}, {revision, deleted}} {
		if err := writeMessage(&out, m[0], m[1], false); err != nil {
			t.Fatal(err)
		}
	}
	want := `2026-03-01 12:00:00      7  anna: a bold 1 < 2·[2J·
2026-03-01 12:00:00      7  anna (u1): a bold 1 < 2·[2J·
2026-03-01 12:00:00      7  anna: a bold 1 < 2·[2J· (edited)
2026-03-01 12:00:00      7  anna (deleted)
2026-03-01 12:00:00      9  7 was edited, anna: a bold 1 < 2·[2J·
2026-03-01 12:00:00      9  7 was deleted
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportOfAnErasure(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := chattable.Report{Removed: map[string]int{"message": 3, "ban": 1}, Left: map[string]int{"member": 1}}
	if err := writeReport(&out, report); err != nil {
		t.Fatal(err)
	}
	want := `ITEM      REMOVED   LEFT
ban       1         0
member    0         1
message   3         0
` + whatStays
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
