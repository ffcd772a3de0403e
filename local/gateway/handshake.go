package gateway

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// checkHandshake checks the opening handshake of RFC 6455, section 4.2.1. The
// status is that of the refusal, or 0.
func checkHandshake(r *http.Request) (status int, message string) {
	switch {
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired, "Upgrade Required"
	case r.Header.Get("Sec-Websocket-Version") != "13":
		return http.StatusUpgradeRequired, "Unsupported WebSocket version, only 13 is supported"
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return http.StatusBadRequest, "Bad Request"
	}
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	if err != nil || len(key) != 16 {
		return http.StatusBadRequest, "Bad Request"
	}
	return 0, ""
}

// hasToken reports whether a header that is a list holds a token.
func hasToken(headers http.Header, name, token string) bool {
	for _, line := range headers.Values(name) {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// switchingProtocols is the response that opens a connection. Extensions are
// never negotiated, hence no permessage-deflate.
func switchingProtocols(key, subprotocol string) []byte {
	// RFC 6455, section 1.3.
	accept := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
	fmt.Fprintf(&b, "Sec-WebSocket-Accept: %s\r\n", base64.StdEncoding.EncodeToString(accept[:]))
	if subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", subprotocol)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
