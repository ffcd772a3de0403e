// Package lambda runs functions as AWS Lambda does: the very bootstrap that is
// deployed, driven over the Lambda Runtime API (2018-06-01).
//
// The gateway and the event source mappings call [Service.Invoke], as API Gateway
// and Lambda's own poller do. An invocation takes an execution environment: one
// process of the bootstrap with a loopback listener of its own that serves it the
// Runtime API. An environment has one invocation at a time and is used again, the
// one used last first; when all are busy another is started, and those that stay
// unused are stopped, except one. A crash or a timeout ends the environment, and
// the next invocation starts another.
//
// What a function writes to standard output and standard error goes to a
// [LogSink], between the START, END and REPORT lines of its invocation.
//
// # What differs from AWS
//
// A process keeps running between its invocations; AWS freezes it. Memory is told
// to the function and reported, but not limited. The temporary directory is the
// environment's own, as on AWS, but is found by TMPDIR and not at /tmp, and
// LAMBDA_TASK_ROOT is the bootstrap's directory and not /var/task. There are no
// layers, no versions other than $LATEST, and of the Extensions API only what a
// runtime needs to be told of its end by SIGTERM.
package lambda
