package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestAutobahn1Framing(t *testing.T) {
	t.Parallel()
	cases := make(map[string]exchange)
	for _, n := range []int{0, 1, 125, 126, 127, 128, 32<<10 - 1, 32 << 10} {
		cases[fmt.Sprintf("1.1 text of %d bytes", n)] = exchange{sent: text(xs(n)), messages: []string{xs(n)}}
	}
	cases["1.1.8 text of 128 bytes in octets"] = exchange{sent: text(xs(128)), octets: true, messages: []string{xs(128)}}
	cases["1.2 binary is refused with 1003"] = exchange{sent: f(ws.OpBinary, true, "x"), closed: "1003 "}
	cases["1.2 binary fragment is refused with 1003"] = exchange{sent: f(ws.OpBinary, false, "x"), closed: "1003 "}
	cases["1.2 empty binary is refused with 1003"] = exchange{sent: f(ws.OpBinary, true, ""), closed: "1003 "}
	try(t, cases)
}

func TestAutobahn2PingsAndPongs(t *testing.T) {
	t.Parallel()
	tenPings, tenPongs := "", []string(nil)
	for i := range 10 {
		tenPings += ping(fmt.Sprint(i))
		tenPongs = append(tenPongs, fmt.Sprint(i))
	}
	try(t, map[string]exchange{
		"2.1 ping without payload":             {sent: ping(""), pongs: []string{""}},
		"2.2 ping with text":                   {sent: ping("hello"), pongs: []string{"hello"}},
		"2.3 ping with bytes that are no text": {sent: ping("\x00\xff\xfe\xfd"), pongs: []string{"\x00\xff\xfe\xfd"}},
		"2.4 ping of 125 bytes":                {sent: ping(xs(125)), pongs: []string{xs(125)}},
		"2.5 ping of 126 bytes is 1002":        {sent: ping(xs(126)), closed: "1002 "},
		"2.6 ping of 125 bytes in octets":      {sent: ping(xs(125)), octets: true, pongs: []string{xs(125)}},
		"2.7 pong without payload":             {sent: pong("")},
		"2.8 pong with payload":                {sent: pong("x")},
		"2.9 pong, then ping":                  {sent: pong("x") + ping("y"), pongs: []string{"y"}},
		"2.10 ten pings":                       {sent: tenPings, pongs: tenPongs},
		"2.11 ten pings in octets":             {sent: tenPings, octets: true, pongs: tenPongs},
		"pong of 126 bytes is 1002":            {sent: pong(xs(126)), closed: "1002 "},
		"close of 126 bytes is 1002":           {sent: code(1000, xs(124)), closed: "1002 "},
	})
}

func TestAutobahn3ReservedBits(t *testing.T) {
	t.Parallel()
	cases := map[string]exchange{
		"3.3 behind a message, which still comes": {sent: text("x") + reserved(ws.OpText, 1) + ping(""), messages: []string{"x"}, closed: "1002 "},
	}
	for rsv := byte(1); rsv < 8; rsv++ {
		for name, op := range map[string]ws.OpCode{"text": ws.OpText, "continuation": ws.OpContinuation, "ping": ws.OpPing, "pong": ws.OpPong, "close": ws.OpClose} {
			cases[fmt.Sprintf("3 bits %03b of a %s are 1002", rsv, name)] = exchange{sent: reserved(op, rsv), closed: "1002 "}
		}
	}
	try(t, cases)
}

func TestAutobahn4ReservedOpcodes(t *testing.T) {
	t.Parallel()
	cases := make(map[string]exchange)
	for _, op := range []ws.OpCode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases[fmt.Sprintf("4 opcode %d is 1002", op)] = exchange{sent: f(op, true, "x") + ping(""), closed: "1002 "}
	}
	try(t, cases)
}

