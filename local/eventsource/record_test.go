package eventsource

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// full is a record with a value of each type.
func full() types.Record {
	r := newRecord("1")
	r.EventID = aws.String("0123456789abcdef0123456789abcdef")
	r.EventName = types.OperationTypeRemove
	r.UserIdentity = &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")}
	r.Dynamodb.ApproximateCreationDateTime = aws.Time(time.Unix(1700000001, 0))
	r.Dynamodb.Keys = map[string]types.AttributeValue{"pk": text("a")}
	r.Dynamodb.NewImage = nil
	r.Dynamodb.OldImage = map[string]types.AttributeValue{
		"pk":   text("a"),
		"n":    number("-12.5"),
		"b":    &types.AttributeValueMemberB{Value: []byte{1, 2, 3}},
		"bool": &types.AttributeValueMemberBOOL{Value: false},
		"null": &types.AttributeValueMemberNULL{Value: true},
		"m":    &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": text("<v>")}},
		"l":    &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x"), number("1")}},
		"ss":   &types.AttributeValueMemberSS{Value: []string{"p", "q"}},
		"ns":   &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"bs":   &types.AttributeValueMemberBS{Value: [][]byte{{4}}},
	}
	return r
}

func TestEventAsOnAWS(t *testing.T) {
	t.Parallel()
	m := mapping()
	data := encode(m.event(full()))
	got := parseEvent(t, string(data))
	want := parseEvent(t, `{
		"eventID": "0123456789abcdef0123456789abcdef",
		"eventName": "REMOVE",
		"eventVersion": "1.1",
		"eventSource": "aws:dynamodb",
		"awsRegion": "eu-west-1",
		"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
		"dynamodb": {
			"ApproximateCreationDateTime": 1.700000001E9,
			"Keys": {"pk": {"S": "a"}},
			"OldImage": {
				"pk": {"S": "a"}, "n": {"N": "-12.5"}, "b": {"B": "AQID"},
				"bool": {"BOOL": false}, "null": {"NULL": true},
				"m": {"M": {"k": {"S": "<v>"}}}, "l": {"L": [{"S": "x"}, {"N": "1"}]},
				"ss": {"SS": ["p", "q"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["BA=="]}
			},
			"SequenceNumber": "1",
			"SizeBytes": 56,
			"StreamViewType": "NEW_AND_OLD_IMAGES"
		},
		"eventSourceARN": "`+streamARN+`"
	}`)
	wantSame(t, "event", want, got)
	if !strings.Contains(string(data), "<v>") {
		t.Error("markup is escaped")
	}

	var typed events.DynamoDBEventRecord
	if err := json.Unmarshal(data, &typed); err != nil {
		t.Fatal(err)
	}
	if typed.UserIdentity.PrincipalID != "dynamodb.amazonaws.com" || typed.Change.ApproximateCreationDateTime.Unix() != 1700000001 ||
		string(typed.Change.OldImage["b"].Binary()) != "\x01\x02\x03" {
		t.Errorf("as the Go library reads it: %+v", typed)
	}
}

// What a record tells depends on the stream's view type, as the engine gives it.
func TestImagesByViewType(t *testing.T) {
	t.Parallel()
	m := mapping()
	for view, images := range map[types.StreamViewType][]string{
		types.StreamViewTypeKeysOnly:        nil,
		types.StreamViewTypeNewImage:        {"NewImage"},
		types.StreamViewTypeOldImage:        {"OldImage"},
		types.StreamViewTypeNewAndOldImages: {"NewImage", "OldImage"},
	} {
		r := newRecord("1")
		r.EventName = types.OperationTypeModify
		r.Dynamodb.StreamViewType = view
		item := r.Dynamodb.NewImage
		r.Dynamodb.NewImage, r.Dynamodb.OldImage = nil, nil
		size := len("pk") + len("p") + len("sk") + len("1")
		for _, image := range images {
			if size += len("pk") + len("p") + len("sk") + len("1"); image == "NewImage" {
				r.Dynamodb.NewImage = item
			} else {
				r.Dynamodb.OldImage = item
			}
		}
		want := []string{"ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"}
		want = append(want, images...)
		slices.Sort(want)
		data := m.event(r)["dynamodb"].(map[string]any)
		wantSame(t, string(view), want, slices.Sorted(maps.Keys(data)))
		wantSame(t, string(view), []any{string(view), json.Number(strconv.Itoa(size))}, []any{data["StreamViewType"], data["SizeBytes"]})
	}
}

func TestCreationTimeIsWrittenAsOnAWS(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]string{
		1700000001: "1.700000001E9", 1700000000: "1.7E9", 2000000000: "2.0E9", 0: "0.0E0",
	} {
		if got := javaDouble(seconds); string(got) != want {
			t.Errorf("%d is written %s", seconds, got)
		}
	}
	r := newRecord("1")
	r.Dynamodb.ApproximateCreationDateTime = aws.Time(time.Unix(1700000001, 999e6))
	m := mapping()
	if data := string(encode(m.event(r))); !strings.Contains(data, `"ApproximateCreationDateTime":1.700000001E9,`) {
		t.Errorf("event %s", data)
	}
}

