// Package conformance asks AWS, and the local cloud, whether they behave as the
// project's reference of AWS behaviour says.
//
// Each claim of the reference is declared once, with its source, how certain it
// is, and a case that holds it: a function that sees the subject only through
// public clients, a WebSocket client, plain HTTP and the AWS SDK. The subject is
// a Pulumi program (subject) whose functions behave as a case tells them, and
// note in a table what they got. So the very same cases run against the local
// cloud and against AWS. What no client can see is listed with the reason why it
// has no case, and where it is held instead.
//
// # On this machine
//
//	go test ./tests/conformance           deploys the subject with chatstack up and runs every case
//	go test ./tests/conformance -update   writes docs/parity.md from the results too
//
// Waits of minutes and hours are let pass with chatstack clock. The test fails
// where a claim does not hold and is not known to differ, where one that is
// known to differ holds again, and where docs/parity.md says otherwise.
//
// # On AWS
//
// With Pulumi logged in and AWS credentials in the SDK's default chain:
//
//	cd tests/conformance/subject
//	pulumi stack init aws
//	pulumi up --yes
//	export CHATSTACK_CONFORMANCE_OUTPUTS=$PWD/outputs.json
//	pulumi stack output --json > $CHATSTACK_CONFORMANCE_OUTPUTS
//	export CHATSTACK_CONFORMANCE_ENDPOINT=$(pulumi stack output mainEndpoint)
//	export AWS_REGION=eu-central-1
//	cd ../../..
//	go test ./tests/conformance -timeout 30m              # all but the long waits
//	go test ./tests/conformance -timeout 4h -long         # ten minutes idle, two hours open
//	go test ./tests/conformance -timeout 30m -record-aws  # keep the results for docs/parity.md
//	cd tests/conformance/subject && pulumi destroy --yes
//
// A run costs a few cents at most: some thousand messages, invocations and
// writes on demand. Nothing of the subject costs while it is idle, except that
// tables and logs keep some kilobytes, and a rule invokes a function every hour.
// The functions are built for linux/arm64; `pulumi config set platform linux/amd64`
// builds them for the other.
//
// Credentials need dynamodb:* on the subject's tables and streams,
// execute-api:ManageConnections on its APIs, and sqs:ReceiveMessage and
// sqs:DeleteMessage on its queues.
package conformance
