package control

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"example.com/chatstack/local/tokens"
)

// ask makes a request of the page's host.
func ask(t *testing.T, url, method, path, body string, headers map[string]string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	for name, value := range headers {
		if request.Header.Set(name, value); name == "Host" {
			request.Host = value
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// servePage serves what goes with the page, of a cloud in which nothing is deployed.
func servePage(t *testing.T) (*Server, string) {
	t.Helper()
	server, _ := serve(t)
	var err error
	if server.Issuer, err = tokens.Open(filepath.Join(t.TempDir(), "issuer.json")); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server.ServePage(mux)
	mux.Handle("/control/", server.Handler())
	listener := httptest.NewServer(mux)
	t.Cleanup(listener.Close)
	server.Page = listener.URL + "/"
	return server, listener.URL
}

// The page's host is an issuer as the authorizer knows them.
func TestThePagesHostIsAnIssuer(t *testing.T) {
	t.Parallel()
	_, url := servePage(t)
	status, text := ask(t, url, "GET", "/.well-known/openid-configuration", "", nil)
	var configuration struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal([]byte(text), &configuration); err != nil || status != 200 || configuration.Issuer != url || configuration.JWKSURI != url+"/jwks.json" {
		t.Errorf("%d %s, %v", status, text, err)
	}
	if status, text := ask(t, url, "GET", "/jwks.json", "", nil); status != 200 || !strings.Contains(text, `"crv":"P-256"`) || strings.Contains(text, `"d"`) {
		t.Errorf("%d %s", status, text)
	}
}

// A web page gets no token unless it is the chat page, whatever name this machine
// goes by; and nobody gets one that no stage would take.
func TestWhoGetsAToken(t *testing.T) {
	t.Parallel()
	server, url := servePage(t)
	const json = "application/json"
	host := strings.TrimPrefix(url, "http://")
	port := host[strings.LastIndex(host, ":"):]
	for name, test := range map[string]struct {
		headers map[string]string
		body    string
		status  int
		says    string
	}{
		"the chat page":          {map[string]string{"Content-Type": json, "Origin": url, "Sec-Fetch-Site": "same-origin"}, `{"user":"ada"}`, 409, "no stage here takes tokens"},
		"a program":              {map[string]string{"Content-Type": json}, `{"user":"ada","name":"Ada"}`, 409, "no stage here takes tokens"},
		"by its other name":      {map[string]string{"Content-Type": json, "Host": "localhost" + port, "Origin": "http://localhost" + port}, `{"user":"ada"}`, 409, "no stage"},
		"another site":           {map[string]string{"Content-Type": json, "Sec-Fetch-Site": "cross-site"}, `{"user":"ada"}`, 403, ""},
		"another port":           {map[string]string{"Content-Type": json, "Sec-Fetch-Site": "same-site"}, `{"user":"ada"}`, 403, ""},
		"another origin":         {map[string]string{"Content-Type": json, "Origin": "http://127.0.0.1:1"}, `{"user":"ada"}`, 403, ""},
		"a name that leads here": {map[string]string{"Content-Type": json, "Host": "evil.example" + port, "Origin": "http://evil.example" + port, "Sec-Fetch-Site": "same-origin"}, `{"user":"ada"}`, 403, "for the chat page"},
		"a form":                 {map[string]string{"Content-Type": "text/plain"}, `{"user":"ada"}`, 403, "for the chat page"},
		"nobody":                 {map[string]string{"Content-Type": json}, `{"user":""}`, 400, "user is empty"},
		"with rights":            {map[string]string{"Content-Type": json}, `{"user":"ada","moderates":["*"]}`, 400, `there is no field "moderates"`},
		"not JSON":               {map[string]string{"Content-Type": json}, `ada`, 400, "not JSON"},
	} {
		status, text := ask(t, url, "POST", "/token", test.body, test.headers)
		if status != test.status || !strings.Contains(text, test.says) {
			t.Errorf("%s: %d %s, want %d %s", name, status, text, test.status, test.says)
		}
	}
	if status, _ := ask(t, url, "POST", "/control/token", `{"user":"ada"}`, nil); status != http.StatusUnauthorized {
		t.Errorf("the control API gives a token to anybody: %d", status)
	}
	if _, err := (Address{URL: url, Token: server.Token}).Sign(t.Context(), tokens.Request{User: "ada"}); err == nil || !strings.Contains(err.Error(), "no stage here") {
		t.Errorf("error %v", err)
	}
}