func TestImagesThatARecordLacksAreAbsent(t *testing.T) {
	t.Parallel()
	m := mapping()
	data := m.event(newRecord("1"))["dynamodb"].(map[string]any)
	if _, ok := data["OldImage"]; ok {
		t.Error("an INSERT has an OldImage")
	}
	if _, ok := m.event(newRecord("1"))["userIdentity"]; ok {
		t.Error("an ordinary change has a userIdentity")
	}
}

func TestEventIDHasItsForm(t *testing.T) {
	t.Parallel()
	m, other := mapping(), mapping(func(m *Mapping) { m.StreamARN += "1" })
	a, b := newRecord("1"), newRecord("2")
	a.EventID, b.EventID = aws.String("1"), nil
	ids := []string{m.eventID(a), m.eventID(b), other.eventID(a)}
	for i, id := range ids {
		if !eventIDForm.MatchString(id) {
			t.Errorf("id %q", id)
		}
		if id == ids[(i+1)%3] {
			t.Errorf("two records have the id %s", id)
		}
	}
	if ids[0] != m.eventID(a) {
		t.Error("a record that comes again has another id")
	}
}

func TestSizeAsDynamoDBCountsIt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		value types.AttributeValue
		want  int
	}{
		"text":            {text("abc"), 3},
		"text in UTF-8":   {text("ä"), 2},
		"zero":            {number("0"), 1},
		"one digit":       {number("5"), 2},
		"two digits":      {number("12"), 2},
		"three digits":    {number("123"), 3},
		"trailing zeros":  {number("1200000"), 2},
		"fraction":        {number("0.0012"), 2},
		"negative":        {number("-12"), 3},
		"exponent":        {number("1.5E+10"), 2},
		"true":            {&types.AttributeValueMemberBOOL{Value: true}, 1},
		"null":            {&types.AttributeValueMemberNULL{Value: true}, 1},
		"empty map":       {&types.AttributeValueMemberM{}, 3},
		"map":             {&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": text("v")}}, 6},
		"list":            {&types.AttributeValueMemberL{Value: []types.AttributeValue{text("ab"), text("c")}}, 8},
		"set of texts":    {&types.AttributeValueMemberSS{Value: []string{"ab", "c"}}, 3},
		"set of numbers":  {&types.AttributeValueMemberNS{Value: []string{"1", "-1"}}, 5},
		"set of binaries": {&types.AttributeValueMemberBS{Value: [][]byte{{1}, {2, 3}}}, 3},
	} {
		if got := valueSize(row.value); got != row.want {
			t.Errorf("%s: %d bytes, not %d", name, got, row.want)
		}
	}
}

// An answering transport answers every request with the same body.
type answeringTransport []byte

func (body answeringTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// Whatever an engine answers, what comes of it is an event in JSON.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"NextShardIterator":"x","Records":[{"awsRegion":"r","eventID":"1","eventName":"MODIFY","dynamodb":{
		"ApproximateCreationDateTime":1700000001,"Keys":{"pk":{"S":"a"}},"NewImage":{"n":{"N":"1"},"b":{"B":"AQID"},"l":{"L":[{"NULL":true}]}},
		"OldImage":{"m":{"M":{"x":{"BOOL":false}}},"ss":{"SS":["a"]},"ns":{"NS":["1"]},"bs":{"BS":["AQ=="]}},"SequenceNumber":"1"},
		"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}]}`))
	f.Add([]byte(`{"Records":[{"dynamodb":{"Keys":{"pk":{"X":1}},"SequenceNumber":"1"}},{"dynamodb":null},{}]}`))
	m := mapping()
	f.Fuzz(func(t *testing.T, body []byte) {
		client := dynamodbstreams.New(dynamodbstreams.Options{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			HTTPClient: &http.Client{Transport: answeringTransport(body)}, Retryer: aws.NopRetryer{},
		})
		out, err := client.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("x")})
		if err != nil {
			return
		}
		for _, record := range out.Records {
			if record.Dynamodb == nil || record.Dynamodb.SequenceNumber == nil {
				continue
			}
			if data := encode(m.event(record)); !json.Valid(data) {
				t.Errorf("event %s", data)
			}
		}
	})
}

// Where an engine knows the minute alone, a record is of the second in which it is
// read.
func TestToTheSecond(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 36, 250e6, time.UTC)
	second := now.Truncate(time.Second)
	for said, want := range map[time.Time]time.Time{
		second.Add(-3 * time.Second): second.Add(-3 * time.Second), now.Truncate(time.Minute): second,
	} {
		if got := toTheSecond(said, now); !got.Equal(want) {
			t.Errorf("%v is taken as %v, want %v", said, got, want)
		}
	}
}
