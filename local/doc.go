// Package local is the folder of the local cloud: everything that makes the
// AWS resources of a chatstack program run on this machine.
//
// The Pulumi engine, for which package langhost runs the program, hands each
// resource to package provider, which notes it with package cloud; from what is
// noted, cloud runs
//
//   - the WebSocket API: package gateway, one loopback listener an API;
//   - the functions: package lambda, the very bootstrap from the zip;
//   - the table: package dynamo, a DynamoDB-compatible engine and its TTL;
//   - the event source mapping: package eventsource;
//   - the roles and their policies: package iam, which all of them ask;
//   - the log groups: package logs.
//
// Package clock lets time pass for them, package fault has them fail on purpose, and
// by package control the chatstack command and tests in any language ask for both.
// Package process binds the programs that they start to the life of the cloud.
// None of them is imported by the component, the functions or the chat.
package local
