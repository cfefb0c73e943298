package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// attachLimit bounds finding out who the servers are.
const attachLimit = 30 * time.Second

// verify checks the servers and reports. It gives the exit code. Nothing is
// created, here or there, before the servers are known to be usable.
func verify(asked *asked, terminal io.Writer) (int, error) {
	interruption := awaitSignals(os.Stderr)
	defer interruption.close()
	target, err := reach(interruption.context, asked)
	if err != nil {
		if received := interruption.received(); received != 0 {
			return delivery.ExitSignal + int(received), err
		}
		return delivery.ExitBroken, err
	}
	defer target.Pair.Close()
	if err := delivery.Prepare(asked.out); err != nil {
		return delivery.ExitBroken, err
	}
	events, err := delivery.CreateEvents(asked.out)
	if err != nil {
		return delivery.ExitBroken, err
	}
	run := &report.Run{}
	found, err := record(interruption.context, asked, target, run, events, terminal)
	err = errors.Join(err, events.Close())
	received := interruption.received()
	switch {
	case received != 0:
		run.Interrupted = "by " + received.String()
	case asked.adopt != "":
		err = errors.Join(err, adopt(asked.adopt, found, os.Stderr))
	}
	results := run.Results()
	return delivery.ExitCode(results, received, errors.Join(err, delivery.Finish(asked.out, results, terminal)))
}

func reach(ctx context.Context, asked *asked) (*conformance.Target, error) {
	limit := time.Duration(float64(attachLimit) * asked.patience)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %s", limit))
	defer cancel()
	return attach.Target(ctx, asked.servers)
}

// record runs the checks, while their events are followed like those of go
// test.
func record(ctx context.Context, asked *asked, target *conformance.Target, run *report.Run, events, terminal io.Writer) (conformance.Results, error) {
	stream, out := io.Pipe()
	var followErr error
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		followErr = delivery.Muted(terminal, func() error { return delivery.Follow(run, stream, events, delivery.Progress(terminal)) })
	}()
	recorder := conformance.NewRecorder(out, target)
	found, err := conformance.Verify(ctx, target, asked.checks,
		conformance.WithDeviations(asked.deviations),
		conformance.WithTimeoutFactor(asked.patience),
		conformance.WithObserver(func(result conformance.Result) { recorder.Add(result, again(asked, result.Check)) }))
	switch {
	case ctx.Err() == nil:
		err = errors.Join(err, recorder.Close())
	case !errors.Is(err, conformance.ErrLeftBehind):
		err = nil // the exit code and the reports tell of the interruption
	}
	err = errors.Join(err, out.Close())
	<-followed
	return found, errors.Join(err, followErr)
}

// adopt writes the list of what failed.
func adopt(path string, found conformance.Results, tell io.Writer) error {
	known := found.Deviations()
	if len(known) == 0 {
		_, err := fmt.Fprintln(tell, "conformance: nothing failed: there is no deviation to write down")
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // for everybody
	if err != nil {
		return fmt.Errorf("write deviations: %w", err)
	}
	return errors.Join(known.Write(file), file.Close())
}
