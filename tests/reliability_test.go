package tests

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"
	"pgregory.net/rapid"

	"example.com/chatstack/chat"
	"example.com/chatstack/client"
	"example.com/chatstack/local/control"
	"example.com/chatstack/local/fault"
)

// TestThePromisesHoldWhateverGoesWrong lives through random stories on deployed
// stages, with identity and without: clients come and go, join, leave, send, edit and
// delete, their cables are cut and their frames doubled, and posts, table, functions,
// batches and $disconnects fail. Once all is quiet, what design and protocol promise
// must hold: see story.judge. Without flags the same few stories are told each time;
// -rapid.checks tells as many others.
func TestThePromisesHoldWhateverGoesWrong(t *testing.T) {
	t.Parallel()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		checks.Value.Set("4")
		if seed := flag.Lookup("rapid.seed"); seed.Value.String() == seed.DefValue {
			seed.Value.Set("1") // the same stories each time
		}
	}
	stages := map[bool]*place{false: newPlace(t, newProject(t, ".."), 0), true: newPlace(t, newProject(t, knowingUsers(t)), 3)}
	total := map[string]int{}
	stories := 0
	rapid.Check(t, func(rt *rapid.T) {
		stories++
		users := rapid.Bool().Draw(rt, "users")
		s := &story{
			place:    stages[users],
			channels: []string{fmt.Sprint("inn ", stories), fmt.Sprint("port ", stories)},
			people:   rapid.IntRange(2, 4).Draw(rt, "people"),
			acts:     rapid.SliceOfN(rapid.Custom(drawAct), 30, 90).Draw(rt, "acts"),
			known:    map[string]client.Receipt{}, unsent: map[string]bool{}, requested: map[string]bool{},
			edits: map[string][]change{}, total: total,
		}
		began := time.Now()
		if err := s.live(t.Context()); err != nil {
			rt.Fatal(err)
		}
		t.Logf("story %d: %d acts, %d people, users: %v, %v", stories, len(s.acts), len(s.all), users, time.Since(began).Round(100*time.Millisecond))
	})
	t.Log(total)
}

// A place is a stage that stories take place on.
type place struct {
	cloud     *control.Address
	endpoint  string
	table     *dynamodb.Client
	tableName *string
	tokens    []string // of its users, if it has any: people share them
}

func newPlace(t *testing.T, p *project, users int) *place {
	t.Helper()
	p.up()
	cloud, err := control.ReadAddress(filepath.Join(p.home, "cloud.json"))
	if cloud == nil {
		t.Fatalf("where is the local cloud? %v", err)
	}
	at := &place{cloud: cloud, endpoint: p.outputs()["endpoint"]}
	at.table, at.tableName = p.table()
	for i := range users {
		at.tokens = append(at.tokens, strings.TrimSpace(p.run("token", "--user", fmt.Sprint("user ", i))))
	}
	return at
}

// An act is one step of a story.
type act struct {
	What            string
	Person, Channel int
	Fault           fault.Rule
	Pause           time.Duration // before the next act
}

func (a act) GoString() string {
	text := fmt.Sprintf("%s %d %d", a.What, a.Person, a.Channel)
	if a.What == "fault" {
		text += fmt.Sprintf(" %+v", a.Fault)
	}
	return text + fmt.Sprintf(" (%v)\n", a.Pause)
}

