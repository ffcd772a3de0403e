package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Status asks the cloud what runs.
func (a Address) Status(ctx context.Context) (*Status, error) {
	var status Status
	return &status, a.call(ctx, http.MethodGet, "status", nil, &status)
}

// Keep has every resource deleted that is not in list.
func (a Address) Keep(ctx context.Context, list []Reference) error {
	return a.call(ctx, http.MethodPost, "keep", list, nil)
}

// Shutdown has the cloud stop everything; its process ends soon after.
func (a Address) Shutdown(ctx context.Context) error {
	return a.call(ctx, http.MethodPost, "shutdown", nil, nil)
}

func (a Address) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the local cloud does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("local cloud: %s: %s", path, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
