// Command verify runs the project's tests, shows their progress, and says at
// the end what passed, what did not and why.
//
//	go run ./cmd/verify [-out build/verify] -- [arguments and packages of go test]
//
// It exits 0 when everything passed, 1 when a test failed, 2 when it could
// not run, and 128 + n after signal n.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/term"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

const (
	exitFailed = 1
	exitUsage  = 2
	exitSignal = 128
)

func main() {
	out := flag.String("out", filepath.Join("build", "verify"), "folder for events.jsonl and summary.txt")
	flag.Parse()
	code, err := verify(*out, flag.Args())
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify: %v\n", err)
	}
	os.Exit(code)
}

func verify(folder string, arguments []string) (int, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // reports are for everybody
		return exitUsage, fmt.Errorf("create report folder: %w", err)
	}
	events, err := os.Create(filepath.Join(folder, "events.jsonl"))
	if err != nil {
		return exitUsage, fmt.Errorf("create report: %w", err)
	}
	run, received, err := test(arguments, events)
	if err = errors.Join(err, events.Close()); err != nil {
		return exitUsage, err
	}
	summary, err := os.Create(filepath.Join(folder, "summary.txt"))
	if err != nil {
		return exitUsage, fmt.Errorf("create report: %w", err)
	}
	err = errors.Join(report.WriteSummary(io.MultiWriter(os.Stdout, summary), run), summary.Close())
	switch {
	case err != nil:
		return exitUsage, fmt.Errorf("write report: %w", err)
	case received != 0:
		return exitSignal + int(received), fmt.Errorf("interrupted by %s: the results above are incomplete", received)
	case !run.Green():
		return exitFailed, nil
	}
	return 0, nil
}

// test runs go test and follows its events. The tests are a process group of
// their own: a signal is passed on to them, and they get to clean up.
func test(arguments []string, events io.Writer) (*report.Run, syscall.Signal, error) {
	command := exec.Command("go", slices.Concat([]string{"test", "-json"}, arguments)...) //nolint:noctx // ended by signal, see above
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, 0, fmt.Errorf("run go test: %w", err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return nil, 0, fmt.Errorf("run go test: %w", err)
	}
	interrupted := passOn(command.Process.Pid)
	run, followErr := follow(stdout, events)
	waitErr := command.Wait()
	received := interrupted()
	var exit *exec.ExitError
	if waitErr != nil && !errors.As(waitErr, &exit) {
		followErr = errors.Join(followErr, fmt.Errorf("run go test: %w", waitErr))
	}
	if exit != nil && received == 0 && run.Green() {
		run.Note(fmt.Sprintf("go test failed although no test did: %v", exit))
		followErr = errors.Join(followErr, fmt.Errorf("run go test: %w", exit))
	}
	return run, received, followErr
}

// passOn sends SIGINT to a process group for every SIGINT and SIGTERM that
// this process gets. The function it gives ends that, and tells the first.
func passOn(group int) func() syscall.Signal {
	signals := make(chan os.Signal, 2)
	first := make(chan syscall.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		var received syscall.Signal
		for one := range signals {
			if number, ok := one.(syscall.Signal); ok && received == 0 {
				received = number
			}
			if err := syscall.Kill(-group, syscall.SIGINT); err != nil {
				fmt.Fprintf(os.Stderr, "verify: interrupt the tests: %v\n", err)
			}
		}
		first <- received
	}()
	return func() syscall.Signal {
		signal.Stop(signals)
		close(signals)
		return <-first
	}
}

func follow(stream io.Reader, events io.Writer) (*report.Run, error) {
	const widest = 16 << 20 // one line of output of one test
	run := &report.Run{}
	progress := terminalProgress()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, widest)
	var err error
	for lines.Scan() {
		event, parseErr := report.ParseEvent(lines.Bytes())
		if parseErr != nil {
			run.Note(lines.Text())
			continue
		}
		run.Add(event)
		_, writeErr := events.Write(append(slices.Clone(lines.Bytes()), '\n'))
		err = errors.Join(err, writeErr, progress.Add(event))
	}
	if err = errors.Join(err, lines.Err(), progress.Close()); err != nil {
		return run, fmt.Errorf("follow tests: %w", err)
	}
	return run, nil
}

func terminalProgress() *report.Progress {
	descriptor := int(os.Stdout.Fd())
	width, _, err := term.GetSize(descriptor)
	return report.NewProgress(os.Stdout, err == nil && width > 0, width)
}
