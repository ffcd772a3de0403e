// Package lambda runs functions as AWS Lambda does: the very bootstrap that is
// deployed, driven over the Lambda Runtime API (2018-06-01).
//
// The gateway and the event source mappings call [Service.Invoke], as API Gateway
// and Lambda's own poller do: synchronously, so that nothing is retried here. An
// invocation takes an execution environment: a temporary directory, a log stream,
// and a process of the bootstrap with a loopback listener of its own that serves
// it the Runtime API. An environment has one invocation at a time and is used
// again, the one used last first; when all are busy another is made, and those
// that stay unused are ended, except one.
//
// A process has 10 seconds to come up before the first invocation of its
// environment, or else the time of that invocation. The invocation is over when
// the process asks for the next, and then the process is frozen, with all that it
// has started, until there is one: what it left running stands still and goes on
// in the next invocation, where it shows. A crash, a timeout or too much memory
// resets the environment: the next invocation finds what the directory held, and
// its process comes up in the time of the invocation.
//
// What a function writes to standard output and standard error goes to a
// [LogSink], between the START, END and REPORT lines of its invocation. A process
// that has registered an extension, as lambda.WithEnableSIGTERM does, is told of
// its end by SIGTERM; any other gets SIGKILL.
//
// # What differs from AWS
//
// Memory is what one process has resident and not what the whole environment has:
// processes that the bootstrap starts do not count, and neither do files. Where
// the system does not tell it of a running process, which is everywhere but on
// Linux, it is not limited, and reported only of a process that has ended.
//
// The temporary directory is the environment's own, as on AWS, but is found by
// TMPDIR and not at /tmp, and its size is not limited. HOME is set, to the same.
// LAMBDA_TASK_ROOT is the bootstrap's directory and not /var/task, and can be
// written to. There is no CPU quota by memory, no layer, no asynchronous
// invocation, no version other than $LATEST, no response that is streamed to the
// invoker (one that the function streams is collected), and of the Extensions API
// only what a runtime needs to be told of its end by SIGTERM: who registers for
// events is refused.
//
// # What AWS does not say
//
// It is not documented, and decided here for the stricter or the more likely:
//
//   - A process that registered gets 500 ms between SIGTERM and SIGKILL, the
//     least that is said of AWS.
//   - What a process answered counts also if it then crashes or does not ask for
//     the next invocation in time; the report says how it ended. It does not
//     count if the process had more memory in use than the function has.
//   - A process that exceeds its memory is killed, and the error has the type
//     Runtime.OutOfMemory, as people quote it from AWS's newer logs and answers;
//     older ones have Runtime.ExitError, with the same message.
//   - The time of an initialization before the first invocation is billed with
//     it. One that failed is not reported there, and so not billed here.
//   - A stream that fails midway fails the invocation with the error that its
//     trailers tell, also if the invoker does not stream.
//   - A runtime that asks for work while it has some that is not answered gets
//     the same again, as in AWS's emulator of the Runtime API.
//   - AWS may end an environment that waits at any time. Here it is after
//     [Options.Idle].
package lambda
