package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"example.com/chatstack/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A stage is a chat in memory, by the rules of docs/protocol.md, in which
// everything goes wrong that may.
type stage struct {
	mu       sync.Mutex
	random   *rand.Rand
	faults   faults
	channels map[string]*storedChannel
	sent     map[string]int64 // places, by sender and id
	conns    map[string]*stageConn
	dials    []time.Time
	offered  [][]string
	counts   map[string]int

	// you, if set, gives what whoami says beside the connection, as the user.
	you func(subprotocols []string) map[string]any
	// refuse, if set, says why a connection is not taken.
	refuse func() error
	// serve, if set, serves a frame in place of the stage if it returns true.
	serve func(c *stageConn, f clientFrame) bool
}

// faults are chances of what goes wrong, in percent.
type faults struct {
	LoseFrame   int // a client's frame vanishes
	LoseAnswer  int // an answer is not sent
	Foreign     int // of the lost answers: API Gateway's frame comes instead
	BreakOff    int // a send ends between taking its number and storing
	Slow        int // a frame is served only seconds later
	LoseEvent   int // an event does not come
	DoubleEvent int // an event comes twice
	Join        int // two events come in one frame
	MaxDelay    time.Duration
}

type storedChannel struct {
	seq      int64
	messages map[int64]wireMessage
	members  map[string]bool
}

type wireMessage struct {
	Event     string `json:"event"`
	ChannelID string `json:"channelId"`
	Name      string `json:"name"`
	Content   string `json:"content"`
	MessageID string `json:"messageId"`
	Seq       int64  `json:"seq"`
	At        string `json:"at"`
	SenderID  string `json:"senderId"`
	User      string `json:"user,omitempty"`
}

type clientFrame struct {
	Action, ChannelID, Name, Content, ID string
	User, Cursor, Reason                 string
	After, Before                        *int64
	Limit, Seconds                       int
}

func newStage(seed uint64) *stage {
	return &stage{
		random: rand.New(rand.NewPCG(seed, 1)), channels: map[string]*storedChannel{}, sent: map[string]int64{},
		conns: map[string]*stageConn{}, counts: map[string]int{},
	}
}

// A stageConn is the client's end of a connection.
type stageConn struct {
	stage  *stage
	id     string
	you    map[string]any
	frames chan []byte
	ended  chan struct{}
	once   sync.Once
	why    error
}

func (s *stage) dial(ctx context.Context, _ string, subprotocols []string) (Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, time.Now())
	s.offered = append(s.offered, subprotocols)
	if s.refuse != nil {
		if err := s.refuse(); err != nil {
			return nil, err
		}
	}
	c := &stageConn{stage: s, id: fmt.Sprint("conn-", len(s.dials)), frames: make(chan []byte, 1<<16), ended: make(chan struct{})}
	if s.you != nil {
		c.you = s.you(subprotocols)
	}
	s.conns[c.id] = c
	return c, ctx.Err()
}

func (c *stageConn) Read(ctx context.Context) ([]byte, error) {
	select {
	case frame := <-c.frames:
		return frame, nil
	case <-c.ended:
		return nil, c.why
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *stageConn) Write(_ context.Context, frame []byte) error {
	select {
	case <-c.ended:
		return c.why
	default:
	}
	if _, err := chat.DecodeFrame(frame); err != nil {
		panic(err)
	}
	var f clientFrame
	if err := json.Unmarshal(frame, &f); err != nil {
		panic(err)
	}
	c.stage.receive(c, f)
	return nil
}

func (c *stageConn) Close() error { c.cut(errors.New("closed by the client")); return nil }

// cut ends the connection.
func (c *stageConn) cut(why error) {
	c.once.Do(func() {
		c.stage.mu.Lock()
		defer c.stage.mu.Unlock()
		delete(c.stage.conns, c.id)
		for _, ch := range c.stage.channels {
			delete(ch.members, c.id)
		}
		c.why = why
		close(c.ended)
	})
}

// push sends text to the client as it is.
func (c *stageConn) push(text string) {
	select {
	case c.frames <- []byte(text):
	default:
		panic("a client does not read")
	}
}

// one gives the only connection.
func (s *stage) one() *stageConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		return c
	}
	return nil
}

func (s *stage) setFaults(f faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// count gives how many frames of an action came.
func (s *stage) count(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[action]
}

// chance is called with the lock held.
func (s *stage) chance(percent int) bool { return s.random.IntN(100) < percent }

// delay is called with the lock held.
func (s *stage) delay() time.Duration {
	if s.faults.MaxDelay == 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(s.faults.MaxDelay)))
}

func (s *stage) channel(id string) *storedChannel {
	ch, ok := s.channels[id]
	if !ok {
		ch = &storedChannel{messages: map[int64]wireMessage{}, members: map[string]bool{}}
		s.channels[id] = ch
	}
	return ch
}

// receive serves a frame after a while, also when its connection has ended.
func (s *stage) receive(c *stageConn, f clientFrame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[f.Action]++
	if s.serve != nil && s.serve(c, f) || s.chance(s.faults.LoseFrame) {
		return
	}
	delay := s.delay()
	if s.chance(s.faults.Slow) {
		delay += time.Duration(s.random.Int64N(int64(25 * time.Second)))
	}
	time.AfterFunc(delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.act(c, f)
	})
}

