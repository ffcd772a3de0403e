package gateway_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"example.com/chatstack/local/gateway"
)

const (
	kosme   = "κόσμε"
	invalid = "\xf4\x90\x80\x80" // beyond the last code point
)

func TestAutobahn6UTF8(t *testing.T) {
	t.Parallel()
	cases := map[string]exchange{
		"6.1.1 empty":                     {sent: text(""), messages: []string{""}},
		"6.1.3 empty around":              {sent: first("") + more("x") + last(""), messages: []string{"x"}},
		"6.2.1 valid":                     {sent: text("Hello-µ@ßöäüàá-UTF-8!!"), messages: []string{"Hello-µ@ßöäüàá-UTF-8!!"}},
		"6.2.3 valid, in octets":          {sent: text(kosme), octets: true, messages: []string{kosme}},
		"6.2.4 four bytes in four frames": {sent: first("\xf0") + more("\x9f") + more("\x98") + last("\x80"), messages: []string{"😀"}},
		"ping within a character":         {sent: first("\xe2\x82") + ping("p") + last("\xac"), pongs: []string{"p"}, messages: []string{"€"}},
		"6.3.1 invalid is 1007":           {sent: text(kosme + invalid), closed: "1007 "},
		"6.3.2 invalid in octets is 1007": {sent: text(kosme + "\xed\xa0\x80edited"), octets: true, closed: "1007 "},
		"cut off is 1007":                 {sent: text("\xe2\x82"), closed: "1007 "},
		"cut off in fragments is 1007":    {sent: first("\xe2\x82") + last(""), closed: "1007 "},
		"cut off by the next fragment":    {sent: first("\xe2\x82") + last("x"), closed: "1007 "},
		"cut off does not spill over":     {sent: text("\xe2\x82") + text("\xac"), closed: "1007 "},
		"last bytes of nothing are 1007":  {sent: text("\x80\x80\x80\x80"), closed: "1007 "},
	}
	for _, valid := range []string{ // first and last of each length, and around the surrogates
		"\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0010ffff",
	} {
		cases[fmt.Sprintf("6.5 to 6.22 %+q is valid", valid)] = exchange{sent: text(valid), messages: []string{valid}}
		var pieces string
		for i := range len(valid) {
			pieces += more(valid[i : i+1])
		}
		cases[fmt.Sprintf("6.5 to 6.22 %+q is valid, a frame for each byte", valid)] = exchange{sent: first("") + pieces + last(""), messages: []string{valid}}
	}
	for _, bytes := range []string{
		"\x80", "\xbf", "\xc0 ", "\xfe", "\xff", // never, or never first
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", // longer than needed
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", // surrogates
		"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", // five and six bytes
		"\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", // beyond the last code point
	} {
		cases[fmt.Sprintf("6 %+q is 1007", bytes)] = exchange{sent: text("a" + bytes + "b"), closed: "1007 "}
	}
	try(t, cases)
}

// The rest of the message is never sent, and no time passes.
func TestAutobahn64InvalidUTF8FailsFast(t *testing.T) {
	for name, sent := range map[string]string{
		"6.4.1 in a fragment":                 first(kosme) + more(invalid),
		"6.4.2 as soon as it cannot be valid": first(kosme+"\xf4") + more("\x90"),
		"6.4.3 within a frame":                unfinished(kosme+invalid, 100),
		"6.4.4 by its second byte":            unfinished(kosme+"\xf4\x90", 100),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startInMemory(t, declare(functions{}), gateway.Options{})
				client := r.raw()
				client.bytes([]byte(upgrade))
				client.readResponse()
				begin := time.Now()
				client.bytes([]byte(sent))
				if got := client.readClose(); got != "1007 " || time.Since(begin) != 0 {
					t.Errorf("closed with %q after %v", got, time.Since(begin))
				}
			})
		})
	}
}

// unfinished is a text frame of n bytes of which only the first ones are there.
func unfinished(payload string, n int64) string {
	header := ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: n}
	return string(ws.MustCompileFrame(ws.Frame{Header: header, Payload: []byte(payload)}))
}
