// Package atomicfile replaces files in one step: whoever reads one sees its old
// content or its new, and never a part of either, also after a kill.
package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace makes write's output the content of a file with these permissions, in a
// folder that is there. When write fails, the file stays as it was.
func Replace(file string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	part, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := os.Remove(part.Name()); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}()
	if err := errors.Join(write(part), part.Chmod(perm), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

// Write is Replace with content that is there already.
func Write(file string, perm fs.FileMode, content []byte) error {
	return Copy(file, perm, bytes.NewReader(content))
}

// Copy is Replace with content that is read from somewhere.
func Copy(file string, perm fs.FileMode, content io.Reader) error {
	return Replace(file, perm, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
}
