package dynamo

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"strconv"
)

// A refusal is an answer of the front's own, in the form of DynamoDB's errors.
type refusal struct {
	status  int
	kind    string // its type, with the name space that AWS puts before it
	message string
	reasons []cancellation // of a transaction
}

// A cancellation says why one part of a transaction was not done.
type cancellation struct {
	Code    string
	Message string `json:",omitempty"`
}

const (
	ofService  = "com.amazon.coral.service#"
	ofValidate = "com.amazon.coral.validate#"
	ofTables   = "com.amazonaws.dynamodb.v20120810#"
)

func (r *refusal) Error() string { return r.message }

func refuse(kind, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, kind: kind, message: message}
}

// write answers with the refusal.
func (r *refusal) write(w http.ResponseWriter) {
	answer := map[string]any{"__type": r.kind}
	switch {
	case r.kind == ofService+"AccessDeniedException", r.reasons != nil:
		answer["Message"] = r.message // AWS writes these two so
	case r.message != "":
		answer["message"] = r.message
	}
	if r.reasons != nil {
		answer["CancellationReasons"] = r.reasons
	}
	body, err := encode(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amzn-Requestid", rand.Text())
	header.Set(checksumHeader, checksum(body))
	w.WriteHeader(r.status)
	_, _ = w.Write(body) // whoever hung up does not miss it
}

// checksumHeader holds the CRC-32 of the body, which SDKs compare.
const checksumHeader = "X-Amz-Crc32"

func checksum(body []byte) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
}

// encode writes JSON and leaves "<", ">" and "&" as they are.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