func drawAct(t *rapid.T) act {
	a := act{
		// Those named more often happen more often.
		What: rapid.SampledFrom([]string{
			"send", "send", "send", "send", "send", "send", "burst", "edit", "edit", "delete", "join", "join", "leave",
			"cut", "cut", "come", "go", "publish", "fault", "fault", "fault", "gone", "mend",
		}).Draw(t, "what"),
		Person: rapid.IntRange(0, 7).Draw(t, "person"), Channel: rapid.IntRange(0, 1).Draw(t, "channel"),
		Pause: time.Duration(rapid.IntRange(0, 150).Draw(t, "pause")) * time.Millisecond,
	}
	if a.What == "fault" {
		share := float64(rapid.IntRange(1, 6).Draw(t, "share"))
		a.Fault = rapid.SampledFrom([]fault.Rule{
			{On: fault.Post, Status: 429, Share: share / 8},
			{On: fault.Post, Status: 500, Share: share / 8},
			{On: fault.Post, Latency: 150 * time.Millisecond, Share: share / 6},
			{On: fault.Table, Throttle: true, Share: share / 25},
			{On: fault.Table, Latency: 50 * time.Millisecond, Share: share / 10},
			{On: fault.Invoke, Target: "message", Share: share / 20},
			{On: fault.Invoke, Target: "channel", Share: share / 10},
			{On: fault.Invoke, Target: "connection", Share: share / 10},
			{On: fault.Invoke, Target: "broadcast", Times: 2},
			{On: fault.Batch},
			{On: fault.Disconnect, Times: 3},
		}).Draw(t, "rule")
		a.Fault.Seed = uint64(rapid.IntRange(1, 1<<30).Draw(t, "seed"))
		if a.Fault.On == fault.Invoke {
			a.Fault.After = time.Duration(rapid.IntRange(1, 15).Draw(t, "after")) * time.Millisecond
		}
	}
	return a
}

// A story is one run of the property, and what is known of it.
type story struct {
	*place
	channels []string
	people   int
	acts     []act

	all       []*person
	sends     sync.WaitGroup
	mu        sync.Mutex
	contents  int                       // counts them: each is another
	known     map[string]client.Receipt // acknowledged messages by what they said first
	unsent    map[string]bool           // what was said never to have been sent
	requested map[string]bool           // message ids of publish requests that were put
	edits     map[string][]change       // by message id
	wrong     []error
	total     map[string]int
}

// A change is an attempt to change a message.
type change struct {
	content string // empty deletes
	seq     int64  // 0 if it is not known to have happened
}

// A person is a client, and what it has seen.
type person struct {
	story    *story
	name     string
	client   *client.Client
	jobs     chan func() // are done one after the other
	waiting  sync.WaitGroup
	gone     func() // closes the client
	departed bool

	// What follows is under the story's lock.
	conn    *cable
	user    string // empty where there is no identity
	id      string // the connection's, while it is online
	views   map[string]*view
	mine    map[string][]client.Receipt // by channel, of the connection at hand
	severed bool                        // the chat was told that its connection is gone
}

// A view is what somebody has seen of a channel since it joined.
type view struct {
	joins, begun int
	in           bool // for certain
	out          bool // or on its way out, when nothing more counts
	last         int64
	given        map[int64]bool
	messages     map[int64]client.Message
	revisions    map[int64]client.Revision // by their own numbers
}

const storyLimit = 90 * time.Second

func (s *story) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*storyLimit)
	defer cancel()
	defer s.cloud.ClearFaults(context.WithoutCancel(ctx))
	defer func() {
		for _, p := range s.all {
			p.gone()
		}
	}()
	for range s.people {
		p, err := s.come(ctx)
		if err != nil {
			return err
		}
		for _, channel := range s.channels {
			p.join(ctx, channel)
		}
	}
	for _, a := range s.acts {
		if err := s.play(ctx, a); err != nil {
			return err
		}
		time.Sleep(a.Pause)
	}

	if err := s.cloud.ClearFaults(ctx); err != nil {
		return err
	}
	for _, p := range s.all {
		unlock := s.lock()
		severed := p.severed
		unlock()
		if severed {
			p.cut()
		}
	}
	for _, p := range s.all {
		p.waiting.Wait()
	}
	s.sends.Wait()
	// It heals by what happens next in a channel, so something does.
	herald, err := s.come(ctx)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(storyLimit); ; {
		for _, channel := range append(s.channels, "General") {
			s.send(ctx, herald, channel)
		}
		s.sends.Wait()
		time.Sleep(700 * time.Millisecond)
		unlock := s.lock()
		wrong := errors.Join(s.wrong...)
		unlock()
		if wrong != nil {
			return wrong // and never will be right
		}
		if wrong = s.judge(ctx); wrong == nil {
			break
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return wrong
		}
	}
	s.total["stories"]++
	s.total["acts"] += len(s.acts)
	s.total["people"] += len(s.all)
	s.total["acknowledged"] += len(s.known)
	return nil
}

