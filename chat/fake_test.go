package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeStore is a Store in memory whose writes come back as the changes that
// the table's stream would bring.
type fakeStore struct {
	mu            sync.Mutex
	rules         func(user, channelID string) Rules // beside those of sanctions, grants and slow, if it is there
	members       map[string]map[string]Member       // by channel and member
	connections   map[string]Connection
	devices       map[string]map[string]bool         // connections by user
	directs       map[string]map[string]Direct       // by user and peer
	subscriptions map[string]map[string]Subscription // by channel and connection
	incomplete    map[string]bool                    // subscriptions that the index does not know
	seqs          map[string]int64
	messages      map[string]map[int64]Message
	sents         map[string]Sent
	requests      map[string]PublishRequest
	rejected      map[string]string
	deliveries    map[string]Delivery
	sanctions     map[string]Sanction // by kind, user and channel
	grants        map[string]Rights   // by user and channel
	slow          map[string]time.Duration
	toDelete      map[string]DeleteRequest
	expiries      map[Expiry]bool
	changes       []Change
	taken         []int         // tokens that were asked for
	full          bool          // the bucket of tokens is always full
	wait          time.Duration // for tokens
	slowSenders   []string      // who has taken one of slow mode
	slowWait      time.Duration // for another one of those; its time if it is 0
	overread      bool          // more members were read than wanted

	// lag keeps the index of subscriptions from seeing any.
	lag bool
	// lagSince keeps it from seeing those made since then.
	lagSince time.Time
	// fail is asked before each call, by method name.
	fail func(method string) error
	// listed is called before each subscriber that ListSubscribers gives.
	listed func(id string) error
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		members:       map[string]map[string]Member{},
		connections:   map[string]Connection{},
		devices:       map[string]map[string]bool{},
		directs:       map[string]map[string]Direct{},
		subscriptions: map[string]map[string]Subscription{},
		incomplete:    map[string]bool{},
		seqs:          map[string]int64{},
		messages:      map[string]map[int64]Message{},
		sents:         map[string]Sent{},
		requests:      map[string]PublishRequest{},
		rejected:      map[string]string{},
		deliveries:    map[string]Delivery{},
		sanctions:     map[string]Sanction{},
		grants:        map[string]Rights{},
		slow:          map[string]time.Duration{},
		toDelete:      map[string]DeleteRequest{},
		expiries:      map[Expiry]bool{},
		fail:          func(string) error { return nil },
		listed:        func(string) error { return nil },
	}
}

