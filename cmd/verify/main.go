// Command verify runs the project's tests, shows their progress, and reports
// what passed, what did not and why: on the terminal, and in a folder as
// events.jsonl, results.json, junit.xml, summary.md, summary.txt and report.html.
//
//	go run ./cmd/verify [-out build/verify] -- [arguments and packages of go test]
//	go run ./cmd/verify [-out build/verify] -from events.jsonl
//
// The second form runs nothing: it reports on recorded events.
//
// What tests keep by testing.T.ArtifactDir is in the folder too, in _artifacts.
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
//	         the verdict error), nothing executed, reports not written; or when
//	         the tests were killed, without a signal to this command,
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
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

const usage = `usage: verify [-out FOLDER] -- [arguments and packages of go test]
       verify [-out FOLDER] -from EVENTS.JSONL
`

func main() {
	flag.Usage = func() {
		_, _ = fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
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
		return delivery.ExitBroken, errors.New("read arguments: -from runs no tests, so there is nothing to give them")
	}
	return replay(from, out, os.Stdout)
}

// replay writes the reports on recorded events into folder.
func replay(from, folder string, terminal io.Writer) (int, error) {
	stream, err := os.Open(from)
	if err != nil {
		return delivery.ExitBroken, fmt.Errorf("read events: %w", err)
	}
	run := &report.Run{Module: module()}
	err = delivery.Follow(run, stream, io.Discard, report.NewProgress(io.Discard, false, 0))
	if err = errors.Join(err, stream.Close(), delivery.Prepare(folder)); err != nil {
		return delivery.ExitBroken, err
	}
	results := run.Results()
	return delivery.ExitCode(results, 0, delivery.Finish(folder, results, terminal))
}

// verify runs go test with arguments and writes the reports into folder. It
// gives the exit code.
func verify(folder string, arguments []string, terminal io.Writer) (int, error) {
	if err := delivery.Prepare(folder); err != nil {
		return delivery.ExitBroken, err
	}
	events, err := delivery.CreateEvents(folder)
	if err != nil {
		return delivery.ExitBroken, err
	}
	relay := newRelay()
	defer relay.close()
	run, err := test(folder, arguments, events, terminal, relay)
	err = errors.Join(err, events.Close())
	if received := relay.received(); received != 0 {
		run.Interrupted = "by " + received.String()
	}
	results := run.Results()
	return delivery.ExitCode(results, relay.received(), errors.Join(err, delivery.Finish(folder, results, terminal)))
}

// module is the path of the module that this command was built in.
func module() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
}
