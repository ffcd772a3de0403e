// Package iam says who calls the local cloud, and what they may do. An
// [Authority] knows the credentials that were handed out and the roles with
// their policies; whatever serves a call asks it twice: [Authority.Authenticate]
// checks the signature of the request, [Authority.Authorize] each action on
// each resource that the request comes to. Both refuse in AWS's words, and
// [Authority.Usage] tells what of the policies was used, so that the rest can be
// taken away.
//
// # Policies
//
// [ParsePolicy] reads inline policies of roles. What AWS refuses is a
// [PolicyError] with the code MalformedPolicyDocument; what AWS would run but
// the local cloud would have to guess at (an operator, a key or a policy
// variable that is not listed here) is refused by name.
//
//   - Effect, Action, NotAction, Resource, NotResource, Condition, Sid, Id and
//     Version, each written exactly so. A Deny outweighs every Allow; what no
//     statement allows is denied.
//   - "*" stands for any characters, also none, "?" for exactly one. Actions are
//     compared without regard to case, ARNs with it. An ARN is compared segment
//     by segment: in its first five segments a wildcard stays within the colons,
//     in the sixth, the resource's own part, it matches "/" and ":" too. AWS lets
//     a "*" at the end of a segment match beyond it; for the ARNs that exist,
//     which have no colon in their first five segments, that is the same. An ARN
//     with fewer than six segments is refused.
//   - Conditions: StringEquals, StringNotEquals, the same with IgnoreCase,
//     StringLike, StringNotLike, ArnEquals, ArnNotEquals, ArnLike, ArnNotLike,
//     Bool and Null, with IfExists, ForAllValues: and ForAnyValue: where AWS has
//     them. Operators for numbers, dates, addresses and binary values are not
//     run: none of the keys known here has such values.
//   - Keys: aws:PrincipalArn, aws:PrincipalAccount, aws:RequestedRegion,
//     aws:SecureTransport (true: the same call to AWS goes over TLS, and this one
//     does not leave the machine), and those of DynamoDB that a table's front
//     knows: LeadingKeys, Attributes, Select, ReturnValues,
//     ReturnConsumedCapacity, EnclosingOperation.
//   - dynamodb:LeadingKeys and dynamodb:Attributes have many values. AWS does not
//     say what an operator without ForAllValues or ForAnyValue makes of those; it
//     is refused here.
//   - A policy may hold 10,240 characters without white space, and so may all
//     inline policies of a role together ([CheckRole]).
//
// Roles have no resource policies, permission boundaries, session policies or
// service control policies here.
//
// # Signatures
//
// Signature version 4 in the Authorization header, as the AWS SDKs and the aws
// command write it; presigned URLs and version 4A are refused by name. The time
// of a request may be five minutes off, as DynamoDB and API Gateway say in their
// messages. Of the headers only Host has to be signed: whether AWS insists on
// more is not known, SDKs sign all that matter. The payload is always hashed: a
// request signed as UNSIGNED-PAYLOAD, which is S3's, does not match. Nor is it
// known in which order AWS looks at the parts of a request that is wrong in more
// than one way.
package iam