// play lets one thing happen, without waiting for what comes of it.
func (s *story) play(ctx context.Context, a act) error {
	var here []*person
	for _, p := range s.all {
		if !p.departed {
			here = append(here, p)
		}
	}
	channel := s.channels[a.Channel]
	switch a.What {
	case "come":
		if len(s.all) < 8 {
			p, err := s.come(ctx)
			if err != nil {
				return nil // the stage has reason to refuse
			}
			p.join(ctx, channel)
		}
		return nil
	case "publish":
		s.publish(ctx, channel)
		return nil
	case "mend":
		return s.cloud.ClearFaults(ctx)
	case "fault":
		_, err := s.cloud.AddFault(ctx, a.Fault)
		return err
	}
	if len(here) == 0 {
		return nil
	}
	p := here[a.Person%len(here)]
	switch a.What {
	case "send":
		s.send(ctx, p, channel)
	case "burst":
		for range 12 {
			s.send(ctx, p, channel)
		}
	case "edit":
		p.edit(ctx, channel, s.content("edit"))
	case "delete":
		p.edit(ctx, channel, "")
	case "join":
		p.join(ctx, channel)
	case "leave":
		p.part(ctx, channel)
	case "cut":
		p.cut()
	case "go":
		if len(here) > 1 {
			p.departed = true
			s.sends.Go(p.gone)
		}
	case "gone":
		unlock := s.lock()
		id := p.id
		p.severed = p.severed || id != ""
		unlock()
		if id != "" {
			_, err := s.cloud.AddFault(ctx, fault.Rule{On: fault.Post, Target: id, Status: 410})
			return err
		}
	}
	return nil
}

func (s *story) content(what string) string {
	defer s.lock()()
	s.contents++
	return fmt.Sprintf("%s %d of %s", what, s.contents, s.channels[0])
}

// A cable is a connection that can be cut. Every third message goes through it
// twice.
type cable struct {
	*websocket.Conn
	messages int
}

func (c *cable) Read(ctx context.Context) ([]byte, error) {
	_, frame, err := c.Conn.Read(ctx)
	return frame, err
}

func (c *cable) Write(ctx context.Context, frame []byte) error {
	if strings.Contains(string(frame), `"`+chat.ActionSendMessage+`"`) {
		if c.messages++; c.messages%3 == 0 {
			if err := c.Conn.Write(ctx, websocket.MessageText, frame); err != nil {
				return err
			}
		}
	}
	return c.Conn.Write(ctx, websocket.MessageText, frame)
}

func (c *cable) Close() error { return c.Conn.Close(websocket.StatusNormalClosure, "") }

// come lets another person connect.
func (s *story) come(ctx context.Context) (*person, error) {
	p := &person{
		story: s, name: fmt.Sprint("person ", len(s.all)), jobs: make(chan func(), 100),
		views: map[string]*view{}, mine: map[string][]client.Receipt{},
	}
	for _, channel := range s.channels {
		p.views[channel] = &view{out: true}
	}
	options := &client.Options{
		Name: p.name, MinBackoff: 50 * time.Millisecond, MaxBackoff: time.Second, Retry: time.Second, Heartbeat: 2 * time.Second,
		GapWait: 2 * time.Second, Settle: 8 * time.Second,
		Dial: func(ctx context.Context, endpoint string, subprotocols []string) (client.Conn, error) {
			conn, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{Subprotocols: subprotocols})
			if err != nil {
				return nil, err
			}
			conn.SetReadLimit(-1)
			defer s.lock()()
			p.conn = &cable{Conn: conn}
			return p.conn, nil
		},
	}
	if n := len(s.tokens); n > 0 {
		token := s.tokens[len(s.all)%n]
		options.Token = func(context.Context) (string, error) { return token, nil }
	}
	var err error
	if p.client, err = client.Dial(ctx, s.endpoint, options); err != nil {
		return nil, err
	}
	s.all = append(s.all, p)
	var ended sync.WaitGroup
	ended.Go(p.watch)
	ended.Go(func() {
		for job := range p.jobs {
			job()
			p.waiting.Done()
		}
	})
	p.gone = sync.OnceFunc(func() {
		p.client.Close()
		close(p.jobs)
		ended.Wait()
	})
	return p, nil
}

