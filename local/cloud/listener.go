package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"example.com/chatstack/local/gateway"
)

// A listener is an HTTP server on a loopback port of its own.
type listener struct {
	addr   string
	server *http.Server
	done   chan struct{}
}

// listen serves handler on the port that the listener of this name had before,
// so that addresses survive a restart, or on a free one where that is taken.
func (c *Cloud) listen(name string, handler http.Handler) (*listener, error) {
	before := c.notes.port(name)
	bound, err := bind(before)
	if err != nil && before != 0 {
		c.log.Warn("a port is taken by someone else now; another is used", "listener", name, "port", before)
		bound, err = bind(0)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", name, err)
	}
	if port := bound.Addr().(*net.TCPAddr).Port; port != before {
		c.notes.setPort(name, port)
		if err := c.notes.write(); err != nil {
			bound.Close()
			return nil, err
		}
	}
	l := &listener{
		addr: bound.Addr().String(),
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: 30 * time.Second,
			ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	bound = gateway.KeepSpelling(l.server, bound) // for those of APIs; others do not ask
	go func() {
		defer close(l.done)
		if err := l.server.Serve(bound); !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("a listener has stopped", "listener", name, "error", err)
		}
	}()
	return l, nil
}

// New ports come from below those that operating systems hand out by themselves
// (from 32768 on Linux, 49152 on others), so that nobody is given one while the
// local cloud is stopped.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 50
)

// bind listens on a loopback port; 0 is any that is free.
func bind(port int) (net.Listener, error) {
	listen := func(port int) (net.Listener, error) {
		return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	if port != 0 {
		return listen(port)
	}
	for range portTries {
		if bound, err := listen(firstPort + rand.N(lastPort-firstPort)); err == nil {
			return bound, nil
		}
	}
	return listen(0)
}

// URL returns the listener's base URL.
func (l *listener) URL() string { return "http://" + l.addr }

// closeTimeout is how long requests that are under way may take to end.
const closeTimeout = 200 * time.Millisecond

// Close lets requests that are under way end, for a moment, and stops.
func (l *listener) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		l.server.Close()
	}
	<-l.done
}

// Serve serves handler at an address that survives restarts under its name,
// until stop is called.
func (c *Cloud) Serve(name string, handler http.Handler) (url string, stop func(), err error) {
	c.changes.Lock()
	defer c.changes.Unlock()
	l, err := c.listen(name, handler)
	if err != nil {
		return "", nil, err
	}
	return l.URL(), l.Close, nil
}
