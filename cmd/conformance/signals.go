package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interruption is the first signal that asks for the end. The context ends
// with it, so that checks clean up. The next signal ends the process at once.
type interruption struct {
	context context.Context //nolint:containedctx // it lives as long as the run
	cancel  context.CancelFunc
	signals chan os.Signal
	done    chan struct{}
	first   atomic.Int32
}

func awaitSignals(tell io.Writer) *interruption {
	i := &interruption{signals: make(chan os.Signal, 1), done: make(chan struct{})}
	i.context, i.cancel = context.WithCancel(context.Background())
	signal.Notify(i.signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(i.done)
		one, came := <-i.signals
		if !came {
			return
		}
		if number, ok := one.(syscall.Signal); ok {
			i.first.Store(int32(number)) //nolint:gosec // signals are small
		}
		signal.Stop(i.signals)
		i.cancel()
		_, _ = fmt.Fprintln(tell, "conformance: interrupted: removing what the run created; another signal would leave it behind")
	}()
	return i
}

// received is the signal, 0 when there was none.
func (i *interruption) received() syscall.Signal { return syscall.Signal(i.first.Load()) }

func (i *interruption) close() {
	signal.Stop(i.signals)
	close(i.signals)
	<-i.done
	i.cancel()
}