func TestAutobahn5Fragmentation(t *testing.T) {
	t.Parallel()
	try(t, map[string]exchange{
		"5.1 ping in fragments is 1002":            {sent: f(ws.OpPing, false, "a") + last("b"), closed: "1002 "},
		"5.2 pong in fragments is 1002":            {sent: f(ws.OpPong, false, "a") + last("b"), closed: "1002 "},
		"close in fragments is 1002":               {sent: f(ws.OpClose, false, "\x03\xe8") + last("b"), closed: "1002 "},
		"5.3 text in two fragments":                {sent: first("he") + last("llo"), messages: []string{"hello"}},
		"5.5 text in two fragments, in octets":     {sent: first("he") + last("llo"), octets: true, messages: []string{"hello"}},
		"5.6 ping between fragments":               {sent: first("he") + ping("p") + last("llo"), pongs: []string{"p"}, messages: []string{"hello"}},
		"5.8 ping between fragments, in octets":    {sent: first("he") + ping("p") + last("llo"), octets: true, pongs: []string{"p"}, messages: []string{"hello"}},
		"ping of 125 bytes between fragments":      {sent: first("he") + ping(xs(125)) + last("llo"), pongs: []string{xs(125)}, messages: []string{"hello"}},
		"ping of 126 bytes between fragments":      {sent: first("he") + ping(xs(126)) + last("llo"), closed: "1002 "},
		"close between fragments":                  {sent: first("he") + code(1000, "bye") + last("llo"), closed: "1000 bye"},
		"5.9 continuation of nothing is 1002":      {sent: last("x") + text("y"), closed: "1002 "},
		"5.12 unfinished continuation of nothing":  {sent: more("x") + text("y"), closed: "1002 "},
		"5.15 continuation behind a whole message": {sent: first("he") + last("llo") + more("x"), messages: []string{"hello"}, closed: "1002 "},
		"5.18 text within a message is 1002":       {sent: first("x") + text("y"), closed: "1002 "},
		"first fragment within a message is 1002":  {sent: first("x") + first("y"), closed: "1002 "},
		"binary within a message is 1002":          {sent: first("x") + f(ws.OpBinary, true, "y"), closed: "1002 "},
		"5.19 pings between five fragments":        {sent: first("a") + more("b") + ping("1") + more("c") + more("d") + ping("2") + last("e"), pongs: []string{"1", "2"}, messages: []string{"abcde"}},
		"fragments without payload":                {sent: first("") + more("") + last(""), messages: []string{""}},
		"two messages in fragments":                {sent: first("a") + last("b") + first("c") + last("d"), messages: []string{"ab", "cd"}},
		"a fragment for each byte":                 {sent: first("") + strings.Repeat(more("x"), 1000) + last(""), messages: []string{xs(1000)}},
		"a message that never ends is no message":  {sent: first("x") + more("y")},
		"unmasked frame is 1002":                   {sent: string(ws.MustCompileFrame(ws.NewTextFrame([]byte("x")))), closed: "1002 "},
		"unmasked close is 1002":                   {sent: "\x88\x00", closed: "1002 "},
		"length of 2^63 is 1002":                   {sent: "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", closed: "1002 "},
		"message behind a message":                 {sent: text("a") + text("b") + text("c"), messages: []string{"a", "b", "c"}},
	})
}

func TestAutobahn7Close(t *testing.T) {
	t.Parallel()
	const unset = "1005 Client-side close frame status not set"
	cases := map[string]exchange{
		"7.1.1 message before":             {sent: text("x") + code(1000, ""), messages: []string{"x"}, closed: "1000 "},
		"7.1.2 two closes":                 {sent: code(1000, "one") + code(1001, "two"), closed: "1000 one"},
		"7.1.3 ping after is not answered": {sent: code(1000, "") + ping("x"), closed: "1000 "},
		"7.1.4 message after is ignored":   {sent: code(1000, "") + text("x"), closed: "1000 "},
		"violation after is ignored":       {sent: code(1000, "") + reserved(ws.OpText, 7), closed: "1000 "},
		"7.1.5 rest of a message after":    {sent: first("x") + code(1000, "") + last("y"), closed: "1000 "},
		"7.3.1 without payload":            {sent: closing(""), closed: "none", event: unset},
		"7.3.2 with half a code is 1002":   {sent: closing("\x03"), closed: "1002 "},
		"7.3.4 with a reason":              {sent: code(1000, "gründlich"), closed: "1000 gründlich"},
		"7.3.5 with a reason of 123 bytes": {sent: code(1000, xs(123)), closed: "1000 " + xs(123)},
		"7.3.6 with a reason of 124 bytes": {sent: code(1000, xs(124)), closed: "1002 "},
		"7.5.1 reason not UTF-8 is 1007":   {sent: code(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), closed: "1007 "},
		"reason cut within a character":    {sent: code(1000, "\xe2\x82"), closed: "1007 "},
		"in octets":                        {sent: code(1000, "bye"), octets: true, closed: "1000 bye"},
	}
	for _, c := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases[fmt.Sprintf("7.7 code %d is echoed", c)] = exchange{sent: code(c, "why"), closed: fmt.Sprintf("%d why", c)}
	}
	for _, c := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases[fmt.Sprintf("7.9 code %d is 1002", c)] = exchange{sent: code(c, "why"), closed: "1002 "}
	}
	try(t, cases)
}

func TestAutobahn9Limits(t *testing.T) {
	t.Parallel()
	const kb = 1 << 10
	four := first(xs(32*kb)) + more(xs(32*kb)) + more(xs(32*kb))
	try(t, map[string]exchange{
		"frame of 32 KB":                       {sent: text(xs(32 * kb)), messages: []string{xs(32 * kb)}},
		"frame above 32 KB is 1009":            {sent: text(xs(32*kb + 1)), closed: "1009 "},
		"fragment above 32 KB is 1009":         {sent: first("x") + last(xs(32*kb+1)), closed: "1009 "},
		"message of 128 KB":                    {sent: four + last(xs(32*kb)), messages: []string{xs(128 * kb)}},
		"message above 128 KB is 1009":         {sent: four + more(xs(32*kb)) + last("x"), closed: "1009 "},
		"as soon as it is above 128 KB":        {sent: four + more(xs(32*kb)) + more("x"), closed: "1009 "},
		"control frames do not count":          {sent: four + ping(xs(125)) + last(xs(32*kb)), pongs: []string{xs(125)}, messages: []string{xs(128 * kb)}},
		"huge frame is refused by its header":  {sent: "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", closed: "1009 "},
		"limit is on bytes, not on characters": {sent: text(strings.Repeat("€", 32*kb/3+1)), closed: "1009 "},
		"9.7 many small messages":              {sent: strings.Repeat(text("x"), 300), messages: strings.Split(strings.Repeat("x", 300), "")},
	})
}
