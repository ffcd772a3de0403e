//go:build !linux

package main

import (
	"errors"
	"syscall"
)

// namespaces are ways to start the relay apart, of which Linux alone has any.
func namespaces() []*syscall.SysProcAttr { return nil }

func loopbackUp() error { return errors.ErrUnsupported }