// do does something after what p has been doing.
func (p *person) do(job func()) {
	p.waiting.Add(1)
	p.jobs <- job
}

func (s *story) lock() func() {
	s.mu.Lock()
	return s.mu.Unlock
}

func (s *story) fail(format string, args ...any) {
	defer s.lock()()
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

// fate gives nil for errors that say that nobody can know, and for the end of the
// client.
func fate(err error) error {
	if errors.Is(err, client.ErrNotKnown) || errors.Is(err, client.ErrClosed) {
		return nil
	}
	return err
}

// join has p in a channel, with all of its messages.
func (p *person) join(ctx context.Context, channel string) {
	p.do(func() {
		unlock := p.story.lock()
		v := p.views[channel]
		if v.out {
			v.joins++
			v.out = false
		}
		unlock()
		err := p.client.SubscribeAfter(ctx, channel, 0)
		if fate(err) != nil {
			p.story.fail("%s joins %q: %w", p.name, channel, err)
		}
		defer p.story.lock()()
		v.in = err == nil
	})
}

func (p *person) part(ctx context.Context, channel string) {
	p.do(func() {
		unlock := p.story.lock()
		p.views[channel].in, p.views[channel].out = false, true
		unlock()
		err := p.client.Unsubscribe(ctx, channel)
		if fate(err) != nil {
			p.story.fail("%s leaves %q: %w", p.name, channel, err)
		}
	})
}

// edit changes what p has sent last; no content deletes it.
func (p *person) edit(ctx context.Context, channel, content string) {
	p.do(func() {
		unlock := p.story.lock()
		mine := p.mine[channel]
		unlock()
		if len(mine) == 0 {
			return
		}
		target := mine[len(mine)-1]
		var receipt client.Receipt
		var err error
		if content == "" {
			receipt, err = p.client.Delete(ctx, channel, target.Seq)
		} else {
			receipt, err = p.client.Edit(ctx, channel, target.Seq, content)
		}
		switch chat.ErrorCode(err) {
		case chat.CodeNotAuthor, chat.CodeMessageNotFound, chat.CodeConnectionOver:
			return // of another connection, or deleted before: nothing has changed
		}
		if fate(err) != nil {
			p.story.fail("%s edits %d of %q: %w", p.name, target.Seq, channel, err)
		}
		defer p.story.lock()()
		p.story.edits[target.MessageID] = append(p.story.edits[target.MessageID], change{content, receipt.Seq})
	})
}

// cut cuts p's cable.
func (p *person) cut() {
	unlock := p.story.lock()
	conn := p.conn
	p.severed = false
	unlock()
	conn.CloseNow()
}

// send has p say something new in a channel.
func (s *story) send(ctx context.Context, p *person, channel string) {
	content := s.content("word")
	s.sends.Go(func() {
		receipt, err := p.client.Send(ctx, channel, content)
		if errors.Is(err, client.ErrNotSent) {
			defer s.lock()()
			s.unsent[content] = true
			return
		}
		if fate(err) != nil {
			s.fail("%s sends %q: %w", p.name, content, err)
		}
		if err == nil {
			defer s.lock()()
			s.known[content] = receipt
			p.mine[channel] = append(p.mine[channel], receipt)
		}
	})
}

// publish has a back end say something in a channel.
func (s *story) publish(ctx context.Context, channel string) {
	content := s.content("notice")
	item := textItem(map[string]string{
		"pk": "CHANNEL|" + channel, "sk": "PUBLISH|" + content, "name": "bot", "content": content, "messageId": channel + content,
	})
	s.sends.Go(func() {
		_, err := s.table.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.tableName, Item: item})
		if err == nil { // else it is throttled
			defer s.lock()()
			s.requested[channel+content] = true
		}
	})
}

// watch checks what p is told as it comes.
func (p *person) watch() {
	for e := range p.client.Events() {
		p.see(e)
	}
}

