package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"syscall"

	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// test runs go test and follows its events. The tests are a process group of
// their own: a signal is passed on to them, and they get to clean up. The run
// is never nil. What tests keep goes into folder.
func test(folder string, arguments []string, events, terminal io.Writer, relay *relay) (*report.Run, error) {
	run := &report.Run{Module: module()}
	how := []string{"test", "-json", "-artifacts", "-outputdir", folder}
	command := exec.Command("go", slices.Concat(how, arguments)...) //nolint:noctx // ended by signal, see above
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
	err = delivery.Muted(terminal, func() error { return delivery.Follow(run, stdout, events, delivery.Progress(terminal)) })
	waitErr := command.Wait()
	relay.end()
	var exit *exec.ExitError
	switch {
	case waitErr != nil && !errors.As(waitErr, &exit):
		err = errors.Join(err, fmt.Errorf("run go test: %w", waitErr))
	case exit != nil && relay.received() == 0 && run.Green():
		run.Broken = true
		run.Note(fmt.Sprintf("go test failed although no test did: %v", exit))
		err = errors.Join(err, fmt.Errorf("run go test: %w", exit))
	}
	return run, err
}