// act is called with the lock held.
func (s *stage) act(c *stageConn, f clientFrame) {
	ch := s.channel(f.ChannelID)
	switch f.Action {
	case "whoami":
		answer := map[string]any{"event": "you", "id": f.ID, "connectionId": c.id}
		maps.Copy(answer, c.you)
		s.answer(c, answer)
	case "ping":
		s.answer(c, map[string]any{"event": "pong", "id": f.ID})
	case "subscribeChannel":
		if s.conns[c.id] == nil {
			return
		}
		ch.members[c.id] = true
		answer := map[string]any{"event": "subscribed", "id": f.ID, "channelId": f.ChannelID, "seq": ch.seq, "missed": []any{}, "more": false}
		if f.After != nil {
			begin := *f.After + 1
			if *f.After > ch.seq || ch.seq-*f.After > 1000 {
				begin = max(1, ch.seq-999)
				answer["from"] = begin
			}
			answer["missed"], answer["more"] = ch.list(begin-1, 100)
		}
		s.answer(c, answer)
	case "unsubscribeChannel":
		delete(ch.members, c.id)
		s.answer(c, map[string]any{"event": "unsubscribed", "id": f.ID, "channelId": f.ChannelID})
	case "getHistory":
		answer := map[string]any{"event": "history", "id": f.ID, "channelId": f.ChannelID}
		if f.After != nil {
			answer["messages"], answer["more"] = ch.list(*f.After, f.Limit)
		} else {
			all, _ := ch.list(0, 1<<30)
			slices.Reverse(all)
			answer["messages"], answer["more"] = all[:min(f.Limit, len(all))], len(all) > f.Limit
		}
		s.answer(c, answer)
	case "sendMessage":
		s.store(c, f, ch)
	default:
		panic("the stage has no action " + f.Action)
	}
}

func (s *stage) store(c *stageConn, f clientFrame, ch *storedChannel) {
	user, _ := c.you["user"].(string)
	key := cmp.Or(user, c.id) + "|" + f.ID
	seq, again := s.sent[key]
	if !again {
		ch.seq++
		seq = ch.seq
		s.sent[key] = seq
	}
	if _, stored := ch.messages[seq]; stored {
		s.answer(c, ackOf(f, ch.messages[seq]))
		return
	}
	if s.chance(s.faults.BreakOff) {
		if s.chance(50) {
			s.answer(c, map[string]any{"event": "error", "id": f.ID, "code": "internal", "message": "internal error"})
		}
		return
	}
	time.AfterFunc(s.delay(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		m := wireMessage{
			Event: "channel_message", ChannelID: f.ChannelID, Name: f.Name, Content: f.Content, MessageID: fmt.Sprint(f.ChannelID, " ", seq),
			Seq: seq, At: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), SenderID: c.id, User: user,
		}
		ch.messages[seq] = m
		for _, id := range sortedKeys(ch.members) {
			if to := s.conns[id]; to != nil {
				s.send(to, m)
			}
		}
		s.answer(c, ackOf(f, m))
	})
}

func ackOf(f clientFrame, m wireMessage) map[string]any {
	return map[string]any{"event": "ack", "id": f.ID, "channelId": f.ChannelID, "messageId": m.MessageID, "seq": m.Seq, "at": m.At}
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// list gives stored messages after a number.
func (ch *storedChannel) list(after int64, limit int) (page []wireMessage, more bool) {
	page = []wireMessage{}
	for seq := after + 1; seq <= ch.seq; seq++ {
		if m, ok := ch.messages[seq]; ok {
			if len(page) == limit {
				return page, true
			}
			page = append(page, m)
		}
	}
	return page, false
}

func (s *stage) answer(c *stageConn, answer any) {
	if s.chance(s.faults.LoseAnswer) {
		if s.chance(s.faults.Foreign) {
			c.push(`{"message": "Internal server error", "connectionId":"` + c.id + `", "requestId":"x"}`)
		}
		return
	}
	s.post(c, answer)
}

// send posts an event as badly as the faults have it.
func (s *stage) send(c *stageConn, event any) {
	if s.chance(s.faults.LoseEvent) {
		s.counts["events lost"]++
		return
	}
	s.post(c, event)
	if s.chance(s.faults.DoubleEvent) {
		s.post(c, event)
	}
}

func (s *stage) post(c *stageConn, event any) {
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	text := string(data)
	if s.chance(s.faults.Join) {
		text += "\n" + `{"event":"of a newer version"}` + "\n"
	}
	if delay := s.delay(); delay > 0 {
		time.AfterFunc(delay, func() { c.push(text) })
	} else {
		c.push(text)
	}
}

// publish stores a message of a back-end service, and delivers it to all but
// those that lose it.
func (s *stage) publish(channelID, content string, deliver bool) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channel(channelID)
	ch.seq++
	m := wireMessage{Event: "channel_message", ChannelID: channelID, Content: content, MessageID: fmt.Sprint(channelID, " ", ch.seq), Seq: ch.seq}
	m.At = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	ch.messages[ch.seq] = m
	if deliver {
		for _, id := range sortedKeys(ch.members) {
			s.post(s.conns[id], m)
		}
	}
	return ch.seq
}

// skip takes a number that no message gets.
func (s *stage) skip(channelID string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channel(channelID).seq++
	return s.channel(channelID).seq
}
