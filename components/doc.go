// Package components holds Pulumi components for chats, and for anything else,
// on API Gateway WebSocket APIs:
//
//   - [NewChatStack] deploys a whole chat. Its zero value works.
//   - [NewWebSocketAPI] is a WebSocket API with routes to functions.
//   - [NewGoFunction] is a Lambda function made from a Go package.
//   - [NewChatTable] is the chat's DynamoDB table.
//   - [NewStreamMapping] feeds a table's stream to a function and keeps what
//     fails for good in a queue.
//   - [NewSchedule] invokes a function again and again.
//
// The chat stack is made of the others, which work without it too:
//
//	client ─frame→ WebSocketAPI ─route→ GoFunction ──→ ChatTable
//	client ←frame─ WebSocketAPI ←post── GoFunction ←── StreamMapping
//
// Arguments are plain Go values where they decide what is declared, so that a
// mistake in them ends the preview with a sentence that names the argument, its
// value and what is allowed. All mistakes of one constructor are reported at
// once, before it declares anything.
//
// No resource has a fixed physical name, but for a stage within its own API:
// Pulumi completes each logical name with random letters, so that two stacks in
// one program, or one in each of several stages of one account, never collide.
// A component's own name, which those begin with, is bounded so that they fit.
//
// A component's children belong to it (pulumi.Parent), so providers,
// protection and transforms given to the component reach all of them.
package components
