package conformance

// selectionClaims are of route selection expressions (A2).
func selectionClaims() []claim {
	return []claim{
		{
			rows: "A2.parts", how: documented,
			says: "A selection expression may be made of several parts and text: ${request.body.service}-${request.body.action} is chat-join",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "composed", dialOptions{})
				if a := conn.ask(object{"service": "chat", "action": "join"}); a.RouteKey != "chat-join" {
					c.Errorf("routeKey is %q, want chat-join", a.RouteKey)
				}
			},
		},
		{
			rows: "A2.nested", how: documented,
			says: "A path may lead deep into the body",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "nested", dialOptions{})
				if a := conn.ask(object{"meta": object{"kind": "hello"}}); a.RouteKey != "hello" {
					c.Errorf("routeKey is %q, want hello", a.RouteKey)
				}
			},
		},
		{
			rows: "A2.missing", how: documented,
			says: "A path that is not there is the empty text",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "composed", dialOptions{})
				if a := conn.ask(object{"service": "chat"}); a.RouteKey != "chat-" {
					c.Errorf("routeKey is %q, want chat-", a.RouteKey)
				}
			},
		},
		{
			rows: "A2.text", how: documented,
			says: "An array becomes a text with brackets, which is not the text of its only item",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "nested", dialOptions{})
				if a := conn.ask(object{"meta": object{"kind": []string{"hello"}}}); a.RouteKey != "$default" {
					c.Errorf("routeKey is %q, want $default", a.RouteKey)
				}
			},
		},
		{
			rows: "A2.text", how: remembered,
			says:    "What null, numbers, booleans and objects become is not documented",
			without: "nobody knows what is right; the choice made here is held beside the code (internal/selection)",
		},
		{
			rows: "A2.exact", how: documented,
			says: "The value must be a route key exactly",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "nested", dialOptions{})
				for _, kind := range []string{"Hello", "hello ", "hell", "h*", ""} {
					if a := conn.ask(object{"meta": object{"kind": kind}}); a.RouteKey != "$default" {
						c.Errorf("%q: routeKey is %q, want $default", kind, a.RouteKey)
					}
				}
			},
		},
		{
			rows: "A2.notjson A5.forbidden", how: captured, check: []string{"frames"},
			says: "A message that is not JSON, where there is no $default, is answered with Forbidden",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "composed", dialOptions{})
				conn.sendText("not JSON")
				serviceFrame(c, conn.receive(), "Forbidden")
				conn.sendText(`{"service":"chat","action":"join"} and more`)
				serviceFrame(c, conn.receive(), "Forbidden")
			},
		},
		{
			rows: "A2.selected A8.routeKey", how: captured,
			says: "requestContext.routeKey is the route that was selected, $default on a fallback and not what the client sent",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "nested", dialOptions{})
				if a := conn.ask(object{"meta": object{"kind": "unheard-of"}}); a.RouteKey != "$default" {
					c.Errorf("routeKey is %q, want $default", a.RouteKey)
				}
			},
		},
		{
			rows: "A2.forged", how: inferred,
			says: "A message never selects $connect or $disconnect: it goes to $default, or is answered with Forbidden",
			run: func(c *check, s *subject) {
				nested, bare := s.dial(c, "nested", dialOptions{}), s.dial(c, "bare", dialOptions{})
				for _, key := range []string{"$connect", "$disconnect"} {
					if a := nested.ask(object{"meta": object{"kind": key}}); a.RouteKey != "$default" {
						c.Errorf("%s: routeKey is %q, want $default", key, a.RouteKey)
					}
					bare.send(object{"action": key})
					serviceFrame(c, bare.receive(), "Forbidden")
				}
				main := s.dial(c, "main", dialOptions{})
				main.send(to("$disconnect", "case", main.key+"-forged"))
				if got := s.event(c, main.key+"-forged", "MESSAGE").context().RouteKey; got != "$default" {
					c.Errorf("where there is a $disconnect: routeKey is %q, want $default", got)
				}
			},
		},
	}
}
