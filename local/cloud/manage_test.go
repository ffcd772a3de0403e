package cloud

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestNobodyReachesConnectionsUnsigned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("s")
	resp, err := http.Get("http" + strings.TrimPrefix(s.url(), "ws") + "/@connections/AAAAAAAAAAAAAAA=")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := resp.Header.Get("x-amzn-ErrorType"); resp.StatusCode != http.StatusForbidden ||
		kind != "MissingAuthenticationTokenException" || string(body) != `{"message":"Missing Authentication Token"}` {
		t.Errorf("%d %s %s", resp.StatusCode, kind, body)
	}
}
