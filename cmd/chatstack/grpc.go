package main

import (
	"fmt"
	"log/slog"
	"net"

	"google.golang.org/grpc"
)

// maxMessage is the largest message of the Pulumi engine: a whole resource.
const maxMessage = 64 << 20

// serve lets the Pulumi engine reach what register adds to a server, on a loopback
// port, until stop is called.
func serve(register func(*grpc.Server)) (port int, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, fmt.Errorf("listen for the Pulumi engine: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	register(server)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); err != nil {
			slog.Error("the server for the Pulumi engine has stopped", "error", err)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, func() { server.Stop(); <-served }, nil
}
