package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/control"
	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/provider"
	"example.com/chatstack/local/tokens"
	"example.com/chatstack/web"
)

const endpointVar = dynamo.EndpointVar

// cloudCommand runs the local cloud until it is told to stop.
type cloudCommand struct {
	Build string `hidden:"" help:"Tells builds of this program apart."`
}

func (c *cloudCommand) Run(ctx context.Context, p *project) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	unlock, err := lockedfile.MutexAt(p.path("cloud.lock")).Lock() // held by a cloud that is still stopping
	if err != nil {
		return err
	}
	defer unlock()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	engine := dynamo.EngineOptions{Endpoint: os.Getenv(endpointVar), Output: func(line string) { log.Info("table engine", "says", line) }}
	if engine.Endpoint == "" {
		if engine.Path, err = p.tools.Dynoxide(ctx); err != nil {
			return err
		}
	}
	running, err := cloud.Open(ctx, cloud.Options{Dir: p.path("cloud"), Engine: engine, Log: log})
	if err != nil {
		return err
	}
	defer running.Close()

	providerPort, stopProvider, err := serve(provider.New(running, p.dir, log).Register)
	if err != nil {
		return err
	}
	defer stopProvider()

	issuer, err := tokens.Open(p.path("cloud", "issuer.json"))
	if err != nil {
		return err
	}
	api := &control.Server{Cloud: running, Token: rand.Text(), Issuer: issuer, Since: time.Now(), Stop: stop}
	url, stopPage, err := running.Serve("page", pages(api))
	if err != nil {
		return err
	}
	defer stopPage()
	api.Page = url + "/"
	address := control.Address{PID: os.Getpid(), URL: url, Token: api.Token, ProviderPort: providerPort, Build: c.Build}
	if err := address.Write(p.addressFile()); err != nil {
		return err
	}
	defer os.Remove(p.addressFile())
	log.Info("local cloud runs", "page", api.Page, "pid", address.PID)

	select {
	case <-ctx.Done():
		log.Info("local cloud stops")
		return nil
	case <-running.Failed():
		return errors.New("the table engine ended by itself")
	}
}

// pages are what the local cloud serves to a browser, and its control API.
func pages(api *control.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	api.ServePage(mux)
	mux.Handle("/control/", api.Handler())
	return mux
}
