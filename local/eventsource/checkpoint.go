package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/chatstack/internal/atomicfile"
)

// A Checkpoint is how far a mapping has come in the shards of its stream.
type Checkpoint struct {
	// Stream is the ARN of the stream that the shards are of.
	Stream string `json:"stream"`
	// Shards are the positions by shard id.
	Shards map[string]Position `json:"shards"`
}

// A Position is how far a mapping has come in a shard. The zero value is its
// beginning.
type Position struct {
	// After is the sequence number of the last record that is done.
	After string `json:"after,omitempty"`
	// Since counts while After is empty: records created before it, in seconds
	// since 1970, are none of the mapping's.
	Since int64 `json:"since,omitempty"`
	// Drained says that the shard is closed and all of it done.
	Drained bool `json:"drained,omitempty"`
}

// Checkpoints keep checkpoints by the UUID of their mapping. Load returns false if
// there is none; Delete of one that does not exist is no error.
type Checkpoints interface {
	Load(uuid string) (c Checkpoint, ok bool, err error)
	Save(uuid string, c Checkpoint) error
	Delete(uuid string) error
}

// FileCheckpoints keep each checkpoint as a file of JSON in a directory. A
// checkpoint is replaced as a whole or not at all, so a process that is killed
// leaves the old one or the new.
type FileCheckpoints struct{ dir string }

// NewFileCheckpoints uses, and makes where needed, the directory dir.
func NewFileCheckpoints(dir string) (*FileCheckpoints, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory for checkpoints: %w", err)
	}
	return &FileCheckpoints{dir: dir}, nil
}

func (f *FileCheckpoints) path(uuid string) string {
	return filepath.Join(f.dir, uuid+".json")
}

// Load implements Checkpoints. A file that cannot be understood is an error that
// names it: to go on from the beginning could repeat a day.
func (f *FileCheckpoints) Load(uuid string) (Checkpoint, bool, error) {
	data, err := os.ReadFile(f.path(uuid))
	if errors.Is(err, fs.ErrNotExist) {
		return Checkpoint{}, false, nil
	}
	if err != nil {
		return Checkpoint{}, false, fmt.Errorf("load checkpoint: %w", err)
	}
	var c Checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return Checkpoint{}, false, fmt.Errorf("load checkpoint %s (remove it to begin at the starting position): %w", f.path(uuid), err)
	}
	return c, true, nil
}

// Save implements Checkpoints.
func (f *FileCheckpoints) Save(uuid string, c Checkpoint) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save checkpoint: %w", err)
		}
	}()
	data, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.Write(f.path(uuid), 0o600, append(data, '\n'))
}

// Delete implements Checkpoints.
func (f *FileCheckpoints) Delete(uuid string) error {
	if err := os.Remove(f.path(uuid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete checkpoint: %w", err)
	}
	return nil
}
