package eventsource

import (
	"maps"
	"sync"
)

// progress is a mapping's checkpoint while the mapping runs: kept in memory, and
// saved with each change.
type progress struct {
	uuid  string
	store Checkpoints

	mu    sync.Mutex
	begun bool // the stream's shards have been seen once
	now   Checkpoint
}

func loadProgress(store Checkpoints, m Mapping) (*progress, error) {
	c, ok, err := store.Load(m.UUID)
	if err != nil {
		return nil, err
	}
	if !ok || c.Stream != m.StreamARN {
		ok, c = false, Checkpoint{Stream: m.StreamARN}
	}
	if c.Shards == nil {
		c.Shards = map[string]Position{}
	}
	return &progress{uuid: m.UUID, store: store, begun: ok, now: c}, nil
}

func (p *progress) at(shard string) Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.Shards[shard]
}

// hasBegun says whether the stream's shards have been seen once.
func (p *progress) hasBegun() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

// all are the positions by shard.
func (p *progress) all() map[string]Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.now.Shards)
}

// begin notes the positions at which a mapping starts that has none yet. It
// returns false if the mapping has begun before.
func (p *progress) begin(positions map[string]Position) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun {
		return false, nil
	}
	p.begun = true
	maps.Copy(p.now.Shards, positions)
	return true, p.store.Save(p.uuid, p.now)
}

// advance notes that a shard has come to a position.
func (p *progress) advance(shard string, to Position) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.Shards[shard] == to {
		return nil
	}
	p.now.Shards[shard] = to
	return p.store.Save(p.uuid, p.now)
}

// retain forgets the drained shards that the stream does not list any more.
func (p *progress) retain(listed func(shard string) bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.now.Shards)
	maps.DeleteFunc(p.now.Shards, func(shard string, at Position) bool {
		return at.Drained && !listed(shard)
	})
	if len(p.now.Shards) == before {
		return nil
	}
	return p.store.Save(p.uuid, p.now)
}
