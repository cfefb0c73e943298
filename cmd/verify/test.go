package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"golang.org/x/term"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// test runs go test and follows its events. The tests are a process group of
// their own: a signal is passed on to them, and they get to clean up. The run
// is never nil.
func test(arguments []string, events, terminal io.Writer, relay *relay) (*report.Run, error) {
	run := &report.Run{Module: module()}
	command := exec.Command("go", slices.Concat([]string{"test", "-json"}, arguments)...) //nolint:noctx // ended by signal, see above
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return run, fmt.Errorf("run go test: %w", err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return run, fmt.Errorf("run go test: %w", err)
	}
	relay.begin(command.Process.Pid)
	err = follow(run, stdout, events, progress(terminal))
	waitErr := command.Wait()
	relay.end()
	var exit *exec.ExitError
	switch {
	case waitErr != nil && !errors.As(waitErr, &exit):
		err = errors.Join(err, fmt.Errorf("run go test: %w", waitErr))
	case exit != nil && relay.received() == 0 && run.Green():
		run.Note(fmt.Sprintf("go test failed although no test did: %v", exit))
		err = errors.Join(err, fmt.Errorf("run go test: %w", exit))
	}
	return run, err
}

// follow reads events until the stream ends. What cannot be written is told at
// the end, once: the tests and their results matter more.
func follow(run *report.Run, stream io.Reader, events io.Writer, progress *report.Progress) error {
	const widest = 16 << 20 // one line of output of one test
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, widest)
	var writeErr, progressErr error
	for lines.Scan() {
		line := report.MaskLine(lines.Bytes())
		event, err := report.ParseEvent(line)
		if err != nil {
			run.Note(string(line))
			continue
		}
		run.Add(event)
		if writeErr == nil {
			_, writeErr = events.Write(append(slices.Clone(line), '\n'))
		}
		if progressErr == nil {
			progressErr = progress.Add(event)
		}
	}
	err := lines.Err()
	if err != nil { // let the tests go on, and end
		_, drainErr := io.Copy(io.Discard, stream)
		err = errors.Join(err, drainErr)
	}
	if err = errors.Join(err, writeErr, progressErr, progress.Close()); err != nil {
		return fmt.Errorf("follow tests: %w", err)
	}
	return nil
}

func progress(terminal io.Writer) *report.Progress {
	if file, ok := terminal.(*os.File); ok {
		width, _, err := term.GetSize(int(file.Fd()))
		return report.NewProgress(terminal, err == nil && width > 0, width)
	}
	return report.NewProgress(terminal, false, 0)
}