func (p *person) see(e client.Event) {
	defer p.story.lock()()
	var err error
	switch e := e.(type) {
	case client.Message:
		if v := p.view(e.ChannelID, e.Seq); v != nil {
			err = v.take(e.Seq, e.Late)
			v.messages[e.Seq] = e
		}
	case client.Revision:
		if v := p.view(e.ChannelID, e.Seq); v != nil {
			err = v.take(e.Seq, e.Late)
			v.revisions[e.Seq] = e
		}
	case client.Gap:
		if v := p.view(e.ChannelID, e.From); v != nil {
			err = v.skip(e)
		}
	case client.SubscriptionRefused:
		err = e.Err
	case client.Reset:
		err = errors.New("the channel begins anew")
	case client.Overflow:
		err = errors.New("the events overflow")
	case client.StateChange:
		p.id = ""
		if e.State == client.Online {
			p.id, p.user, p.mine = e.ConnectionID, e.User, map[string][]client.Receipt{}
			p.story.total["connections"]++
		}
	}
	if err != nil {
		p.story.wrong = append(p.story.wrong, fmt.Errorf("%s got %+v: %w", p.name, e, err))
	}
}

// view gives what p has seen of a channel, nil if the number is of before p joined
// it the last time, which begins with the first number.
func (p *person) view(channel string, seq int64) *view {
	v, ok := p.views[channel]
	switch {
	case !ok || v.out || v.begun < v.joins && seq != 1:
		return nil
	case v.begun < v.joins:
		*v = view{
			in: v.in, joins: v.joins, begun: v.joins,
			given: map[int64]bool{}, messages: map[int64]client.Message{}, revisions: map[int64]client.Revision{},
		}
	}
	return v
}

// take takes a number: the next one, or a late one.
func (v *view) take(seq int64, late bool) error {
	switch {
	case late && !v.given[seq]:
		return errors.New("it was not given up")
	case late:
		delete(v.given, seq)
	case seq != v.last+1:
		return fmt.Errorf("it comes after %d", v.last)
	default:
		v.last = seq
	}
	return nil
}

func (v *view) skip(gap client.Gap) error {
	if gap.From != v.last+1 || gap.To < gap.From {
		return fmt.Errorf("it comes after %d", v.last)
	}
	for seq := gap.From; seq <= gap.To; seq++ {
		v.given[seq] = true
	}
	v.last = gap.To
	return nil
}

// A slot is what the table has under a number of a channel.
type slot struct {
	messageID, content string
	target, editSeq    int64
	deleted            bool
}

