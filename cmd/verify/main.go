// Command verify runs the project's tests, shows their progress, and reports
// what passed, what did not and why: on the terminal, and in a folder as
// events.jsonl, results.json, junit.xml, summary.md, summary.txt and report.html.
//
//	go run ./cmd/verify [-out build/verify] -- [arguments and packages of go test]
//	go run ./cmd/verify [-out build/verify] -from events.jsonl
//
// The second form runs nothing: it reports on recorded events.
//
// In GitHub Actions it also appends summary.md to the step summary, and
// annotates what is wrong. The reports are written too when the run is
// interrupted.
//
// It exits
//
//	0        when everything passed,
//	1        when a check or a test failed,
//	2        when nothing failed, but it could not run: wrong arguments, a
//	         package that does not build, an engine that fell over (checks with
//	         the verdict error), nothing executed, reports not written,
//	128 + n  when signal n interrupted it: SIGHUP, SIGINT or SIGTERM.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

const (
	exitPassed = 0
	exitFailed = 1
	exitBroken = 2
	exitSignal = 128
)

func main() {
	out := flag.String("out", filepath.Join("build", "verify"), "folder for the reports")
	from := flag.String("from", "", "file of recorded events to report on, instead of running tests")
	flag.Parse()
	// A reader of the output who goes away must not take the reports along.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	code, err := do(*from, *out, flag.Args())
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify: %v\n", err)
	}
	os.Exit(code)
}

func do(from, out string, arguments []string) (int, error) {
	switch {
	case from == "":
		return verify(out, arguments, os.Stdout)
	case len(arguments) > 0:
		return exitBroken, errors.New("read arguments: -from runs no tests, so there is nothing to give them")
	}
	return replay(from, out, os.Stdout)
}

// replay writes the reports on recorded events into folder.
func replay(from, folder string, terminal io.Writer) (int, error) {
	stream, err := os.Open(from)
	if err != nil {
		return exitBroken, fmt.Errorf("read events: %w", err)
	}
	run := &report.Run{Module: module()}
	err = follow(run, stream, io.Discard, report.NewProgress(io.Discard, false, 0))
	if err = errors.Join(err, stream.Close(), prepare(folder)); err != nil {
		return exitBroken, err
	}
	results := run.Results()
	return exitCode(results, 0, finish(folder, results, terminal))
}

// verify runs go test with arguments and writes the reports into folder. It
// gives the exit code.
func verify(folder string, arguments []string, terminal io.Writer) (int, error) {
	if err := prepare(folder); err != nil {
		return exitBroken, err
	}
	events, err := os.Create(filepath.Join(folder, "events.jsonl"))
	if err != nil {
		return exitBroken, fmt.Errorf("create report: %w", err)
	}
	relay := newRelay()
	defer relay.close()
	run, err := test(arguments, events, terminal, relay)
	err = errors.Join(err, events.Close())
	if received := relay.received(); received != 0 {
		run.Interrupted = "by " + received.String()
	}
	results := run.Results()
	return exitCode(results, relay.received(), errors.Join(err, finish(folder, results, terminal)))
}

// finish writes the reports, tells what came of the run, and last where to
// read it all.
func finish(folder string, results *report.Results, terminal io.Writer) error {
	err := errors.Join(writeAll(folder, results), tell(terminal, results))
	_, printErr := fmt.Fprintf(terminal, "report: %s\n", filepath.Join(folder, "report.html"))
	return errors.Join(err, printErr)
}

// exitCode says by what a run ended. What failed outweighs what went wrong on
// the way, and an interruption outweighs both: then the run proves nothing.
func exitCode(results *report.Results, received syscall.Signal, err error) (int, error) {
	switch {
	case received != 0:
		return exitSignal + int(received), errors.Join(err, fmt.Errorf("interrupted by %s: the results are incomplete", received))
	case results.Outcome == report.Failed:
		return exitFailed, err
	case results.Outcome != report.Passed, err != nil:
		return exitBroken, err
	}
	return exitPassed, nil
}

// module is the path of the module that this command was built in.
func module() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
}
