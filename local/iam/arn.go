package iam

// MatchARN reports whether an ARN matches a pattern, as the condition ArnLike and
// the Resource of a statement compare them: segment by segment, with "*" for any
// characters and "?" for one. The pattern "*" matches everything.
func MatchARN(pattern, arn string) bool { return matchARN(pattern, arn) }
