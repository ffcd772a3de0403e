package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Status asks the cloud what runs.
func (a Address) Status(ctx context.Context) (*Status, error) {
	var status Status
	if err := a.call(ctx, http.MethodGet, "status", nil, &status); err != nil {
		return nil, err
	}
	return &status, nil
}

// Keep has every resource deleted that is not in list.
func (a Address) Keep(ctx context.Context, list []Reference) error {
	if list == nil {
		list = []Reference{}
	}
	return a.call(ctx, http.MethodPost, "keep", list, nil)
}

// Shutdown has the cloud stop everything; its process ends soon after.
func (a Address) Shutdown(ctx context.Context) error {
	return a.call(ctx, http.MethodPost, "shutdown", nil, nil)
}

// noSuchCall is what a cloud says to a call that it does not know.
const noSuchCall = "404 page not found"

// callTimeout is how long the cloud may take; to delete an API takes up to 10 s.
const callTimeout = time.Minute

func (a Address) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL+"/control/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.Token)
	req.Close = true // a command makes one call or two
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the local cloud does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		said := strings.TrimSpace(string(text))
		switch {
		case said == noSuchCall:
			return fmt.Errorf("the local cloud that runs is of another build, which does not know %s: `chatstack up` replaces it", path)
		case resp.StatusCode < 500:
			return errors.New(said) // a sentence for people
		}
		return fmt.Errorf("local cloud: %s: %s", path, said)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("local cloud: %s: read its answer: %w", path, err)
	}
	return nil
}
