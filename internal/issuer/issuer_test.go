package issuer

import "testing"

// Keys are had over https alone, but on one's own machine.
func TestURLsOfIssuers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://login.example": true, "https://login.example/realms/chat/": true, "https://login.example:8443": true,
		"http://127.0.0.1:20000": true, "http://localhost:20000": true, "http://[::1]:20000/a": true,
		"http://login.example": false, "http://127.0.0.1.evil.example": false, "http://localhost.evil.example": false,
		"": false, "login.example": false, "//login.example": false, "https://": false, "ftp://login.example": false,
		"https://user@login.example": false, "https://login.example?a=b": false, "https://login.example?": false,
		"https://login.example#": false, "https://login.example/%zz": false,
	} {
		if got := IsSecure(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
