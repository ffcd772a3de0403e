package gobuild

import (
	"archive/zip"
	"io"
	"os"
	"time"

	"example.com/chatstack/internal/atomicfile"
)

// zipFormat goes into each zip's comment before the checksum of its binary.
// Change it when writeZip would make other bytes of the same binary.
const zipFormat = "chatstack function 1 sha256:"

// zipTime is the time of every entry, the earliest that a zip can hold.
func zipTime() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// writeZip packs the binary into file as an executable called bootstrap,
// unless file holds that very binary already.
func writeZip(file, binary string) error {
	sum, err := checksum(binary)
	if err != nil {
		return err
	}
	comment := zipFormat + sum
	if zipComment(file) == comment {
		return nil
	}
	return atomicfile.Replace(file, 0o644, func(w io.Writer) error {
		return packZip(w, binary, comment)
	})
}

// packZip writes a zip whose bytes depend on the binary and the comment alone.
func packZip(w io.Writer, binary, comment string) error {
	in, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer in.Close()
	z := zip.NewWriter(w)
	if err := z.SetComment(comment); err != nil {
		return err
	}
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: zipTime()}
	header.SetMode(0o755) // Lambda runs it only if it is executable
	entry, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, in); err != nil {
		return err
	}
	return z.Close()
}

// zipComment returns the comment of a whole zip, or nothing.
func zipComment(file string) string {
	z, err := zip.OpenReader(file)
	if err != nil {
		return ""
	}
	defer z.Close()
	return z.Comment
}