// lock checks what every call must check, and locks.
func (f *fakeStore) lock(ctx context.Context, method string) error {
	if err := errors.Join(ctx.Err(), f.fail(method)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	f.mu.Lock()
	return nil
}

func (f *fakeStore) PutConnection(ctx context.Context, c Connection) error {
	if err := f.lock(ctx, "PutConnection"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.connections[c.ID] = c
	if c.User != "" {
		f.addDevice(c.User, c.ID)
	}
	return nil
}

func (f *fakeStore) addDevice(user, connectionID string) {
	if f.devices[user] == nil {
		f.devices[user] = map[string]bool{}
	}
	f.devices[user][connectionID] = true
}

func (f *fakeStore) GetConnection(ctx context.Context, id string) (Connection, error) {
	if err := f.lock(ctx, "GetConnection"); err != nil {
		return Connection{}, err
	}
	defer f.mu.Unlock()
	c, ok := f.connections[id]
	if !ok {
		return c, fmt.Errorf("get %s: %w", id, ErrGone)
	}
	return c, nil
}

func (f *fakeStore) DeleteConnection(ctx context.Context, id string) error {
	if err := f.lock(ctx, "DeleteConnection"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if _, ok := f.connections[id]; ok {
		user := f.connections[id].User
		f.changes = append(f.changes, ConnectionEnded{id, user})
		delete(f.connections, id)
		delete(f.devices[user], id)
	}
	return nil
}

func (f *fakeStore) PutSubscription(ctx context.Context, s Subscription) error {
	if err := f.lock(ctx, "PutSubscription"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if _, ok := f.subscriptions[s.ChannelID][s.ConnectionID]; ok {
		return nil
	}
	f.subscribe(s)
	f.changes = append(f.changes, Joined{Subscription: s})
	return nil
}

func (f *fakeStore) subscribe(s Subscription) {
	if f.subscriptions[s.ChannelID] == nil {
		f.subscriptions[s.ChannelID] = map[string]Subscription{}
	}
	f.subscriptions[s.ChannelID][s.ConnectionID] = s
}

func (f *fakeStore) GetSubscription(ctx context.Context, channelID, connectionID string) (Subscription, error) {
	if err := f.lock(ctx, "GetSubscription"); err != nil {
		return Subscription{}, err
	}
	defer f.mu.Unlock()
	s, ok := f.subscriptions[channelID][connectionID]
	if !ok {
		return s, ErrGone
	}
	return s, nil
}

func (f *fakeStore) PutSubscriptionEnd(ctx context.Context, s Subscription) error {
	if err := f.lock(ctx, "PutSubscriptionEnd"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if _, ok := f.subscriptions[s.ChannelID][s.ConnectionID]; ok {
		f.subscribe(s)
	}
	return nil
}

func (f *fakeStore) CompleteSubscription(ctx context.Context, s Subscription) error {
	if err := f.lock(ctx, "CompleteSubscription"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.incomplete, s.ChannelID+"|"+s.ConnectionID)
	if _, ok := f.subscriptions[s.ChannelID][s.ConnectionID]; ok {
		f.subscribe(s)
	}
	return nil
}

func (f *fakeStore) DeleteSubscription(ctx context.Context, channelID, connectionID string) error {
	return f.EndSubscription(ctx, channelID, connectionID, "")
}

func (f *fakeStore) EndSubscription(ctx context.Context, channelID, connectionID string, reason Reason) error {
	if err := f.lock(ctx, "DeleteSubscription"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if s, ok := f.subscriptions[channelID][connectionID]; ok {
		delete(f.subscriptions[channelID], connectionID)
		f.changes = append(f.changes, Left{Subscription: s, Reason: reason})
	}
	return nil
}

func (f *fakeStore) ListDevices(ctx context.Context, user string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := f.lock(ctx, "ListDevices"); err != nil {
			yield("", err)
			return
		}
		ids := slices.Sorted(maps.Keys(f.devices[user]))
		f.mu.Unlock()
		for _, id := range ids {
			err := errors.Join(ctx.Err(), f.listed(id))
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

func (f *fakeStore) DeleteDevice(ctx context.Context, user, connectionID string) error {
	if err := f.lock(ctx, "DeleteDevice"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.devices[user], connectionID)
	return nil
}

func (f *fakeStore) PutDirect(ctx context.Context, m Message) error {
	if err := f.lock(ctx, "PutDirect"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	for user, peer := range map[string]string{m.User: m.To, m.To: m.User} {
		if f.directs[user] == nil {
			f.directs[user] = map[string]Direct{}
		}
		if f.directs[user][peer].Seq < m.Seq {
			f.directs[user][peer] = Direct{Peer: peer, ChannelID: m.ChannelID, Seq: m.Seq, At: m.At}
		}
	}
	return nil
}

func (f *fakeStore) ListDirects(ctx context.Context, user, after string, limit int) iter.Seq2[Direct, error] {
	return func(yield func(Direct, error) bool) {
		if err := f.lock(ctx, "ListDirects"); err != nil {
			yield(Direct{}, err)
			return
		}
		directs := maps.Clone(f.directs[user])
		f.mu.Unlock()
		given := 0
		for _, peer := range slices.Sorted(maps.Keys(directs)) {
			if peer <= after {
				continue
			}
			if given++; given > limit {
				f.noteOverread()
			}
			if !yield(directs[peer], nil) {
				return
			}
		}
	}
}

func (f *fakeStore) GetRules(ctx context.Context, user, channelID string) (Rules, error) {
	if err := f.lock(ctx, "GetRules"); err != nil {
		return Rules{}, err
	}
	defer f.mu.Unlock()
	var rules Rules
	if f.rules != nil {
		rules = f.rules(user, channelID)
	}
	for _, where := range []string{channelID, ""} {
		if x, ok := f.sanctions[sanctionName(Banned, user, where)]; ok {
			rules.Ban = &x
		}
		if x, ok := f.sanctions[sanctionName(Muted, user, where)]; ok {
			rules.Mute = &x
		}
		rules.Grant |= f.grants[user+"|"+where]
	}
	if every, ok := f.slow[channelID]; ok {
		rules.SlowMode = every
	}
	return rules, nil
}

func sanctionName(kind SanctionKind, user, channelID string) string {
	return string(kind) + "|" + user + "|" + channelID
}

func (f *fakeStore) PutSanction(ctx context.Context, x Sanction) error {
	if err := f.lock(ctx, "PutSanction"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.sanctions[sanctionName(x.Kind, x.User, x.ChannelID)] = x
	f.changes = append(f.changes, SanctionChanged{Sanction: x, WrittenAt: x.At.Truncate(time.Second)})
	return nil
}

func (f *fakeStore) GetSanction(ctx context.Context, kind SanctionKind, user, channelID string) (Sanction, error) {
	if err := f.lock(ctx, "GetSanction"); err != nil {
		return Sanction{}, err
	}
	defer f.mu.Unlock()
	x, ok := f.sanctions[sanctionName(kind, user, channelID)]
	if !ok {
		return x, ErrGone
	}
	return x, nil
}

func (f *fakeStore) DeleteSanction(ctx context.Context, kind SanctionKind, user, channelID string) error {
	if err := f.lock(ctx, "DeleteSanction"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if x, ok := f.sanctions[sanctionName(kind, user, channelID)]; ok {
		delete(f.sanctions, sanctionName(kind, user, channelID))
		f.changes = append(f.changes, SanctionChanged{Sanction: x, Deleted: true})
	}
	return nil
}

func (f *fakeStore) DeleteKick(ctx context.Context, x Sanction) error {
	if err := f.lock(ctx, "DeleteKick"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if there := f.sanctions[sanctionName(Kicked, x.User, x.ChannelID)]; there.At.Equal(x.At) {
		delete(f.sanctions, sanctionName(Kicked, x.User, x.ChannelID))
	}
	return nil
}

func (f *fakeStore) PutSlowMode(ctx context.Context, channelID string, every time.Duration) error {
	if err := f.lock(ctx, "PutSlowMode"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.slow[channelID] = every
	f.changes = append(f.changes, SlowModeChanged{channelID})
	return nil
}

// setGrant puts a grant, or deletes it, as a service would.
func (f *fakeStore) setGrant(user, channelID string, rights Rights) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.grants[user+"|"+channelID]; ok {
		f.changes = append(f.changes, GrantChanged{user, channelID})
	}
	f.grants[user+"|"+channelID] = rights
}

// requestDelete puts a request as another service would.
func (f *fakeStore) requestDelete(r DeleteRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.toDelete[r.ChannelID+"|"+r.Key] = r
	f.changes = append(f.changes, r)
}

func (f *fakeStore) GetDeleteRequest(ctx context.Context, channelID, key string) (DeleteRequest, error) {
	if err := f.lock(ctx, "GetDeleteRequest"); err != nil {
		return DeleteRequest{}, err
	}
	defer f.mu.Unlock()
	r, ok := f.toDelete[channelID+"|"+key]
	if !ok {
		return r, ErrGone
	}
	return r, nil
}

func (f *fakeStore) FinishDeleteRequest(ctx context.Context, r DeleteRequest) error {
	if err := f.lock(ctx, "FinishDeleteRequest"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if f.toDelete[r.ChannelID+"|"+r.Key] == r {
		delete(f.toDelete, r.ChannelID+"|"+r.Key)
	}
	return nil
}

func (f *fakeStore) RejectDeleteRequest(ctx context.Context, r DeleteRequest, reason string) error {
	if err := f.lock(ctx, "RejectDeleteRequest"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.rejected[r.ChannelID+"|"+r.Key] = reason
	return nil
}

func (f *fakeStore) EraseAuthor(ctx context.Context, m Message) error {
	if err := f.lock(ctx, "EraseAuthor"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	for seq, there := range f.messages[m.ChannelID] {
		if seq == m.Seq || there.Target == m.Seq {
			there.Name, there.User, there.SenderID = "", "", ""
			f.messages[m.ChannelID][seq] = there
		}
	}
	return nil
}

func (f *fakeStore) UpdateMember(ctx context.Context, s Subscription) (int, error) {
	if err := f.lock(ctx, "UpdateMember"); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	if f.members[s.ChannelID] == nil {
		f.members[s.ChannelID] = map[string]Member{}
	}
	key := "USER|" + s.User
	if s.User == "" {
		key = "CONNECTION|" + s.ConnectionID
	}
	m, ok := f.members[s.ChannelID][key]
	if !ok {
		m = Member{User: s.User, Name: s.Name, Since: s.Since}
	}
	m.Connections = slices.DeleteFunc(slices.Clone(m.Connections), func(id string) bool { return id == s.ConnectionID })
	if _, there := f.subscriptions[s.ChannelID][s.ConnectionID]; there {
		m.Connections = slices.Sorted(slices.Values(append(m.Connections, s.ConnectionID)))
	}
	f.members[s.ChannelID][key] = m
	if len(m.Connections) == 0 {
		delete(f.members[s.ChannelID], key)
	}
	return len(f.members[s.ChannelID]), nil
}

func (f *fakeStore) CountMembers(ctx context.Context, channelID string) (int, error) {
	if err := f.lock(ctx, "CountMembers"); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	return len(f.members[channelID]), nil
}

func (f *fakeStore) ListSubscribers(ctx context.Context, channelID, after string, limit int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := f.lock(ctx, "ListSubscribers"); err != nil {
			yield("", err)
			return
		}
		ids := slices.Sorted(maps.Keys(f.subscriptions[channelID]))
		f.mu.Unlock()
		given := 0
		for _, id := range ids {
			if id <= after {
				continue
			}
			if given++; limit > 0 && given > limit {
				f.noteOverread()
			}
			err := errors.Join(ctx.Err(), f.listed(id))
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

func (f *fakeStore) noteOverread() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.overread = true
}

func (f *fakeStore) ListMembers(ctx context.Context, channelID, cursor string, limit int) iter.Seq2[ListedMember, error] {
	return func(yield func(ListedMember, error) bool) {
		if err := f.lock(ctx, "ListMembers"); err != nil {
			yield(ListedMember{}, err)
			return
		}
		members := maps.Clone(f.members[channelID])
		f.mu.Unlock()
		given := 0
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if key <= cursor {
				continue
			}
			if given++; given > limit {
				f.noteOverread()
			}
			if !yield(ListedMember{members[key], key}, nil) {
				return
			}
		}
	}
}

func (f *fakeStore) ListSubscriptions(ctx context.Context, connectionID string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := f.lock(ctx, "ListSubscriptions"); err != nil {
			yield("", err)
			return
		}
		var channels []string
		for _, channelID := range slices.Sorted(maps.Keys(f.subscriptions)) {
			s, ok := f.subscriptions[channelID][connectionID]
			seen := !f.lag && (f.lagSince.IsZero() || s.Since.Before(f.lagSince)) && !f.incomplete[channelID+"|"+connectionID]
			if ok && seen {
				channels = append(channels, channelID)
			}
		}
		f.mu.Unlock()
		for _, channelID := range channels {
			if !yield(channelID, nil) {
				return
			}
		}
	}
}

func (f *fakeStore) OpenChannel(ctx context.Context, channelID string) (int64, error) {
	if err := f.lock(ctx, "OpenChannel"); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	f.seqs[channelID] += 0
	return f.seqs[channelID], nil
}

func (f *fakeStore) NextSeq(ctx context.Context, channelID string) (int64, error) {
	if err := f.lock(ctx, "NextSeq"); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	f.seqs[channelID]++
	return f.seqs[channelID], nil
}

func (f *fakeStore) PutMessage(ctx context.Context, m Message) error {
	if err := f.lock(ctx, "PutMessage"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	return f.putMessage(m)
}

func (f *fakeStore) putMessage(m Message) error {
	if f.messages[m.ChannelID] == nil {
		f.messages[m.ChannelID] = map[int64]Message{}
	}
	if there, ok := f.messages[m.ChannelID][m.Seq]; ok {
		if there.ID != m.ID {
			return fmt.Errorf("message %d of %s is there", m.Seq, m.ChannelID)
		}
		return nil
	}
	f.messages[m.ChannelID][m.Seq] = m
	return nil
}

func (f *fakeStore) GetMessage(ctx context.Context, channelID string, seq int64) (Message, error) {
	if err := f.lock(ctx, "GetMessage"); err != nil {
		return Message{}, err
	}
	defer f.mu.Unlock()
	m, ok := f.messages[channelID][seq]
	if !ok {
		return m, ErrGone
	}
	return m, nil
}

func (f *fakeStore) PutRevision(ctx context.Context, m, revision Message) error {
	if err := f.lock(ctx, "PutRevision"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	was, ok := f.messages[m.ChannelID][m.Seq]
	if !ok || !was.DeletedAt.IsZero() || was.EditSeq >= m.EditSeq {
		return ErrChanged
	}
	if err := f.putMessage(revision); err != nil {
		return err
	}
	f.messages[m.ChannelID][m.Seq] = m
	return nil
}

func (f *fakeStore) ListHistory(ctx context.Context, channelID string, r HistoryRange) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := f.lock(ctx, "ListHistory"); err != nil {
			yield(Message{}, err)
			return
		}
		seqs := slices.Sorted(maps.Keys(f.messages[channelID]))
		messages := maps.Clone(f.messages[channelID])
		f.mu.Unlock()
		if r.NewestFirst {
			slices.Reverse(seqs)
		}
		for _, seq := range seqs {
			if seq <= r.After || r.Before > 0 && seq >= r.Before {
				continue
			}
			if !yield(messages[seq], nil) {
				return
			}
		}
	}
}

func (f *fakeStore) TakeTokens(ctx context.Context, sender string, b Bucket, tokens int) (int, time.Duration, error) {
	if err := f.lock(ctx, "TakeTokens"); err != nil {
		return 0, 0, err
	}
	defer f.mu.Unlock()
	if strings.HasPrefix(sender, "slow|") {
		if slices.Contains(f.slowSenders, sender) {
			return 0, cmp.Or(f.slowWait, b.Every), nil
		}
		f.slowSenders = append(f.slowSenders, sender)
		return 1, 0, nil
	}
	if f.wait > 0 {
		return 0, f.wait, nil
	}
	f.taken = append(f.taken, tokens)
	if len(f.taken) > 1 && !f.full {
		tokens = 1
	}
	return tokens, 0, nil
}

func (f *fakeStore) GetSent(ctx context.Context, sender, id string) (Sent, error) {
	if err := f.lock(ctx, "GetSent"); err != nil {
		return Sent{}, err
	}
	defer f.mu.Unlock()
	s, ok := f.sents[sender+"|"+id]
	if !ok {
		return s, ErrGone
	}
	return s, nil
}

func (f *fakeStore) PutSent(ctx context.Context, s Sent) (Sent, error) {
	if err := f.lock(ctx, "PutSent"); err != nil {
		return s, err
	}
	defer f.mu.Unlock()
	if kept, ok := f.sents[s.Sender+"|"+s.ID]; ok {
		return kept, nil
	}
	f.sents[s.Sender+"|"+s.ID] = s
	return s, nil
}

func (f *fakeStore) DeletePublishRequest(ctx context.Context, channelID, key string) error {
	if err := f.lock(ctx, "DeletePublishRequest"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.requests, channelID+"|"+key)
	return nil
}

func (f *fakeStore) GetPublishRequest(ctx context.Context, channelID, key string) (PublishRequest, error) {
	if err := f.lock(ctx, "GetPublishRequest"); err != nil {
		return PublishRequest{}, err
	}
	defer f.mu.Unlock()
	r, ok := f.requests[channelID+"|"+key]
	if !ok {
		return r, ErrGone
	}
	return r, nil
}

// request puts a request as another service would.
func (f *fakeStore) request(r PublishRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests[r.ChannelID+"|"+r.Key] = r
	f.changes = append(f.changes, r)
}

func (f *fakeStore) PutPublished(ctx context.Context, r PublishRequest, m Message, d Delivery, s Sent) error {
	if err := f.lock(ctx, "PutPublished"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if _, ok := f.requests[r.ChannelID+"|"+r.Key]; !ok {
		return ErrGone
	}
	if _, ok := f.sents[s.Sender+"|"+s.ID]; ok {
		return fmt.Errorf("id %s of %s is used", s.ID, s.Sender)
	}
	if err := f.putMessage(m); err != nil {
		return err
	}
	if s.ID != "" {
		f.sents[s.Sender+"|"+s.ID] = s
	}
	delete(f.requests, r.ChannelID+"|"+r.Key)
	f.putDelivery(d)
	return nil
}

func (f *fakeStore) RejectPublishRequest(ctx context.Context, r PublishRequest, reason string) error {
	if err := f.lock(ctx, "RejectPublishRequest"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.rejected[r.ChannelID+"|"+r.Key] = reason
	return nil
}

func (f *fakeStore) PutDelivery(ctx context.Context, d Delivery) error {
	if err := f.lock(ctx, "PutDelivery"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.putDelivery(d)
	return nil
}

func (f *fakeStore) putDelivery(d Delivery) {
	f.deliveries[d.ChannelID+"|"+d.Key] = d
	f.changes = append(f.changes, d)
}

func (f *fakeStore) GetDelivery(ctx context.Context, channelID, key string) (Delivery, error) {
	if err := f.lock(ctx, "GetDelivery"); err != nil {
		return Delivery{}, err
	}
	defer f.mu.Unlock()
	d, ok := f.deliveries[channelID+"|"+key]
	if !ok {
		return d, ErrGone
	}
	return d, nil
}

func (f *fakeStore) DeleteDelivery(ctx context.Context, channelID, key string) error {
	if err := f.lock(ctx, "DeleteDelivery"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.deliveries, channelID+"|"+key)
	return nil
}

func (f *fakeStore) PutExpiry(ctx context.Context, e Expiry) error {
	if err := f.lock(ctx, "PutExpiry"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.expiries[e] = true
	return nil
}

func (f *fakeStore) ListExpiries(ctx context.Context, minute time.Time) iter.Seq2[Expiry, error] {
	return func(yield func(Expiry, error) bool) {
		if err := f.lock(ctx, "ListExpiries"); err != nil {
			yield(Expiry{}, err)
			return
		}
		all := maps.Clone(f.expiries)
		f.mu.Unlock()
		for e := range all {
			if e.At.Truncate(time.Minute).Equal(minute.Truncate(time.Minute)) && !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fakeStore) DeleteExpiry(ctx context.Context, e Expiry) error {
	if err := f.lock(ctx, "DeleteExpiry"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.expiries, e)
	return nil
}

// takeChanges gives what the stream has, and empties it.
func (f *fakeStore) takeChanges() []Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	changes := f.changes
	f.changes = nil
	return changes
}

var (
	errGonePost   = errors.New("410")
	errFailedPost = errors.New("500")
	errBusyPost   = errors.New("429")
	errSlowPost   = errors.New("429, as ever")
)

// A fakePoster keeps what it posts.
type fakePoster struct {
	mu     sync.Mutex
	frames map[string][]string
	closed map[string]time.Time
	// answer says what becomes of a post: nil, errGonePost or another error.
	answer func(id string) error
}

func newFakePoster() *fakePoster {
	return &fakePoster{frames: map[string][]string{}, closed: map[string]time.Time{}, answer: func(string) error { return nil }}
}

func (p *fakePoster) Post(ctx context.Context, ids iter.Seq[string], frame []byte) Outcome {
	var outcome Outcome
	for id := range ids {
		err := ctx.Err()
		stop := err != nil
		if !stop {
			err = p.answer(id)
		}
		switch {
		case err == nil:
			outcome.Delivered++
			p.mu.Lock()
			p.frames[id] = append(p.frames[id], string(frame))
			p.mu.Unlock()
		case errors.Is(err, errGonePost):
			outcome.Gone = append(outcome.Gone, id)
		case errors.Is(err, errSlowPost):
			outcome.Slow, outcome.Err = outcome.Slow+1, err
		default:
			outcome.Undelivered, outcome.Err = append(outcome.Undelivered, id), err
			if errors.Is(err, errBusyPost) {
				outcome.Busy++
			}
		}
		if stop {
			break
		}
	}
	return outcome
}

// Close fails as a post would, but for a connection that is gone.
func (p *fakePoster) Close(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), p.answer(id)); err != nil && !errors.Is(err, errGonePost) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed[id] = time.Now()
	return nil
}

// forget forgets all frames.
func (p *fakePoster) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.frames)
}

// take gives the frames posted to a connection, one a line in short, and
// forgets them.
func (p *fakePoster) take(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var short []string
	for _, frame := range p.frames[id] {
		short = append(short, shorten(frame))
	}
	delete(p.frames, id)
	return short
}

// shorten gives what matters of an event in most tests.
func shorten(frame string) string {
	var e map[string]any
	if err := json.Unmarshal([]byte(frame), &e); err != nil {
		return "not JSON: " + frame
	}
	var parts []string
	for _, name := range []string{"event", "id", "code", "channelId", "subscriberId", "reason", "seq", "to", "name", "content"} {
		if v, ok := e[name]; ok {
			parts = append(parts, fmt.Sprint(v))
		}
	}
	return strings.Join(parts, " ")
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A world is a chat with a fake table and fake connections.
type world struct {
	*Service
	t      *testing.T
	store  *fakeStore
	poster *fakePoster
	clock  time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: newFakeStore(), poster: newFakePoster(), clock: start}
	ids := 0
	w.Service = &Service{
		Store: w.store, Poster: w.poster,
		Sanitize:        func(s string) string { return strings.ReplaceAll(s, "<x>", "") },
		DefaultChannels: []string{"General"},
		Now:             func() time.Time { return w.clock },
		NewID:           func() string { ids++; return fmt.Sprintf("id-%d", ids) },
	}
	return w
}

// connect connects, and lets the stream run.
func (w *world) connect(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if err := w.Connect(w.t.Context(), Connection{ID: id, ConnectedAt: w.clock}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.stream()
}

// quiet connects and forgets what was posted about it; the connections are old.
func (w *world) quiet(ids ...string) {
	w.t.Helper()
	w.connect(ids...)
	for _, id := range ids {
		w.poster.take(id)
	}
	w.clock = w.clock.Add(time.Minute)
}

// known has connections of somebody that are as those of quiet.
func (w *world) known(i Identity, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		w.join(id, i)
	}
	w.clock = w.clock.Add(time.Minute)
	w.poster.forget()
}

// stream applies changes until there are no more.
func (w *world) stream() {
	w.t.Helper()
	for range 100 {
		changes := w.store.takeChanges()
		if len(changes) == 0 {
			return
		}
		for _, c := range changes {
			if err := w.Apply(w.t.Context(), c); err != nil {
				w.t.Fatalf("apply %T: %v", c, err)
			}
		}
	}
	w.t.Fatal("the stream does not come to rest")
}

// caller is who a connection is of.
func (w *world) caller(id string) Caller {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return Caller{ConnectionID: id, Identity: w.store.connections[id].Identity}
}

// The service's methods, by a connection's id alone.

func (w *world) Answer(ctx context.Context, route, id string, body []byte) ([]byte, error) {
	return w.Service.Answer(ctx, route, w.caller(id), body)
}

func (w *world) Send(ctx context.Context, id, channelID, name, content string) (Message, error) {
	return w.Service.Send(ctx, w.caller(id), Draft{ChannelID: channelID, Name: name, Content: content})
}

func (w *world) Subscribe(ctx context.Context, id, channelID string) (int64, error) {
	return w.Service.Subscribe(ctx, w.caller(id), channelID)
}

func (w *world) Edit(ctx context.Context, id, channelID string, seq int64, content string) (Message, error) {
	return w.Service.Edit(ctx, w.caller(id), channelID, seq, content)
}

// answer sends a frame and gives its answer in short.
func (w *world) answer(route, id, frame string) string {
	w.t.Helper()
	answer, err := w.Answer(w.t.Context(), route, id, []byte(frame))
	if err != nil {
		w.t.Fatalf("Answer(%s): %v", frame, err)
	}
	return shorten(string(answer))
}

func (w *world) subscribers(channelID string) []string {
	var ids []string
	for id := range w.store.ListSubscribers(w.t.Context(), channelID, "", 0) {
		ids = append(ids, id)
	}
	return ids
}
