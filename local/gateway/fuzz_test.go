package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// reader makes a frameReader for bytes.
func reader(sent []byte) *frameReader {
	nothing := bufio.NewReader(strings.NewReader(""))
	limits := Limits{}.withDefaults()
	return newFrameReader(bytes.NewReader(sent), nothing, &limits, func([]byte) {})
}

// A message that comes through is text within the limits, and what ends the
// connection is a client's close, a violation, or the end of the bytes.
func FuzzFrameReader(f *testing.F) {
	f.Add([]byte{0x81, 0x85, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1})
	f.Add([]byte{0x01, 0x81, 0, 0, 0, 0, 0xe2, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x82, 0, 0, 0, 0, 0x82, 0xac})
	f.Add([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xe8})
	f.Add([]byte{0x81, 0xfe, 0x80, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		frames := reader(sent)
		for {
			message, err := frames.next()
			if err == nil {
				if !utf8.Valid(message) || len(message) > frames.limits.Message {
					t.Fatalf("a message of %d bytes: %.100q", len(message), message)
				}
				continue
			}
			var byClient clientClose
			var against violation
			switch {
			case errors.As(err, &byClient), errors.As(err, &against), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			default:
				t.Fatalf("%T: %v", err, err)
			}
			frames.drain()
			return
		}
	})
}

// However a text is cut into fragments, it arrives whole if it is UTF-8, and
// not at all if it is not.
func FuzzFragments(f *testing.F) {
	f.Add("κόσμε", uint8(1), uint8(2))
	f.Add("\xe2\x82", uint8(1), uint8(1))
	f.Add("😀😀", uint8(3), uint8(2))
	f.Fuzz(func(t *testing.T, message string, a, b uint8) {
		if len(message) > 1000 {
			return
		}
		first := min(int(a), len(message))
		second := min(int(b), len(message)-first)
		var sent bytes.Buffer
		for _, frame := range []ws.Frame{
			ws.NewFrame(ws.OpText, false, []byte(message[:first])),
			ws.NewPingFrame([]byte("between")),
			ws.NewFrame(ws.OpContinuation, false, []byte(message[first:first+second])),
			ws.NewFrame(ws.OpContinuation, true, []byte(message[first+second:])),
		} {
			ws.MustWriteFrame(&sent, ws.MaskFrame(frame))
		}
		got, err := reader(sent.Bytes()).next()
		var against violation
		switch {
		case utf8.ValidString(message) && (err != nil || string(got) != message):
			t.Errorf("%q arrived as %q, %v", message, got, err)
		case !utf8.ValidString(message) && (!errors.As(err, &against) || against.status != invalidPayload):
			t.Errorf("%q arrived as %q, %v", message, got, err)
		}
	})
}

// Only a JSON object is a proxy response, and a subprotocol fits a header.
func FuzzProxyResponse(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"body":"hi","headers":{"Sec-WebSocket-Protocol":"a"}}`))
	f.Add([]byte(`{"statusCode":"204","multiValueHeaders":{"sec-websocket-protocol":["a","b"]}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"statusCode":1e3,"headers":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		response, err := parseProxyResponse(payload)
		if err != nil {
			return
		}
		var object map[string]any
		if json.Unmarshal(payload, &object) != nil || object["statusCode"] == nil {
			t.Errorf("%q was taken for a response", payload)
		}
		if strings.ContainsAny(response.subprotocol, "\r\n\x00") {
			t.Errorf("subprotocol %q", response.subprotocol)
		}
	})
}

// Nothing is allowed by a result that does not say Allow, and what it tells of
// the client is text.
func FuzzVerdict(f *testing.F) {
	const arn = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5/prod/$connect"
	f.Add([]byte(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"` + arn + `"}]},"context":{"a":"b","c":1,"d":true}}`))
	f.Add([]byte(`{"principalId":"u","policyDocument":{"Statement":{"Action":["*"],"Effect":"Deny","Resource":["*"]}}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"principalId":"","policyDocument":{"Statement":[{}]}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, err := parseVerdict(payload, arn)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		var object map[string]any
		if json.Unmarshal(payload, &object) != nil || object["principalId"] != v.told["principalId"] {
			t.Errorf("%q was taken for a result", payload)
		}
		if v.allowed && !bytes.Contains(payload, []byte("llow")) && !bytes.Contains(payload, []byte(`\u`)) {
			t.Errorf("%q allows", payload)
		}
		for name, value := range v.told {
			if _, ok := value.(string); !ok {
				t.Errorf("%s is %T", name, value)
			}
		}
	})
}

// No message selects a route that is not its own, above all not those of a
// connection's life.
func FuzzSelectRoute(f *testing.F) {
	f.Add(`$request.body.action`, `{"action":"$connect"}`)
	f.Add(`${request.body.a}/${request.body.b}`, `{"a":"$disconnect","b":null}`)
	f.Add(`\$connect`, `{}`)
	f.Add(`$request.body.action`, `{"action":["join",1,null,{"x":true}]}`)
	f.Fuzz(func(t *testing.T, expression, message string) {
		api := API{
			ID: "a", RouteSelectionExpression: expression,
			Integrations: map[string]Integration{"i": {Type: "AWS_PROXY", FunctionARN: "f"}},
		}
		for _, key := range []string{connectRoute, disconnectRoute, "join"} {
			api.Routes = append(api.Routes, Route{Key: key, Target: "i"})
		}
		d, err := deploy(api, Limits{}.withDefaults())
		if err != nil {
			return
		}
		selected, ok := d.selectRoute([]byte(message))
		if ok && selected.key != "join" {
			t.Errorf("%q selects %q by %q", message, selected.key, expression)
		}
		if ok && !json.Valid([]byte(message)) {
			t.Errorf("%q is no JSON and selects %q", message, selected.key)
		}
	})
}
