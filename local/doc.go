// Package local is the folder of the local cloud: everything that makes the
// AWS resources of a chatstack program run on this machine.
//
// The Pulumi engine hands each resource to package provider, which notes it
// with package cloud; from what is noted, cloud runs
//
//   - the WebSocket API: package gateway, one loopback listener an API;
//   - the functions: package lambda, the very bootstrap from the zip;
//   - the table: package dynamo, a DynamoDB-compatible engine and its TTL;
//   - the event source mapping: package eventsource.
//
// Package process binds the programs they start to the life of the cloud.
// None of them is imported by the component, the functions or the chat.
package local
