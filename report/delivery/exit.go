package delivery

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// The exit codes of commands that report. A run that signal n interrupted
// exits with ExitSignal + n.
const (
	ExitPassed = 0
	ExitFailed = 1
	ExitBroken = 2
	ExitSignal = 128
)

// ExitCode says by what a run ended; received is 0 when no signal came. What
// failed outweighs what went wrong on the way, and an interruption outweighs
// both: then the run proves nothing. A run that ended without a signal of its
// own, because the tests were killed, failed if a test did, and is broken else.
func ExitCode(results *report.Results, received syscall.Signal, err error) (int, error) {
	switch {
	case received != 0:
		return ExitSignal + int(received), errors.Join(err, fmt.Errorf("interrupted by %s: the results are incomplete", received))
	case results.Outcome == report.Failed, results.Outcome == report.Interrupted && results.Wrong():
		return ExitFailed, err
	case results.Outcome != report.Passed, err != nil:
		return ExitBroken, err
	}
	return ExitPassed, nil
}
