package gateway

// A notice is the text of what the service itself tells a client, as a frame or
// as the body of a refused upgrade.
type notice string

const (
	unauthorized        notice = "Unauthorized"
	forbidden           notice = "Forbidden"
	tooManyRequests     notice = "Too Many Requests" // the text is not known of AWS
	internalServerError notice = "Internal server error"
	requestTimedOut     notice = "Endpoint request timed out"
)

// encode returns the bytes that AWS sends, whose spacing is not that of any
// JSON encoder: a space after the first colon and after commas, none elsewhere.
func (n notice) encode(connectionID, requestID rawID) []byte {
	return []byte(`{"message": ` + string(encodeJSON(string(n))) +
		`, "connectionId":"` + connectionID.String() +
		`", "requestId":"` + requestID.String() + `"}`)
}
