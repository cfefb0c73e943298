package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// watchdogVariable names the session that a watchdog process watches over.
const watchdogVariable = "POSTGRES_MASTER_SLAVE_WATCHDOG"

// farewell is what a run says to its watchdog when it ends in good order.
const farewell = "all removed\n"

// A watchdog is this executable with watchdogVariable set. It must act before
// the program or its tests begin, hence an init function.
func init() { //nolint:gochecknoinits // see above
	if id := os.Getenv(watchdogVariable); id != "" {
		os.Exit(watch(id, os.Stdin))
	}
}

// watchdog is the process that removes the run's remains when the run dies.
type watchdog struct {
	process *exec.Cmd
	pipe    io.WriteCloser
}

func startWatchdog(id string, engine []string) (*watchdog, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	process := exec.Command(executable) //nolint:noctx // it must outlive every context of this process
	process.Env = append(append(os.Environ(), watchdogVariable+"="+id), engine...)
	process.Dir = "/"                                        // keeps no directory busy
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is for the run alone
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	return &watchdog{process: process, pipe: pipe}, nil
}

// dismiss tells the watchdog that nothing is left to do, and waits for its end.
func (w *watchdog) dismiss() error {
	_, err := io.WriteString(w.pipe, farewell)
	err = errors.Join(err, w.pipe.Close(), w.process.Wait())
	if err != nil {
		return fmt.Errorf("dismiss watchdog: %w", err)
	}
	return nil
}

// watch is the watchdog's whole life: it waits until the pipe from the run
// closes, and removes what the run left unless the run said farewell.
// It gives the exit code.
func watch(id string, pipe io.Reader) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	said, err := io.ReadAll(pipe)
	if err == nil && string(said) == farewell {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	cli, err := dial(io.Discard)
	if err != nil {
		return 1
	}
	engine := cli.Client()
	defer func() { _ = engine.Close() }() // the process ends anyway
	// What was in the making when the run died appears a moment later.
	const settle = 500 * time.Millisecond
	for clean := 0; clean < 2; {
		left, err := remains(ctx, engine, id)
		switch {
		case ctx.Err() != nil:
			return 1
		case err == nil && left.empty():
			clean++
		default:
			clean = 0
			_ = left.remove(ctx, engine) // looked at again in the next round
		}
		select {
		case <-ctx.Done():
		case <-time.After(settle):
		}
	}
	if dead(leasePath(id)) {
		_ = os.Remove(leasePath(id)) // or the next run does
	}
	return 0
}
