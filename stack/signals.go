package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// ErrInterrupted is the cause of contexts that ended by SIGINT or SIGTERM.
var ErrInterrupted = errors.New("interrupted by signal")

// handleSignals removes the run at the first SIGINT or SIGTERM and exits with
// 128 + n. A second signal exits at once and leaves the rest to the watchdog.
// The function it gives takes the handler away again.
func (e *Engine) handleSignals() (stop func()) {
	signals := make(chan os.Signal, 2)
	quit := make(chan struct{})
	ended := make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(ended)
		select {
		case <-quit:
		case received := <-signals:
			e.interrupted(received, signals)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(quit)
		<-ended
	}
}

func (e *Engine) interrupted(received os.Signal, again <-chan os.Signal) {
	code := 1
	if number, ok := received.(syscall.Signal); ok {
		code = 128 + int(number)
	}
	fmt.Fprintf(os.Stderr, "\ninterrupted (%s): removing what this run made; once more to leave that to the watchdog\n", received)
	go func() {
		<-again
		os.Exit(code)
	}()
	e.end(fmt.Errorf("%w %s", ErrInterrupted, received))
	// What is being created now would appear after the removal.
	e.active.Lock()
	if err := e.abandon(); err != nil {
		fmt.Fprintf(os.Stderr, "remove run %s: %v; the watchdog tries again\n", e.session.id, err)
	}
	os.Exit(code)
}

// abandon removes all that the run made. The watchdog is dismissed only when
// that has worked.
func (e *Engine) abandon() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	if err := e.removeSession(ctx, e.session.id); err != nil && e.session.guarded() {
		return err
	}
	return e.session.close() // without a watchdog nothing was made
}