// judge looks for a broken promise, now that nothing more happens.
func (s *story) judge(ctx context.Context) error {
	defer s.lock()()
	var wrong []error
	check := func(holds bool, format string, args ...any) {
		if !holds {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	byID, byContent := map[string]int64{}, map[string]int64{}
	channels := append(s.channels, "General")
	for _, channel := range channels {
		items, err := s.query(ctx, "CHANNEL|"+channel, "MESSAGE|")
		if err != nil {
			return err
		}
		stored := map[int64]slot{}
		for _, item := range items {
			seq := number(item["seq"])
			m := slot{
				messageID: text(item["messageId"]), content: text(item["content"]),
				target: number(item["targetSeq"]), editSeq: number(item["editSeq"]), deleted: item["deletedAt"] != nil,
			}
			stored[seq] = m
			if m.target != 0 {
				continue
			}
			check(byID[m.messageID] == 0, "%q: %d and %d are the same message", channel, byID[m.messageID], seq)
			byID[m.messageID] = seq
			if m.deleted {
				continue
			}
			// One that was edited says something else now; what it said first must not be there again.
			check(byContent[m.content] == 0, "%q: %d and %d say the same", channel, byContent[m.content], seq)
			byContent[m.content] = seq
			receipt, acknowledged := s.known[m.content]
			check(!acknowledged || receipt.Seq == seq, "%q: %d is stored again as %d", channel, receipt.Seq, seq)
			check(!s.unsent[m.content], "%q: %d was said not to be sent", channel, seq)
		}
		for seq, m := range stored {
			if target := stored[m.target]; m.target != 0 {
				check(target.messageID == m.messageID && target.editSeq >= seq, "%q: %d revises %d, which is %+v", channel, seq, m.target, target)
			} else {
				check(s.isAsEdited(m), "%q: %d is %+v after the edits %+v", channel, seq, m, s.edits[m.messageID])
			}
		}
		for _, p := range s.all {
			if v := p.views[channel]; v != nil && v.in && !p.departed {
				if err := v.compare(stored); err != nil {
					wrong = append(wrong, fmt.Errorf("%s in %q: %w", p.name, channel, err))
				}
			}
		}
	}
	for content, receipt := range s.known {
		check(byID[receipt.MessageID] == receipt.Seq, "%q was acknowledged as %d and is stored as %d", content, receipt.Seq, byID[receipt.MessageID])
	}
	for id := range s.requested {
		check(byID[id] > 0, "%q was requested and is not stored", id)
	}

	for _, channel := range channels {
		items, err := s.query(ctx, "CHANNEL|"+channel, "CONNECTION|")
		if err != nil {
			return err
		}
		var subscribed, live []string
		members := map[string]bool{}
		for _, item := range items {
			subscribed = append(subscribed, strings.TrimPrefix(text(item["sk"]), "CONNECTION|"))
		}
		for _, p := range s.all {
			check(p.departed || p.id != "", "%s is not online", p.name)
			if !p.departed && (channel == "General" || p.views[channel].in) {
				live = append(live, p.id)
				members[cmp.Or(p.user, p.id)] = true
			}
		}
		slices.Sort(subscribed)
		slices.Sort(live)
		check(slices.Equal(subscribed, live), "%q has the subscriptions %q, and in it are %q", channel, subscribed, live)
		wrong = append(wrong, s.checkCount(ctx, channel, len(members)))
	}
	return errors.Join(wrong...)
}

// isAsEdited reports whether a message is what its edits made of it.
func (s *story) isAsEdited(m slot) bool {
	edits := s.edits[m.messageID]
	if m.editSeq == 0 {
		return !slices.ContainsFunc(edits, func(e change) bool { return e.seq > 0 })
	}
	// What nobody knows of may have come last.
	isLast := func(e change) bool { return e.seq == m.editSeq || e.seq == 0 }
	return slices.ContainsFunc(edits, func(e change) bool { return isLast(e) && e.content == m.content && m.deleted == (e.content == "") }) &&
		!slices.ContainsFunc(edits, func(e change) bool { return e.seq > m.editSeq })
}

// compare looks for what has not been seen, or is shown otherwise than it is.
func (v *view) compare(stored map[int64]slot) error {
	var wrong []error
	shown := map[int64]string{}
	for seq, m := range v.messages {
		shown[seq] = m.Content
	}
	for _, seq := range slices.Sorted(maps.Keys(v.revisions)) {
		shown[v.revisions[seq].TargetSeq] = v.revisions[seq].Content
	}
	for seq, m := range stored {
		_, isMessage := v.messages[seq]
		_, isRevision := v.revisions[seq]
		switch {
		case isMessage == isRevision || isRevision != (m.target != 0):
			wrong = append(wrong, fmt.Errorf("%d is not seen, up to %d; given up is %v", seq, v.last, v.given[seq]))
		case m.target == 0 && shown[seq] != m.content:
			wrong = append(wrong, fmt.Errorf("%d shows %q, and is %q", seq, shown[seq], m.content))
		}
	}
	if seen := len(v.messages) + len(v.revisions); seen > len(stored) {
		wrong = append(wrong, fmt.Errorf("%d numbers are seen, and %d stored", seen, len(stored)))
	}
	return errors.Join(wrong...)
}

// checkCount compares a channel's count of members, once it has one, with those
// who are in it: users, or connections where there is no identity.
func (s *story) checkCount(ctx context.Context, channel string, members int) error {
	items, err := s.query(ctx, "CHANNEL|"+channel, "COUNT")
	if err != nil || len(items) == 0 {
		return err
	}
	if n := number(items[0]["members"]); n != int64(members) {
		return fmt.Errorf("%q counts %d members, and has %d", channel, n, members)
	}
	return nil
}

func (s *story) query(ctx context.Context, pk, prefix string) ([]map[string]types.AttributeValue, error) {
	return queryTable(ctx, s.table, s.tableName, pk, prefix)
}

func text(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

func number(v types.AttributeValue) int64 {
	n, _ := v.(*types.AttributeValueMemberN)
	if n == nil {
		return 0
	}
	value, _ := strconv.ParseInt(n.Value, 10, 64)
	return value
}
